"""The ports that one end may open to another, as text: the ports, then both sides with their rules."""

from collections.abc import Iterator, Sequence

from rich.text import Text

from ovsnp.analysis.explain.openings.openings import Opening, OpenSide, Ranges, openings_differ
from ovsnp.analysis.explain.reasons import Outcome
from ovsnp.analysis.explain.side_text import (
    NO_POD,
    NOBODY,
    STYLES,
    UNDELIVERED,
    WHO,
    address_lines,
    admitting_lines,
    isolation_lines,
    nearest_lines,
)
from ovsnp.analysis.naming.ends import name_of
from ovsnp.analysis.naming.questions import Pairs
from ovsnp.analysis.wording.places import Places
from ovsnp.analysis.wording.traffics import Names, ports_words
from ovsnp.model.policy import Direction

_SHORT = 2
"""At most this many denied ranges are written with their numbers; more are called all other ports."""


def opening_lines(pairs: Pairs, openings: Sequence[Opening], places: Places) -> Iterator[Text]:
    """The whole text; families with the same text are together, and so are pods with the same ports.

    Where several pods differ, the text begins with the answers and the pods that have them.
    """
    differing = pairs.several and openings_differ(openings)
    groups = _alike(openings, pairs, places)
    if differing:
        yield from _differing(pairs, groups)
    for number, alike in enumerate(groups):
        if number or differing:
            yield Text()
        names = _names(alike[0]) if differing else f"{pairs.source} to {pairs.destination}"
        yield from _headings(names, alike[0])
        if pairs.several and not differing:
            yield Text(f"  all {_count(alike)} pairs of addresses, such as {_names(alike[0])}")
        for each in alike[:1] if pairs.several else alike:
            yield from address_lines(each.source, each.destination)
        yield from _body(alike[0], places)


def _alike(openings: Sequence[Opening], pairs: Pairs, places: Places) -> list[list[Opening]]:
    """The openings in groups, in order: those that differ in addresses only; for several pods, those of equal ports."""
    found: dict[tuple[str, ...], list[Opening]] = {}
    for each in openings:
        if pairs.several:
            said = [*_parts(each.ranges, {}).values()]
        else:
            said = [*_parts(each.ranges, each.names).values(), *(line.plain for line in _body(each, places))]
        found.setdefault(tuple(said), []).append(each)
    return list(found.values())


def _differing(pairs: Pairs, groups: Sequence[Sequence[Opening]]) -> Iterator[Text]:
    """A line that says that the pods differ, then a line with an example of each answer."""
    line = Text(f"{Outcome.MIXED.upper():7}  ", style=STYLES[Outcome.MIXED])
    yield line.append(f"{pairs.source} to {pairs.destination}: some pods differ", style="bold")
    asked = sum(map(_count, groups))
    for alike in groups:
        ports = ports_words(alike[0].ranges.allowed, alike[0].names)
        line = Text(f"  {_count(alike)} of {asked} pairs of addresses: {ports} ")
        yield line.append(Outcome.ALLOWED, style=STYLES[Outcome.ALLOWED]).append(f", such as {_names(alike[0])}")


def _count(alike: Sequence[Opening]) -> int:
    return sum(each.alike for each in alike)


def _names(opening: Opening) -> str:
    return f"{name_of(opening.source)} to {name_of(opening.destination)}"


def _headings(names: str, opening: Opening) -> Iterator[Text]:
    """A line for the allowed ports, and one for the denied ports."""
    for decided, ports in _parts(opening.ranges, opening.names).items():
        line = Text(f"{decided.upper():7}  ", style=STYLES[decided])
        yield line.append(f"{names}, {ports}", style="bold")


def _parts(ranges: Ranges, names: Names) -> dict[Outcome, str]:
    """The allowed ports and the denied ports in words; an empty part is left out."""
    parts = {Outcome.ALLOWED: ranges.allowed, Outcome.DENIED: ranges.denied}
    words = {decided: ports_words(ports, names) for decided, ports in parts.items() if ports}
    if len(words) > 1 and sum(map(len, ranges.denied.values())) > _SHORT:
        words[Outcome.DENIED] = "all other ports"
    return words


def _body(opening: Opening, places: Places) -> Iterator[Text]:
    if opening.nobody:
        yield Text(f"  {NOBODY[opening.nobody]}")
        return
    if opening.undelivered:
        yield Text(UNDELIVERED)
    for direction, side in ((Direction.EGRESS, opening.egress), (Direction.INGRESS, opening.ingress)):
        yield from _side(direction, side, opening, places)


def _side(direction: Direction, side: OpenSide, opening: Opening, places: Places) -> Iterator[Text]:
    line = Text(f"  {direction.section} of the {WHO[direction]}: ")
    for number, (decided, ports) in enumerate(_parts(side.ranges, opening.names).items()):
        line.append(f"{'; ' if number else ''}{ports} ").append(decided, style=STYLES[decided])
    yield line
    if side.pod is None:
        yield Text(NO_POD.format(direction=direction.section))
        return
    yield from isolation_lines(direction, side.isolated_by, opening.exempt, places)
    for rule in side.rules:
        yield from admitting_lines(rule.admitting, places)
    if not side.ranges.allowed:
        yield from nearest_lines(direction, side.isolated_by, side.nearest, places)
