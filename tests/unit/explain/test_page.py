"""The examples of docs/explain.md are what the command prints; `pytest --update-golden` writes them."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "docs" / "explain.md"
EXAMPLE = re.compile(r"<!-- in (?P<folder>[a-z0-9-]+) -->\n```console\n\$ (?P<command>.*)\n(?P<output>(?:.*\n)*?)```\n")
EXAMPLES = [(match["folder"], match["command"]) for match in EXAMPLE.finditer(PAGE.read_text())]


def printed(folder: str, command: str) -> str:
    """What a shell shows of the command, in that folder of the golden cases."""
    line = command.replace("ovsnp ", f"{sys.executable} -m ovsnp ", 1)
    done = subprocess.run(
        [shutil.which("sh") or "sh", "-c", line],
        cwd=ROOT / "tests" / "golden" / folder,
        env={"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=60,
    )
    return done.stdout


@pytest.mark.parametrize(("folder", "command"), EXAMPLES)
def test_example_is_what_the_command_prints(folder: str, command: str, request: pytest.FixtureRequest) -> None:
    shown = printed(folder, command)
    if request.config.getoption("--update-golden"):
        page = PAGE.read_text()
        match = next(each for each in EXAMPLE.finditer(page) if (each["folder"], each["command"]) == (folder, command))
        PAGE.write_text(page[: match.start("output")] + shown + page[match.end("output") :])
    match = next(
        each for each in EXAMPLE.finditer(PAGE.read_text()) if (each["folder"], each["command"]) == (folder, command)
    )
    assert shown == match["output"], "it prints something else now; if that is right: pytest --update-golden"


def test_page_has_examples() -> None:
    assert len(EXAMPLES) > 10
    assert PAGE.read_text().count("```console") == len(EXAMPLES)
