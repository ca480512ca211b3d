"""A folder for each check: manifests with findings, marked ``# FOUND`` at the line, and near misses.

``findings.txt`` is the output, word for word; ``pytest tests/lint --update-golden`` writes it.
"""

import json
from pathlib import Path

import pytest

from ovsnp.analysis.lint import CHECKS
from ovsnp.analysis.lint.registry import UNUSED_IGNORE
from tests.support.applying import Answer, ovsnp

CASES = Path(__file__).parent / "cases"


def run(case: str, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> Answer:
    """Lint the case with its check alone; for unused ignores with all checks, as an ignore is of another check."""
    monkeypatch.chdir(CASES / case)
    selected = () if case == UNUSED_IGNORE else ("--select", case)
    files = ("-f", "../../cluster.yaml", "-f", "policies.yaml")
    return ovsnp("lint", *files, "--fail-on", "notice", *selected, *arguments)


def test_every_check_has_a_case() -> None:
    assert {folder.name for folder in CASES.iterdir()} == set(CHECKS)


@pytest.mark.parametrize("case", CHECKS)
def test_finds_what_is_marked_and_nothing_else(case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = (CASES / case / "policies.yaml").read_text().splitlines()
    marked = [number for number, line in enumerate(lines, 1) if line.endswith("# FOUND")]
    answer = run(case, monkeypatch, "-o", "json")
    found = [each for each in json.loads(answer.out)["findings"] if each["file"] == "policies.yaml"]
    assert [each["line"] for each in found] == marked
    assert {each["check"] for each in found} == {case}
    assert marked
    assert answer.code == 1


@pytest.mark.parametrize("case", CHECKS)
def test_says_what_is_written(case: str, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    said = run(case, monkeypatch).out
    golden = CASES / case / "findings.txt"
    if request.config.getoption("--update-golden"):
        golden.write_text(said)
    assert said == golden.read_text(), "says otherwise now; if that is right: pytest --update-golden"
