"""The page on lint has the output and the checks of lint."""

import re
from pathlib import Path

import pytest

from ovsnp.analysis.lint import CHECKS
from tests.support.applying import ovsnp

HERE = Path(__file__).parent
PAGE = (HERE.parents[1] / "docs" / "lint.md").read_text()


def test_example_is_what_comes_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    manifests, said = re.findall(r"```yaml\n(.*?)```.*?```console\n\$ [^\n]*\n(.*?)```", PAGE, re.DOTALL)[0]
    Path("cluster.yaml").write_text((HERE / "cluster.yaml").read_text())
    Path("policies.yaml").write_text(manifests)
    answer = ovsnp("lint", "-f", "cluster.yaml", "-f", "policies.yaml")
    assert answer.out + answer.err == said


def test_table_has_every_check_with_its_sentences_and_a_finding_of_its_case() -> None:
    rows = re.findall(r"^\| \[`([a-z-]+)`\]\((\S+)\) \| ([a-z]+) \| (.*) \| (.*) \|$", PAGE, re.MULTILINE)
    assert [row[0] for row in rows] == list(CHECKS)
    for name, link, severity, said, example in rows:
        assert (HERE.parents[1] / "docs" / link).is_file()
        assert severity == CHECKS[name].severity
        assert said == f"{CHECKS[name].what} {CHECKS[name].why}"
        assert f": {example}\n" in (HERE / "cases" / name / "findings.txt").read_text()
