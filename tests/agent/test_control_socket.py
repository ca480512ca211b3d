"""The control socket of an agent, its probes over TCP, and the lock of its bridge."""

import json
import os
import re
import signal
import socket
import stat
import urllib.request

import jsonschema

from ovsnp.cli.schemas import schemas
from tests.agent.agent_scene import AgentScene
from tests.support.applying import ovsnp, policy
from tests.support.checkout import ROOT


def test_status_and_flows(scene: AgentScene) -> None:
    scene.kubectl("apply", "-f", "-", stdin=policy("to-db", 80))
    scene.start()
    scene.settled()
    assert scene.ask("/healthz") == (200, '{\n  "ok": true,\n  "reason": null\n}\n')
    assert scene.ask("/readyz")[0] == 200
    status = json.loads(scene.ask("/status")[1])
    jsonschema.validate(status, json.loads(schemas()["agent-status.schema.json"]))
    assert status["node"] == "node-1"
    assert status["observed"].keys() >= {"NetworkPolicy", "Pod", "Namespace", "Node"}
    assert status["pods"] == ["default/db", "default/frontend"]
    objects = ["--cluster", "--kubeconfig", scene.control_plane.kubeconfig, "--db", scene.switch.location.database]
    compiled = ovsnp("compile", *objects, "--bridge", scene.bridge.bridge, "--node", "node-1")
    assert scene.ask("/flows") == (200, compiled.out)
    assert "tp_dst=80" in compiled.out
    assert stat.S_IMODE(scene.socket.stat().st_mode) == 0o600
    assert scene.stop() == 0
    assert not scene.socket.exists()


def test_examples_of_the_page(scene: AgentScene) -> None:
    page = (ROOT / "docs" / "agent.md").read_text()
    scene.start()
    scene.settled()
    scene.wait(lambda: is_ready(scene))
    log, readyz = re.findall(r"```console\n# .*\n((?:.*\n)*?)```\n", page)
    assert scene.ask("/readyz") == (200, readyz)
    assert without_time(log.strip()) in map(without_time, scene.log.read_text().splitlines())


def test_probes_over_tcp(scene: AgentScene) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    scene.start("--metrics-address", f"127.0.0.1:{port}")
    scene.settled()
    for path in ("healthz", "readyz"):
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/{path}", timeout=20) as answer:
            assert json.load(answer) == {"ok": True, "reason": None}


def test_agent_is_not_ready_without_its_bridge(scene: AgentScene) -> None:
    scene.start()
    scene.settled()
    scene.bridge.vsctl("del-br", scene.bridge.bridge)
    scene.wait(lambda: scene.ask("/readyz")[0] == 503)
    assert not json.loads(scene.ask("/readyz")[1])["ok"]
    assert scene.ask("/healthz")[0] == 200
    scene.bridge.vsctl("add-br", scene.bridge.bridge, "--", "set", "Bridge", scene.bridge.bridge, "datapath_type=dummy")


def test_bridge_has_one_agent_and_no_other_program_changes_it(scene: AgentScene) -> None:
    scene.start()
    scene.settled()
    assert scene.agent
    keeper = f"ovsnp agent (process {scene.agent.pid}) keeps bridge {scene.bridge.bridge}"
    options = ["--bridge", scene.bridge.bridge, "--db", scene.switch.location.database, "--node", "node-1"]
    options += ["--kubeconfig", str(scene.control_plane.kubeconfig)]
    before = scene.bridge.ofctl("dump-flows")
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    second = ovsnp("agent", *options, "--socket", scene.directory / "second.sock")
    assert {number: signal.getsignal(number) for number in handlers} == handlers
    assert (second.code, second.err) == (
        4,
        f"ovsnp: {keeper}, and a bridge has one agent; end that process first\n",
    )
    applied = ovsnp("apply", "--cluster", *options)
    assert applied.code == 4
    assert keeper in applied.err
    assert "change the cluster with kubectl" in applied.err
    assert without_ages(scene.bridge.ofctl("dump-flows")) == without_ages(before)
    assert scene.stop(signal.SIGKILL) == -signal.SIGKILL
    assert ovsnp("apply", "--cluster", *options).code == 0
    assert os.path.exists(scene.socket)
    scene.start()
    scene.wait(lambda: scene.socket.exists() and is_ready(scene))


def is_ready(scene: AgentScene) -> bool:
    try:
        return scene.ask("/readyz")[0] == 200
    except ConnectionRefusedError:
        return False


def without_time(line: str) -> str:
    return re.sub(r"^[\d-]+T[\d:.]+Z ", "", line)


def without_ages(flows: str) -> str:
    return re.sub(r"(duration|n_packets|n_bytes|idle_age|hard_age)=[\d.]+s?", "", flows)
