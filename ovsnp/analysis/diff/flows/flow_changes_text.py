"""The differences as a unified diff, in the notation of `compile`."""

from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import NamedTuple

from ovsnp.analysis.diff.flows.differences import Differences, FlowDifference, GroupDifference
from ovsnp.analysis.diff.flows.lines import after_line, before_line, bucket_lines
from ovsnp.apply.cut import EndpointConnections
from ovsnp.model.address import format_address


class DiffLine(NamedTuple):
    """One line; ``kind`` is ``-``, ``+``, a blank, ``@`` (the heading of a hunk) or ``=`` (the name of a side)."""

    kind: str
    text: str


def text_lines(bridge: str, found: Differences) -> Iterator[DiffLine]:
    """The whole text; empty if nothing differs."""
    if not found:
        return
    yield DiffLine("=", f"--- {bridge}, as it is")
    yield DiffLine("=", f"+++ {bridge}, as apply would leave it")
    if found.bridge:
        yield DiffLine("@", "@@ the bridge @@")
        yield from (DiffLine("+", f"+{words}") for words in found.bridge)
    for service, groups in groupby(found.groups, key=_service):
        yield DiffLine("@", f"@@ groups{f' of {service}' if service else ''} @@")
        for group in groups:
            yield from (DiffLine(sign, f"{sign}{text}") for sign, text in bucket_lines(group))
    for heading, flows in _hunks(found.flows):
        yield DiffLine("@", heading)
        yield from _changes(flows)
    if found.cut:
        yield DiffLine("@", "@@ open connections through Services, cut where there are any @@")
        yield from (DiffLine("-", f"-{_given(each)}") for each in found.cut)
    if found.forgotten:
        whose = "pods that are gone" if found.known else "unknown pods: there is no record of who held which address"
        yield DiffLine("@", f"@@ connections of {whose} @@")
        yield DiffLine("-", f"-{found.forgotten} forgotten")


def _service(difference: GroupDifference) -> str:
    return f"{difference.after.service} {difference.after.port}" if difference.after else ""


def _hunks(flows: Iterable[FlowDifference]) -> Iterator[tuple[str, list[FlowDifference]]]:
    """The flows of a table that serve the same rules, or else have the same note, with their heading."""
    hunks: dict[str, list[FlowDifference]] = {}
    for flow in flows:
        what = _what(flow)
        hunks.setdefault(f"@@ table {flow.table}, {flow.table_name}{f': {what}' if what else ''} @@", []).append(flow)
    return iter(hunks.items())


def _what(flow: FlowDifference) -> str:
    unknown = [f"{number:#010x}" for number in flow.unknown]
    if unknown:
        plural = "rules" if len(unknown) > 1 else "rule"
        gone = [f"{plural} {', '.join(unknown)}, of no policy in the manifests"]
    else:
        gone = []
    return "; ".join([*map(str, flow.rules), *gone]) or str(flow.note)


def _changes(flows: Iterable[FlowDifference]) -> Iterator[DiffLine]:
    """The flows that go, then the flows that change or come."""
    for flow in sorted(flows, key=lambda each: each.after is not None):
        for kind, text in (("-", before_line(flow)), ("+", after_line(flow))):
            if text is not None:
                yield DiffLine(kind, f"{kind}{text}")


def _given(each: EndpointConnections) -> str:
    address, endpoint = format_address(each.address), format_address(each.backend.address)
    where = f"to {address} port {each.port}/{each.protocol.lower()}"
    return f"{where}, which {endpoint} port {each.backend.port} serves"
