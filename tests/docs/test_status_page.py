"""The examples of docs/status.md and docs/wait.md match the commands; `pytest --update-golden` writes them."""

import re
import shlex
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from ovsnp.cli.schemas import schemas
from ovsnp.kubernetes.node_policy_status import API_VERSION, KIND
from ovsnp.kubernetes.resources import NETWORK_POLICIES
from tests.support.applying import ovsnp
from tests.support.checkout import ROOT
from tests.support.scripted_api import ScriptedApi, scripted_api

PAGES = ("status.md", "wait.md")
EXAMPLE = re.compile(r"```console\n\$ (?P<command>.*)\n(?P<output>(?:.*\n)*?)```\n")
AGE = re.compile(r"state of .* ago")
"""The age of a state differs in every run; the page has the ages of the run that wrote it."""

NODE = """
{apiVersion: v1, kind: Node, metadata: {name: node-NUMBER}, spec: {podCIDRs: [10.20.NUMBER.0/24]},
 status: {addresses: [{type: InternalIP, address: 192.168.50.NUMBER}]}}
"""
POD = """
{apiVersion: v1, kind: Pod, metadata: {name: ROLE-NUMBER, namespace: SPACE, labels: {role: ROLE}},
 spec: {nodeName: node-NUMBER, containers: [{name: main}]},
 status: {phase: Running, podIPs: [{ip: 10.20.NUMBER.HOST}]}}
"""
POLICY = """
{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: NAME, namespace: SPACE, generation: 1},
 spec: {podSelector: {matchLabels: {role: ROLE}}}}
"""
PLACES = {"web": ("shop", (1, 2, 3), 10), "db": ("default", (1, 2), 11)}
"""For each role the namespace, the nodes and the last number of the address of its pods."""

NEW = "node-1", "node-3"
"""The nodes with the last state of the policies."""

AGES = {"node-1": 3, "node-2": 41, "node-3": 12}


def read(text: str, **values: object) -> dict[str, Any]:
    for name, value in values.items():
        text = text.replace(name, str(value))
    return dict(yaml.safe_load(text))


def status(node: str, version: str) -> dict[str, Any]:
    """The object of an agent that is well, written some seconds ago."""
    written = datetime.fromtimestamp(time.time() - AGES[node], UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    conditions = [
        {"type": each, "status": "True", "reason": "Well", "message": "", "lastTransitionTime": written}
        for each in ("Ready", "APIServerConnected", "SwitchConnected")
    ]
    return {
        "apiVersion": API_VERSION,
        "kind": KIND,
        "metadata": {"name": node, "managedFields": [{"time": written, "subresource": "status"}]},
        "status": {
            "observed": {"NetworkPolicy": version},
            "agent": {"version": "0.1.0", "started": written, "bridge": "br-int"},
            "conditions": conditions,
        },
    }


@pytest.fixture
def live(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ScriptedApi]:
    """A cluster in which one node has not taken the last state of a policy yet."""
    with scripted_api() as server:
        monkeypatch.chdir(tmp_path)
        (tmp_path / "config").write_text(server.kubeconfig())
        monkeypatch.setenv("KUBECONFIG", str(tmp_path / "config"))
        server.put_all(
            {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": each}} for each in ("default", "shop")
        )
        server.put_all(read(NODE, NUMBER=number) for number in (1, 2, 3))
        for role, (space, numbers, host) in PLACES.items():
            server.put_all(read(POD, SPACE=space, ROLE=role, NUMBER=number, HOST=host) for number in numbers)
        db, web = (
            read(POLICY, NAME=name, SPACE=space, ROLE=role)
            for name, space, role in (
                ("to-db", "default", "db"),
                ("web", "shop", "web"),
            )
        )
        server.put_all([db, web])
        old = server.versions(NETWORK_POLICIES.path)["shop", "web"]
        db["metadata"]["generation"] = 2
        server.put_all([db])
        new = server.versions(NETWORK_POLICIES.path)["default", "to-db"]
        server.put_all(status(node, new if node in NEW else old) for node in AGES)
        yield server


def printed(command: str) -> str:
    """The output of a command line of a page; kubectl has done its part."""
    program, *words = shlex.split(command.rpartition("&& ")[2])
    assert program == "ovsnp"
    answer = ovsnp(*words)
    return answer.out + answer.err


@pytest.mark.parametrize("page", PAGES)
def test_examples_are_what_the_commands_print(page: str, live: ScriptedApi, request: pytest.FixtureRequest) -> None:
    file = ROOT / "docs" / page
    text = file.read_text()
    found = list(EXAMPLE.finditer(text))
    assert len(found) == text.count("```console") == 2
    shown = [printed(each["command"]) for each in found]
    if request.config.getoption("--update-golden"):
        for each, output in reversed([*zip(found, shown, strict=True)]):
            text = text[: each.start("output")] + output + text[each.end("output") :]
        file.write_text(text)
        return
    assert [AGE.sub("", each) for each in shown] == [AGE.sub("", each["output"]) for each in found]


def test_status_page_names_the_schema() -> None:
    assert "(status.schema.json)" in (ROOT / "docs" / "status.md").read_text()
    assert "status.schema.json" in schemas()
