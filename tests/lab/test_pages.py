"""The examples of the pages that need a lab, run in order in one lab; `pytest --update-golden` writes them."""

import json
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import jsonschema
import pytest

from ovsnp.lab.journal import BASE_VARIABLE
from tests.support.checkout import ROOT
from tests.support.lab_commands import SMALL, run
from tests.support.lab_datapath import IN_KERNEL
from tests.support.shell import printed_by_shell

pytestmark = [
    pytest.mark.lab,
    pytest.mark.skipif(IN_KERNEL, reason="the pages show the userspace datapath"),
]

PAGES = ["lab.md", "troubleshooting.md"]
EXAMPLE = re.compile(r"```console\n\$ (?P<command>.*)\n(?P<output>(?:.*\n)*?)```\n")
VOLATILE = re.compile(r"\b(duration|lookup|matched|n_packets|n_bytes|idle_age|hard_age|sport|dport|state|id)=[\w.]+")
"""Values that differ in every run; the page has the values of the run that wrote it."""

Printed = Callable[[str], str]


@pytest.fixture
def printed(name: str, base: Path, tmp_path: Path) -> Iterator[Printed]:
    """The output of a command in a shell on node-1; the lab has its own name, and the output has the usual name."""
    program = tmp_path / "ovsnp"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m ovsnp "$@"\n')
    program.chmod(0o755)
    home = f"{base}/{name}"
    switch = f"{home}/nodes/node-1"
    environment = {
        "PATH": f"{tmp_path}:/usr/bin:/bin:/usr/sbin:/sbin",
        "PYTHONPATH": str(ROOT),
        BASE_VARIABLE: str(base),
        "OVS_RUNDIR": switch,
        "OVS_DBDIR": switch,
    }

    def show(command: str) -> str:
        line = re.sub(r"\bovsnp lab (\w+)", rf"ovsnp lab \1 --name {name}", command)
        line = line.replace("ovsnp trace --lab ", f"ovsnp trace --lab --name {name} ")
        line = line.replace("netns exec ovsnp-", f"netns exec {name}-")
        said = printed_by_shell(line, ROOT, environment, "bash")
        said = said.replace(f" --name {name}", "").replace(home, "/run/ovsnp-lab/ovsnp")
        return said.replace(f"{name}-", "ovsnp-").replace(f"lab {name}", "lab ovsnp")

    yield show
    run("down", "--name", name)


@pytest.mark.parametrize("page", PAGES)
def test_examples_are_what_is_printed(page: str, printed: Printed, request: pytest.FixtureRequest) -> None:
    text = (ROOT / "docs" / page).read_text()
    shown = [printed(match["command"]) for match in EXAMPLE.finditer(text)]
    outputs = iter(shown)
    now = EXAMPLE.sub(lambda match: f"```console\n$ {match['command']}\n{next(outputs)}```\n", text)
    if request.config.getoption("--update-golden") and steady(now) != steady(text):
        (ROOT / "docs" / page).write_text(now)
    written = (ROOT / "docs" / page).read_text()
    assert steady(now) == steady(written), "it prints something else now; if that is right: pytest --update-golden"
    assert len(shown) > 5


def test_document_is_as_its_schema_says(printed: Printed) -> None:
    schema = json.loads((ROOT / "docs" / "lab-test.schema.json").read_text())
    printed(f"ovsnp lab up -t {SMALL}")
    document = json.loads(printed("ovsnp lab test -o json"))
    jsonschema.Draft202012Validator(schema).validate(document)
    assert document.keys() == schema["properties"].keys()
    assert all(cell.keys() == schema["$defs"]["LabTestCell"]["properties"].keys() for cell in document["cells"])


def steady(text: str) -> str:
    return VOLATILE.sub(r"\1=", text)
