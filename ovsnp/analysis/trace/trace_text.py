"""A path as text: the fate of the packet first, then each bridge table by table, then whether explain agrees."""

from collections.abc import Iterator, Sequence

from rich.text import Text

from ovsnp.analysis.naming.questions import Connection, Question
from ovsnp.analysis.trace.agreement import Traced
from ovsnp.analysis.trace.packet_path import Fate
from ovsnp.analysis.trace.steps import TraceStep
from ovsnp.analysis.trace.stretch import Stretch
from ovsnp.analysis.trace.translation import header
from ovsnp.analysis.wording.ports import traffic_name
from ovsnp.model.address import format_address

_STYLES = {
    Fate.DELIVERED: "bold green",
    Fate.DROPPED: "bold red",
    Fate.ASTRAY: "bold red",
    Fate.UNFINISHED: "bold yellow",
}
_ASIDE = "dim"
_LOUD = "bold white on red"
_COLUMN = max(len("EgressServicePeer"), len("NeighborAdvertisement")) + 2


def lines(question: Question, ways: Sequence[Traced], source_port: int, *, raw: bool = False) -> Iterator[Text]:
    """The whole text; ``raw`` adds the output of ``ofproto/trace`` after each bridge's steps."""
    for number, traced in enumerate(ways):
        if number:
            yield Text()
        yield from _heading(question, traced, source_port)
        for stretch, steps in zip(traced.way.stretches, traced.steps, strict=True):
            yield Text()
            yield from _bridge(stretch, steps)
            if raw:
                yield from _raw(stretch)
        yield Text()
        yield from _end(traced)


def _heading(question: Question, traced: Traced, source_port: int) -> Iterator[Text]:
    connection, fate = traced.answer.connection, traced.way.fate
    line = Text(f"{fate.upper()}  ", style=_STYLES[fate])
    named = f"{question.source} to {question.destination}, {traffic_name(connection.traffic)}"
    yield line.append(named, style="bold")
    yield Text(f"  {_ends(connection, source_port)}: the first packet of a new connection", style=_ASIDE)


def _ends(connection: Connection, source_port: int) -> str:
    source, destination = format_address(connection.source.address), format_address(connection.destination.address)
    port = f", port {source_port}," if connection.traffic.protocol else ""
    return f"{source}{port} to {destination}"


def _bridge(stretch: Stretch, steps: Sequence[TraceStep]) -> Iterator[Text]:
    node = stretch.node
    where = f"node {node.name}, bridge {node.bridge}" if node.name else f"bridge {node.bridge}"
    yield Text(f"  {where}, in by {node.port_name(stretch.in_port)}", style="bold")
    if came := header(stretch):
        yield Text(f"    {came}", style=_ASIDE)
    for step in steps:
        yield from _step(step)


def _step(step: TraceStep) -> Iterator[Text]:
    visit = step.visit
    name = f"{'  ' * visit.depth}{step.table}"
    line = Text(f"    {visit.table:>3} {name:<{_COLUMN}}")
    yield line.append(step.words, style="" if step.ours else _LOUD)
    if visit.found:
        flow = ",".join(filter(None, (f"priority={visit.priority}", visit.match)))
        yield Text(f"        {'':<{_COLUMN}}{flow}", style=_ASIDE, no_wrap=True)


def _raw(stretch: Stretch) -> Iterator[Text]:
    yield Text()
    yield Text(f"    ovs-appctl ofproto/trace {stretch.node.bridge} '{stretch.packet}'", style="bold", no_wrap=True)
    for line in stretch.text.splitlines():
        yield Text(f"    | {line}" if line else "    |", style=_ASIDE, no_wrap=True)


def _end(traced: Traced) -> Iterator[Text]:
    way = traced.way
    if way.before:
        yield Text(
            f"  what happens before, on node {way.before}, is left out; give its database too: --db {way.before}=SOCKET"
        )
    yield Text(f"  {way.fate}: ", style=_STYLES[way.fate]).append(way.words, style="")
    if traced.agrees:
        yield Text(f"  {_agreement(traced)} (ovsnp explain)", style=_ASIDE)
        return
    yield Text(f"  DISAGREES with ovsnp explain, which says {traced.answer.outcome}:", style=_LOUD)
    for sentence in traced.against:
        yield Text(f"    {sentence}", style="red")


def _agreement(traced: Traced) -> str:
    if not traced.way.before and not traced.way.rest:
        return "the policies say the same"
    side = "destination" if traced.way.before else "source"
    return f"on the {side}'s side, the policies say the same, and of the whole way: {traced.answer.outcome}"
