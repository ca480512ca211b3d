"""The matrix as text: one grid for all traffic with the same results."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import groupby

from rich.text import Text

from ovsnp.analysis.wording.ports import traffic_name
from ovsnp.lab.hosts import Host
from ovsnp.lab.matrix import Matrix, MeasuredCell
from ovsnp.model.address import FAMILIES, family, format_address
from ovsnp.oracle import Traffic

ALL, NONE, SOME, FAILED, LOST, GAINED, UNTRIED = "+.~!xo "
STYLES = {
    UNTRIED: "",
    ALL: "green",
    NONE: "dim",
    SOME: "yellow",
    FAILED: "bold red",
    LOST: "bold red",
    GAINED: "bold green",
}
LEGEND = {
    ALL: "connects",
    NONE: "does not",
    "4": "by IPv4 only",
    "6": "by IPv6 only",
    SOME: "by some addresses only",
    FAILED: "not as expected",
    LOST: "no longer",
    GAINED: "newly",
}
FAILURES_SHOWN = 40

Pair = tuple[Host, Host]
Marks = Mapping[Pair, str]


def report(matrix: Matrix, previous: Matrix | None = None) -> Iterator[Text]:
    """The grids, then the cells that are not as expected, then ``N passed, N failed``.

    With ``previous``, cells that changed since then have a mark of their own.
    """
    for traffics, marks in _alike(matrix, previous):
        yield Text(", ".join(map(traffic_name, traffics)), style="bold")
        yield from _grid(matrix.hosts, marks)
        yield _legend(marks)
        yield Text()
    yield from _failures(matrix.failed)
    yield summary(matrix)


def summary(matrix: Matrix) -> Text:
    """``N passed, N failed``."""
    failed = len(matrix.failed)
    return Text(f"{len(matrix.cells) - failed} passed, {failed} failed", style="bold red" if failed else "green")


def marks(matrix: Matrix, traffic: Traffic, versions: Collection[int] = FAMILIES) -> dict[Pair, str]:
    """One character for every pair that was tried over these IP versions."""
    cells: dict[Pair, list[MeasuredCell]] = {}
    for cell in matrix.cells:
        if cell.case.traffic == traffic and family(cell.case.source_address) in versions:
            cells.setdefault((cell.case.source, cell.case.destination), []).append(cell)
    return {pair: _mark(of_pair) for pair, of_pair in cells.items()}


def _mark(cells: Sequence[MeasuredCell]) -> str:
    if not all(cell.passed for cell in cells):
        return FAILED
    outcomes = {(family(cell.case.destination_address), cell.result.connected) for cell in cells}
    connected, silent = {f for f, yes in outcomes if yes}, {f for f, yes in outcomes if not yes}
    if connected & silent:
        return SOME
    if connected and silent:
        return str(connected.pop())
    return ALL if connected else NONE


def changed(now: str, before: str | None) -> str:
    """The mark to show: LOST or GAINED where the connection changed since ``before``, else ``now``."""
    return {(NONE, ALL): LOST, (ALL, NONE): GAINED}.get((now, before or now), now)


def _alike(matrix: Matrix, previous: Matrix | None) -> list[tuple[list[Traffic], Marks]]:
    found: list[tuple[list[Traffic], Marks]] = []
    for traffic in matrix.traffics:
        before = marks(previous, traffic) if previous else {}
        own = {pair: changed(mark, before.get(pair)) for pair, mark in marks(matrix, traffic).items()}
        for traffics, seen in found:
            if seen == own:
                traffics.append(traffic)
                break
        else:
            found.append(([traffic], own))
    return found


def _grid(hosts: Sequence[Host], marks: Marks) -> Iterator[Text]:
    """Rows are sources, columns destinations, both numbered; a space separates groups of columns. Lines do not wrap."""
    width = max(len(host.name) for host in hosts) + 4
    for digit in (10, 1) if len(hosts) >= 10 else (1,):
        numbers = (str(number // digit % 10) if number >= digit else " " for number in range(1, len(hosts) + 1))
        yield Text(" " * width + _spaced(hosts, numbers), style="dim", no_wrap=True)
    for number, source in enumerate(hosts, start=1):
        row = Text(f"{number:>2} {source.name}".ljust(width), no_wrap=True)
        cells = _spaced(hosts, (marks.get((source, destination), UNTRIED) for destination in hosts))
        for mark, run in groupby(cells):
            row.append("".join(run), style=STYLES.get(mark, "yellow"))
        row.rstrip()
        yield row


def _spaced(hosts: Sequence[Host], characters: Iterable[str]) -> str:
    parts = []
    last = None
    for host, character in zip(hosts, characters, strict=True):
        parts.append(" " + character if last not in (None, host.group) else character)
        last = host.group
    return "".join(parts)


def _legend(marks: Marks) -> Text:
    there = set(marks.values())
    return Text("   ".join(f"{mark} {meaning}" for mark, meaning in LEGEND.items() if mark in there), style="dim")


def _failures(cells: Sequence[MeasuredCell]) -> Iterator[Text]:
    for cell in cells[:FAILURES_SHOWN]:
        yield Text(failure(cell), style="red")
    if len(cells) > FAILURES_SHOWN:
        yield Text(f"and {len(cells) - FAILURES_SHOWN} more; -o json has all of them", style="red")


def failure(cell: MeasuredCell) -> str:
    """A sentence about a cell whose result is not as expected."""
    case = cell.case
    ends = (
        f"{case.source.name} ({format_address(case.source_address)}) to "
        f"{case.destination.name} ({format_address(case.destination_address)}) {traffic_name(case.traffic)}"
    )
    if not cell.allowed:
        return f"FAILED {ends}: must not connect, but: {cell.result.outcome}"
    if not cell.result.connected:
        return f"FAILED {ends}: must connect, but: {' '.join([cell.result.outcome, cell.result.seen]).strip()}"
    return f"FAILED {ends}: connects, but the server saw it come from {cell.result.seen}"
