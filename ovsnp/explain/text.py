"""An explanation for people: what is decided first, then each side with its reasons."""

from collections.abc import Iterator, Sequence

from rich.text import Text

from ovsnp.errors import Span
from ovsnp.explain.ends import name_of
from ovsnp.explain.nearest import Miss
from ovsnp.explain.needs import Change, need_words
from ovsnp.explain.places import Places
from ovsnp.explain.ports import traffic_name
from ovsnp.explain.questions import Connection, Question
from ovsnp.explain.reasons import Admitting, Answer, Nobody, Outcome, Reasons, Way, outcome
from ovsnp.explain.words import peer_words_in, port_words
from ovsnp.model.policy import Direction
from ovsnp.model.unassigned import assigned_text
from ovsnp.verify import Exemption

_STYLES = {Outcome.ALLOWED: "bold green", Outcome.DENIED: "bold red", Outcome.MIXED: "bold yellow"}
_PLACE = "dim"
_WHO = {Direction.EGRESS: "source", Direction.INGRESS: "destination"}
_REPLIES = {
    True: "  Replies, and ICMP errors about it, are allowed with it.",
    False: "  Replies to connections that the destination opens to the source are allowed with these.",
}
_NOBODY = {
    Nobody.NO_SERVICE: "no Service has this cluster IP: what goes there is dropped",
    Nobody.NO_PORT: "the Service has no such port: what goes there is dropped",
    Nobody.NO_ENDPOINT: "the Service has no endpoint for this client: what goes there is dropped",
}


def lines(question: Question, answers: Sequence[Answer], places: Places) -> Iterator[Text]:
    """The whole text; connections and backends of which the same is to say are told together."""
    for number, alike in enumerate(_alike(answers, places)):
        if number:
            yield Text()
        yield from _heading(question, alike)
        yield from _body(alike[0], places)
        if not alike[0].nobody:
            yield Text(_REPLIES[alike[0].outcome is not Outcome.DENIED], style=_PLACE)


def _alike(answers: Sequence[Answer], places: Places) -> list[list[Answer]]:
    """The answers, in order, those together that differ in addresses only."""
    found: dict[tuple[str, ...], list[Answer]] = {}
    for answer in answers:
        said = (traffic_name(answer.connection.traffic), *(line.plain for line in _body(answer, places)))
        found.setdefault(said, []).append(answer)
    return list(found.values())


def _heading(question: Question, answers: Sequence[Answer]) -> Iterator[Text]:
    decided = outcome([answer.outcome for answer in answers])
    line = Text(f"{decided.upper()}  ", style=_STYLES[decided])
    first = answers[0].connection
    line.append(f"{question.source} to {question.destination}, {traffic_name(first.traffic)}", style="bold")
    yield line
    for connection in (answer.connection for answer in answers):
        names, addresses = _names(connection), _addresses(connection)
        if any(addresses) and names != addresses:
            yield Text(f"  {' to '.join(each or 'no address yet' for each in addresses)}", style=_PLACE)


def _names(connection: Connection) -> tuple[str, str]:
    return name_of(connection.source), name_of(connection.destination)


def _addresses(connection: Connection) -> tuple[str | None, str | None]:
    return assigned_text(connection.source.address), assigned_text(connection.destination.address)


def _body(answer: Answer, places: Places) -> Iterator[Text]:
    if answer.nobody:
        yield Text(f"  {_NOBODY[answer.nobody]}")
        return
    through = answer.ways[0].scene.via is not None
    for text, ways in _together(answer.ways, places):
        if through:
            yield _backends(ways)
        yield from (_indented(line, 2 if through else 0) for line in text)


def _together(ways: Sequence[Way], places: Places) -> list[tuple[list[Text], list[Way]]]:
    """The ways, in order, those together of which the same is to say."""
    found: dict[tuple[str, ...], tuple[list[Text], list[Way]]] = {}
    for way in ways:
        text = [*_way(way, places)]
        found.setdefault(tuple(line.plain for line in text), (text, []))[1].append(way)
    return list(found.values())


