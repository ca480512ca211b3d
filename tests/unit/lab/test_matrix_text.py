"""The measured matrix as text and as JSON."""

import msgspec

from ovsnp.lab.matrix import Matrix, MeasuredCell
from ovsnp.lab.matrix_json import document
from ovsnp.lab.matrix_text import report
from ovsnp.lab.probes import Result
from tests.unit.lab.builders import HTTP, REDIS, cells, host, matrix

A = host("default/a", "10.0.0.2", "fd00::2")
B = host("default/b", "10.0.0.3", "fd00::3")
C = host("other/c", "10.0.0.4", "fd00::4")
HOSTS = [A, B, C]
ALL = {(one.name, other.name) for one in HOSTS for other in HOSTS if one != other}


def text(now: Matrix, before: Matrix | None = None) -> str:
    return "\n".join(line.plain for line in report(now, before))


def test_traffic_that_fares_alike_shares_a_grid() -> None:
    assert text(matrix(HOSTS, {REDIS: ALL, HTTP: ALL})) == (
        "6379/tcp, 80/tcp\n"
        "             12 3\n"
        " 1 default/a  + +\n"
        " 2 default/b +  +\n"
        " 3 other/c   ++\n"
        "+ connects\n"
        "\n"
        "24 passed, 0 failed"
    )


def test_a_grid_marks_what_changed() -> None:
    before = matrix(HOSTS, {REDIS: {("default/a", "default/b")}})
    after = matrix(HOSTS, {REDIS: {("default/b", "default/a")}})
    assert text(after, before).splitlines()[2:6] == [
        " 1 default/a  x .",
        " 2 default/b o  .",
        " 3 other/c   ..",
        ". does not   x no longer   o newly",
    ]


def test_families_that_differ_are_told_apart() -> None:
    ipv4, ipv6 = cells(A, B, connected=True)
    silent = MeasuredCell(ipv6.case, False, Result("silence"))
    assert " 1 default/a  4" in text(Matrix((A, B), (REDIS,), (ipv4, silent)))


def test_what_is_not_as_expected_is_marked_named_and_counted() -> None:
    ipv4, ipv6 = cells(A, B, connected=True)
    bad = Matrix((A, B), (REDIS,), (msgspec.structs.replace(ipv4, result=Result("silence")), ipv6))
    shown = text(bad).splitlines()
    assert " 1 default/a  !" in shown
    assert shown[-2:] == [
        "FAILED default/a (10.0.0.2) to default/b (10.0.0.3) 6379/tcp: must connect, but: silence",
        "1 passed, 1 failed",
    ]


def test_json_has_every_cell() -> None:
    made = msgspec.to_builtins(document(matrix([A, B], {REDIS: {("default/a", "default/b")}}), "x"))
    assert (made["lab"], made["passed"], made["failed"], len(made["cells"])) == ("x", 4, 0, 4)
    assert made["cells"][0] == {
        "source": "default/a",
        "sourceAddress": "10.0.0.2",
        "destination": "default/b",
        "destinationAddress": "10.0.0.3",
        "protocol": "TCP",
        "port": 6379,
        "allowed": True,
        "outcome": "connected",
        "seen": "10.0.0.2",
        "passed": True,
    }


def test_lines_of_a_grid_never_break() -> None:
    _, *grid, legend, _, _ = report(matrix(HOSTS, {REDIS: ALL}))
    assert [line.no_wrap for line in grid] == [True] * (1 + len(HOSTS))
    assert not legend.no_wrap
