"""The examples of docs/apply.md, in order on one bridge; `pytest --update-golden` writes them."""

import json
import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import jsonschema
import pytest

from tests.support.checkout import ROOT
from tests.support.instance import DummySwitch, own_switch
from tests.support.shell import printed_by_shell

PAGE = ROOT / "docs" / "apply.md"
EXAMPLE = re.compile(r"```console\n\$ (?P<command>.*)\n(?P<output>(?:.*\n)*?)```\n")
GOLDEN = ROOT / "tests" / "golden"
CASE = "ingress-pod-selector"


@pytest.fixture
def switch() -> Iterator[DummySwitch]:
    """An Open vSwitch that has only the bridges of this page, as an error lists all bridges."""
    if not shutil.which("ovs-vswitchd"):
        pytest.skip("Open vSwitch is not installed (Debian: openvswitch-switch)")
    with own_switch() as made:
        yield made


@pytest.fixture
def node(switch: DummySwitch, tmp_path: Path) -> Path:
    """The working directory: a golden case, and in the switch a bridge with ports of two of its pods."""
    shutil.copy(GOLDEN / "cluster.yaml", tmp_path)
    shutil.copytree(GOLDEN / CASE, tmp_path / CASE)
    program = tmp_path / "bin" / "ovsnp"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m ovsnp "$@"\n')
    program.chmod(0o755)
    make = ["ovs-vsctl", "--timeout=20", "add-br", "br-int", "--", "set", "Bridge", "br-int", "datapath_type=dummy"]
    for number, pod in enumerate(("db-0", "frontend-0")):
        make += ["--", "add-port", "br-int", f"pod{number}", "--", "set", "Interface", f"pod{number}", "type=dummy"]
        make += [f"external_ids:iface-id=default/{pod}"]
    switch.run(make)
    return tmp_path / CASE


def printed(command: str, node: Path, switch: DummySwitch) -> str:
    """The output of the command in a shell on the node."""
    environment = {**switch.environment, "PYTHONPATH": str(ROOT)}
    environment["PATH"] = f"{node.parent}/bin:/usr/bin:/bin:/usr/sbin:/sbin"
    return printed_by_shell(command, node, environment)


def test_examples_are_what_is_printed(node: Path, switch: DummySwitch, request: pytest.FixtureRequest) -> None:
    page = PAGE.read_text()
    shown = [printed(match["command"], node, switch) for match in EXAMPLE.finditer(page)]
    outputs = iter(shown)
    now = EXAMPLE.sub(lambda match: f"```console\n$ {match['command']}\n{next(outputs)}```\n", page)
    if request.config.getoption("--update-golden"):
        PAGE.write_text(now)
    assert now == PAGE.read_text(), "it prints something else now; if that is right: pytest --update-golden"
    assert len(shown) > 5


def test_document_is_as_its_schema_says(node: Path, switch: DummySwitch) -> None:
    schema = json.loads((ROOT / "docs" / "apply.schema.json").read_text())
    for _ in range(2):
        document = json.loads(printed("ovsnp apply --quiet -o json", node, switch))
        jsonschema.Draft202012Validator(schema).validate(document)
        assert document.keys() == schema["properties"].keys()
