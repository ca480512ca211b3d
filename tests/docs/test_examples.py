"""The examples of the pages are the output of the commands; `pytest --update-golden` writes them."""

import re
import sys
from pathlib import Path

import pytest

from tests.support.checkout import ROOT
from tests.support.shell import printed_by_shell

PAGES = [
    "../README.md",
    "check.md",
    "compile.md",
    "diff.md",
    "explain.md",
    "manifests.md",
    "matrix.md",
    "mtu.md",
    "semantics.md",
    "verify.md",
]
ELSEWHERE = "<!-- on the bridge: "
"""The mark before examples that need Open vSwitch; tests/ovs runs these."""
EXAMPLE = re.compile(r"<!-- in (?P<folder>[a-z0-9-]+) -->\n```console\n\$ (?P<command>.*)\n(?P<output>(?:.*\n)*?)```\n")


def text_of(page: str) -> str:
    return (ROOT / "docs" / page).read_text()


EXAMPLES = [(page, match["folder"], match["command"]) for page in PAGES for match in EXAMPLE.finditer(text_of(page))]


def printed(folder: str, command: str, tmp_path: Path) -> str:
    """The output of the command in a shell, in that folder of the golden cases, without Open vSwitch."""
    (tmp_path / "ovsnp").write_text(f'#!/bin/sh\nexec {sys.executable} -m ovsnp "$@"\n')
    (tmp_path / "ovsnp").chmod(0o755)
    return printed_by_shell(
        command,
        ROOT / "tests" / "golden" / folder,
        {"PATH": f"{tmp_path}:/usr/bin:/bin", "PYTHONPATH": str(ROOT), "OVS_RUNDIR": str(tmp_path)},
    )


def example(page: str, folder: str, command: str) -> re.Match[str]:
    """The match of the example in the page."""
    return next(
        each for each in EXAMPLE.finditer(text_of(page)) if (each["folder"], each["command"]) == (folder, command)
    )


@pytest.mark.parametrize(("page", "folder", "command"), EXAMPLES)
def test_example_is_what_the_command_prints(
    page: str, folder: str, command: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    shown = printed(folder, command, tmp_path)
    if request.config.getoption("--update-golden"):
        match, text = example(page, folder, command), text_of(page)
        (ROOT / "docs" / page).write_text(text[: match.start("output")] + shown + text[match.end("output") :])
    found = example(page, folder, command)["output"]
    assert shown == found, "it prints something else now; if that is right: pytest --update-golden"


@pytest.mark.parametrize("page", PAGES)
def test_page_has_examples_and_no_others(page: str) -> None:
    shown = text_of(page).count("```console") - text_of(page).count(ELSEWHERE)
    assert [each[0] for each in EXAMPLES].count(page) == shown > 0


def test_check_page_shows_the_file_that_its_examples_read() -> None:
    expectations = (ROOT / "tests" / "golden" / "ingress-pod-selector" / "connectivity.yaml").read_text()
    assert f"```yaml\n{expectations}```\n" in text_of("check.md")
