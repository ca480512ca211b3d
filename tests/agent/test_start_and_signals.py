"""The start of an agent, and signals to it."""

import signal
from pathlib import Path

from tests.agent.agent_scene import AgentScene

KINDS = {
    "": ["namespaces", "nodes", "pods", "services"],
    "discovery.k8s.io": ["endpointslices"],
    "networking.k8s.io": ["networkpolicies", "servicecidrs"],
}


def test_sighup_reads_the_configuration_again_unless_it_has_mistakes(scene: AgentScene) -> None:
    configuration = scene.directory / "settings"
    configuration.write_text("strict-nodes: false")
    scene.start("--config", str(configuration))
    scene.settled()
    lax = scene.bridge.ages()
    assert scene.agent
    configuration.write_text("strict-nodes: true")
    scene.agent.send_signal(signal.SIGHUP)
    scene.wait(lambda: scene.bridge.ages().keys() != lax.keys())
    configuration.write_text("strict-nodes: [")
    scene.wait(lambda: scene.logged("has mistakes") > 0 or scene.agent.send_signal(signal.SIGHUP))
    strict = scene.bridge.ages()
    assert strict.keys() != lax.keys()
    assert all(strict[flow] >= lax[flow] for flow in strict.keys() & lax.keys())
    configuration.write_text("strict-nodes: false")
    scene.agent.send_signal(signal.SIGHUP)
    scene.wait(lambda: not has_handler(scene.agent.pid))  # the new process has just started
    scene.agent.send_signal(signal.SIGHUP)
    scene.settled()


def has_handler(pid: int) -> bool:
    """Whether a process catches SIGHUP (proc(5))."""
    status = Path(f"/proc/{pid}/status").read_text()
    (caught,) = (line.split()[1] for line in status.splitlines() if line.startswith("SigCgt:"))
    return bool(int(caught, 16) >> signal.SIGHUP - 1 & 1)


def test_kinds_that_the_api_server_refuses_end_the_start_with_the_rules_that_lack(scene: AgentScene) -> None:
    rules = [
        {"apiGroups": [group], "resources": [each], "verbs": ["list", "watch"]}
        for group, kinds in KINDS.items()
        for each in kinds
        if each not in ("pods", "networkpolicies")
    ]
    account = scene.control_plane.service_account("agent", rules)
    scene.start("--kubeconfig", str(account))
    assert scene.agent
    assert scene.agent.wait(timeout=120) == 4
    said = scene.log.read_text()
    assert "Traceback" not in said
    for group, kind in (("", "pods"), ("networking.k8s.io", "networkpolicies")):
        assert f'apiGroups: ["{group}"], resources: ["{kind}"], verbs: ["watch"]' in said


def test_start_without_the_bridge_or_the_node(scene: AgentScene) -> None:
    for options, code, said in (
        (("--bridge", "br-nowhere"), 4, "bridge br-nowhere does not exist"),
        (("--node", "nobody"), 2, "nobody"),
    ):
        scene.start(*options)
        assert scene.agent
        assert scene.agent.wait(timeout=120) == code
        assert said in scene.log.read_text().splitlines()[-1]
