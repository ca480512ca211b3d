"""Lines fit the terminal; what somebody may copy stays one line, and a file gets a line for each answer."""

from pathlib import Path

import pytest

from tests.support.applying import ovsnp, policy
from tests.support.terminal import on_terminal

pytestmark = pytest.mark.usefixtures("workdir")

EXPLAIN = ("explain", "-f", "manifests", "frontend", "db", "443")


@pytest.mark.parametrize("columns", [60, 80])
def test_explain_fits(columns: int) -> None:
    written, shown = ovsnp(*EXPLAIN).out, on_terminal(columns, *EXPLAIN)
    assert max(map(len, written.splitlines())) > columns
    assert max(map(len, shown.splitlines())) <= columns
    assert shown.split() == written.split()


def test_explain_indents_the_rest_of_a_line_below_it() -> None:
    lines = on_terminal(50, *EXPLAIN).splitlines()
    (place,) = (number for number, line in enumerate(lines) if line.startswith("      default/to-db"))
    assert lines[place + 1].startswith(" " * 10)
    assert lines[place + 1][10] != " "


@pytest.mark.parametrize("command", [EXPLAIN, ("matrix", "-f", "manifests")])
def test_wide_and_tiny_terminals_get_the_lines_as_they_are(command: tuple[str, ...]) -> None:
    assert on_terminal(500, *command) == on_terminal(4, *command) == ovsnp(*command).out


def test_matrix_wraps_its_last_column_below_itself() -> None:
    lines = on_terminal(60, "matrix", "-f", "manifests").splitlines()
    start = lines[0].index("TO")
    assert max(map(len, lines)) <= 60
    assert any(line[:start].isspace() and line[start] != " " for line in lines)
    joined = " ".join(line[start:] for line in lines).split()
    assert joined == " ".join(line[start:] for line in ovsnp("matrix", "-f", "manifests").out.splitlines()).split()


def test_diff_effect_fits(workdir: Path) -> None:
    (workdir / "new.yaml").write_text(policy("other", 8080))
    command = ("diff", "--effect", "-f", "manifests/cluster.yaml", "manifests/policy.yaml", "new.yaml")
    written, shown = ovsnp(*command).out, on_terminal(40, *command)
    assert max(map(len, written.splitlines())) > 40
    assert max(map(len, shown.splitlines())) <= 40
    assert shown.split() == written.split()
