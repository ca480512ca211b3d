"""An explanation as text: first the outcome, then both sides with their reasons."""

from collections.abc import Iterator, Sequence

from rich.text import Text

from ovsnp.analysis.explain.reasons import BackendVerdict, Explanation, Outcome, Reasons, outcome
from ovsnp.analysis.explain.side_text import (
    NO_POD,
    NOBODY,
    PLACE,
    STYLES,
    UNDELIVERED,
    WHO,
    address_lines,
    admitting_lines,
    indented,
    isolation_lines,
    nearest_lines,
)
from ovsnp.analysis.naming.ends import name_of
from ovsnp.analysis.naming.questions import Connection, Question
from ovsnp.analysis.wording.places import Places
from ovsnp.analysis.wording.ports import traffic_name
from ovsnp.model.policy import Direction
from ovsnp.oracle import Traffic

_REPLIES = {
    True: "  Replies, and errors about it, are allowed with it.",
    False: "  Replies to connections that the destination opens to the source are allowed with these.",
}


def lines(question: Question, answers: Sequence[Explanation], places: Places) -> Iterator[Text]:
    """The whole text; connections and backends with the same text are together.

    Where the question has several pods and these differ, the text begins with the answers and the pods that have them.
    """
    differing = [answer for answer in answers if answer.alike < answer.asked]
    for ports in dict.fromkeys(answer.connection.traffic for answer in differing):
        yield from _differing(question, ports, [each for each in differing if each.connection.traffic == ports])
    for number, alike in enumerate(_alike(answers, places)):
        if number or differing:
            yield Text()
        yield from _heading(question, alike)
        yield from _body(alike[0], places)
        if not alike[0].nobody:
            yield Text(_REPLIES[alike[0].outcome is not Outcome.DENIED], style=PLACE)


def _alike(answers: Sequence[Explanation], places: Places) -> list[list[Explanation]]:
    """The answers, in order; answers that differ in addresses only are together."""
    found: dict[tuple[str, ...], list[Explanation]] = {}
    for answer in answers:
        said = (traffic_name(answer.connection.traffic), *(line.plain for line in _body(answer, places)))
        found.setdefault(said, []).append(answer)
    return list(found.values())


def _differing(question: Question, traffic: Traffic, answers: Sequence[Explanation]) -> Iterator[Text]:
    """A line that says that the pods differ, then a line with an example of each answer."""
    line = Text(f"{Outcome.MIXED.upper()}  ", style=STYLES[Outcome.MIXED])
    named = f"{question.source} to {question.destination}, {traffic_name(traffic)}"
    yield line.append(f"{named}: some pods differ", style="bold")
    for each in answers:
        count = Text(f"  {each.alike} of {each.asked} connections ").append(each.outcome, style=STYLES[each.outcome])
        yield count.append(f", such as {' to '.join(_names(each.connection))}")


def _heading(question: Question, answers: Sequence[Explanation]) -> Iterator[Text]:
    decided = outcome([answer.outcome for answer in answers])
    line = Text(f"{decided.upper()}  ", style=STYLES[decided])
    first = answers[0]
    alike = first.alike == first.asked
    ends = (question.source, question.destination) if alike else _names(first.connection)
    line.append(f"{' to '.join(ends)}, {traffic_name(first.connection.traffic)}", style="bold")
    yield line
    if alike and question.several:
        yield Text(f"  all {first.asked} connections, such as {' to '.join(_names(first.connection))}")
    for connection in (answer.connection for answer in answers):
        yield from address_lines(connection.source, connection.destination)


def _names(connection: Connection) -> tuple[str, str]:
    return name_of(connection.source), name_of(connection.destination)


def _body(answer: Explanation, places: Places) -> Iterator[Text]:
    if answer.nobody:
        yield Text(f"  {NOBODY[answer.nobody]}")
        return
    through = answer.ways[0].query.via is not None
    for text, ways in _together(answer.ways, places):
        if through:
            yield _backends(ways)
        yield from (indented(line, 2 if through else 0) for line in text)


def _together(ways: Sequence[BackendVerdict], places: Places) -> list[tuple[list[Text], list[BackendVerdict]]]:
    """The ways, in order; ways with the same text are together."""
    found: dict[tuple[str, ...], tuple[list[Text], list[BackendVerdict]]] = {}
    for way in ways:
        text = [*_way(way, places)]
        found.setdefault(tuple(line.plain for line in text), (text, []))[1].append(way)
    return list(found.values())


def _backends(ways: Sequence[BackendVerdict]) -> Text:
    decided = Outcome.ALLOWED if ways[0].verdict.allowed else Outcome.DENIED
    names = ", ".join(f"{name_of(way.query.destination)} at {traffic_name(way.query.traffic)}" for way in ways)
    line = Text(f"  backend{'' if len(ways) == 1 else 's'} {names}: ")
    return line.append(decided, style=STYLES[decided])


def _way(way: BackendVerdict, places: Places) -> Iterator[Text]:
    if way.verdict.undelivered:
        yield Text(UNDELIVERED)
    for direction, reasons in ((Direction.EGRESS, way.egress), (Direction.INGRESS, way.ingress)):
        yield from _side(direction, reasons, places)


def _side(direction: Direction, reasons: Reasons, places: Places) -> Iterator[Text]:
    side = reasons.side
    decided = Outcome.ALLOWED if side.allowed else Outcome.DENIED
    yield Text(f"  {direction.section} of the {WHO[direction]}: ").append(decided, style=STYLES[decided])
    if reasons.pod is None:
        yield Text(NO_POD.format(direction=direction.section))
        return
    yield from isolation_lines(direction, side.isolated_by, side.exempt, places)
    for admitting in reasons.admitting:
        yield from admitting_lines(admitting, places)
    if not side.allowed:
        yield from nearest_lines(direction, side.isolated_by, reasons.nearest, places)