def _backends(ways: Sequence[Way]) -> Text:
    decided = Outcome.ALLOWED if ways[0].verdict.allowed else Outcome.DENIED
    names = ", ".join(f"{name_of(way.scene.destination)} at {traffic_name(way.scene.traffic)}" for way in ways)
    line = Text(f"  backend{'' if len(ways) == 1 else 's'} {names}: ")
    return line.append(decided, style=_STYLES[decided])


def _way(way: Way, places: Places) -> Iterator[Text]:
    if way.verdict.undelivered:
        yield Text("  multicast and broadcast are delivered to nobody")
    for direction, reasons in ((Direction.EGRESS, way.egress), (Direction.INGRESS, way.ingress)):
        yield from _side(direction, reasons, places)


def _side(direction: Direction, reasons: Reasons, places: Places) -> Iterator[Text]:
    side = reasons.side
    decided = Outcome.ALLOWED if side.allowed else Outcome.DENIED
    yield Text(f"  {direction.section} of the {_WHO[direction]}: ").append(decided, style=_STYLES[decided])
    if reasons.pod is None:
        yield Text(f"    it is no pod, so no policy of {direction.section} is about it")
        return
    if side.exempt:
        yield Text(f"    {_EXEMPT[side.exempt]}")
    for policy in side.isolated_by:
        yield _placed(f"    isolated by {policy.key}", places.policy(policy).span)
    if not side.isolated_by:
        yield Text(f"    no policy isolates it for {direction.section}")
    for admitting in reasons.admitting:
        yield from _admitting(admitting, places)
    if not side.allowed:
        yield from _misses(direction, reasons, places)


_EXEMPT = {
    Exemption.NODE: "pods and nodes always reach each other, whatever policies say",
    Exemption.SELF: "a pod always reaches itself, whatever policies say",
}


def _admitting(admitting: Admitting, places: Places) -> Iterator[Text]:
    admission = admitting.admission
    where = admission.policy, admission.direction, admission.rule
    rule = admission.policy.rules(admission.direction)[admission.rule]
    yield _placed(f"    admitted by {admission}", places.rule(*where).span)
    for item in admitting.peers:
        yield _placed(
            f"      peer {peer_words_in(admission.policy.namespace, rule.peers[item])}", places.peer(*where, item).span
        )
    if not rule.peers:
        yield Text("      peer: it names none, so everyone")
    for item in admitting.ports:
        yield _placed(f"      port {port_words(rule.ports[item])}", places.port(*where, item).span)
    if not rule.ports:
        yield Text("      port: it names none, so every port and protocol")


def _misses(direction: Direction, reasons: Reasons, places: Places) -> Iterator[Text]:
    if not any(policy.rules(direction) for policy in reasons.side.isolated_by):
        yield Text(f"    no rule admits it: there are no {direction.section} rules")
        return
    yield Text(f"    no rule admits it{'; nearest:' if reasons.nearest else ''}")
    for miss in reasons.nearest:
        yield from (_indented(line, 2) for line in _miss(direction, miss, places))


def _miss(direction: Direction, miss: Miss, places: Places) -> Iterator[Text]:
    where = miss.policy, direction, miss.rule
    rule = miss.policy.rules(direction)[miss.rule]
    lacking = [word for word, item in (("peer", miss.peer), ("port", miss.port)) if item is not None]
    but = f"all but the {lacking[0]}" if len(lacking) == 1 else "neither peer nor port"
    yield _placed(f"    {miss.policy.key} {direction.section}[{miss.rule}] matches {but}", places.rule(*where).span)
    if miss.peer is not None:
        yield _placed(
            f"      peer {peer_words_in(miss.policy.namespace, rule.peers[miss.peer])}",
            places.peer(*where, miss.peer).span,
        )
    if miss.port is not None:
        yield _placed(f"      port {port_words(rule.ports[miss.port])}", places.port(*where, miss.port).span)
    for need in miss.needs:
        yield Text(f"      {'to match: ' if isinstance(need, Change) else 'but '}{need_words(need)}", style="cyan")
    if miss.then is False:
        yield Text("      this side then allows it; the other one does not", style="cyan")


def _placed(words: str, span: Span) -> Text:
    where = f"{span.file}:{span.line}" if span.line else span.file
    return Text(words).append(f"  {where}", style=_PLACE)


def _indented(line: Text, columns: int) -> Text:
    return Text(" " * columns).append_text(line)
