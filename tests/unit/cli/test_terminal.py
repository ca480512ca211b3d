"""Lines fit the terminal; a part that a reader may copy stays one line, and a file gets one line for each answer."""

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


def test_verify_fits_but_what_somebody_may_copy_stays_one_line(workdir: Path) -> None:
    lines = ovsnp("compile", "-f", "manifests", "--node", "node-1").out.splitlines(keepends=True)
    (workdir / "flows.txt").write_text("".join(line for line in lines if "nw_src=10.20.2.11" not in line))
    command = ("verify", "-f", "manifests", "--node", "node-1", "--flows", "flows.txt", "--most", "1")
    written, shown = ovsnp(*command).out, on_terminal(50, *command)
    assert shown.split() == written.split()
    over = [line for line in shown.splitlines() if len(line) > 50]
    assert all(line.startswith(("  packet: ", "    cookie=", "  see it: ")) for line in over)
    assert any(line.startswith("  see it: ovs-appctl ofproto/trace br-int 'tcp,") for line in over)
    assert set(over) <= set(written.splitlines())


def test_lines_of_a_lab_fit() -> None:
    shown = on_terminal(30, "lab", "down", "--name", "nowhere")
    assert shown == "there is no lab nowhere;\n    nothing to take away\n"


def test_diff_effect_fits(workdir: Path) -> None:
    (workdir / "new.yaml").write_text(policy("other", 8080))
    command = ("diff", "--effect", "-f", "manifests/cluster.yaml", "manifests/policy.yaml", "new.yaml")
    written, shown = ovsnp(*command).out, on_terminal(40, *command)
    assert max(map(len, written.splitlines())) > 40
    assert max(map(len, shown.splitlines())) <= 40
    assert shown.split() == written.split()


NOWHERE = "{apiVersion: v1, kind: Pod, metadata: {name: nowhere}, spec: {nodeName: gone}, status: {podIP: 10.20.7.9}}"
WRONG = "{apiVersion: v1, kind: Pod, metadata: {name: wrong}, spec: {nodeName: node-1}, status: {podIP: 10.20.7}}"


@pytest.mark.parametrize(
    ("more", "command"),
    [
        (NOWHERE, ("compile", "-f", "manifests", "--node", "node-1")),
        (WRONG, ("lint", "-f", "manifests")),
        ("", ("explain", "-f", "manifests", "frontent", "db")),
        ("", ("explain", "-f", "manifests", "frontend", "db", "--ipv9")),
    ],
    ids=["note", "mistake", "usage", "option"],
)
def test_standard_error_fits_its_own_terminal(workdir: Path, more: str, command: tuple[str, ...]) -> None:
    (workdir / "manifests/more.yaml").write_text(more)
    written, shown = (on_terminal(room, *command, stream="stderr") for room in (500, 50))
    assert max(map(len, written.splitlines())) > 50
    assert max(map(len, shown.splitlines())) <= 50
    assert shown.split() == written.split()
    assert on_terminal(4, *command, stream="stderr") == written
