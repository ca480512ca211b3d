"""The lines about one side of a connection: its policies, the rules that admit it, and the rules that nearly do."""

from collections.abc import Iterator, Sequence

from rich.text import Text

from ovsnp.analysis.explain.nearest import NearMiss
from ovsnp.analysis.explain.needs import Change, need_words
from ovsnp.analysis.explain.reasons import Admitting, Nobody, Outcome
from ovsnp.analysis.naming.ends import Destination, name_of
from ovsnp.analysis.wording.places import Places
from ovsnp.analysis.wording.rules import peer_words_in, port_words
from ovsnp.errors import Span
from ovsnp.model.policy import Direction, NetworkPolicy
from ovsnp.model.unassigned import assigned_text
from ovsnp.oracle import Exemption

STYLES = {Outcome.ALLOWED: "bold green", Outcome.DENIED: "bold red", Outcome.MIXED: "bold yellow"}
PLACE = "dim"
WHO = {Direction.EGRESS: "source", Direction.INGRESS: "destination"}
UNDELIVERED = "  multicast and broadcast are delivered to nobody"
NOBODY = {
    Nobody.NO_SERVICE: "no Service has this cluster IP: what goes there is dropped",
    Nobody.NO_PORT: "the Service has no such port: what goes there is dropped",
    Nobody.NO_ENDPOINT: "the Service has no endpoint for this client: what goes there is dropped",
}
NO_ADDRESS = "no address yet"
NO_POD = "    it is no pod, so no {direction} policy applies to it"
_EXEMPT = {
    Exemption.NODE: "pods and nodes always reach each other, whatever policies say",
    Exemption.SELF: "a pod always reaches itself, whatever policies say",
}


def address_lines(source: Destination, destination: Destination) -> Iterator[Text]:
    """A line with the addresses of a connection; none where both names are addresses, or neither end has one yet."""
    ends = (source, destination)
    addresses = [assigned_text(end.address) for end in ends]
    if any(addresses) and addresses != [*map(name_of, ends)]:
        yield Text(f"  {' to '.join(each or NO_ADDRESS for each in addresses)}", style=PLACE)


def isolation_lines(
    direction: Direction, isolated_by: Sequence[NetworkPolicy], exempt: Exemption | None, places: Places
) -> Iterator[Text]:
    """Lines about the policies that isolate a pod, and about the exemption if they do not apply."""
    if exempt:
        yield Text(f"    {_EXEMPT[exempt]}")
    for policy in isolated_by:
        yield placed(f"    isolated by {policy.key}", places.policy(policy).span)
    if not isolated_by:
        yield Text(f"    no policy isolates it for {direction.section}")


def admitting_lines(admitting: Admitting, places: Places) -> Iterator[Text]:
    """Lines about a rule that admits, and the peers and ports of the rule that match."""
    admission = admitting.admission
    where = admission.policy, admission.direction, admission.rule
    rule = admission.policy.rules(admission.direction)[admission.rule]
    yield placed(f"    admitted by {admission}", places.rule(*where).span)
    for item in admitting.peers:
        yield placed(
            f"      peer {peer_words_in(admission.policy.namespace, rule.peers[item])}", places.peer(*where, item).span
        )
    if not rule.peers:
        yield Text("      peer: it names none, so everyone")
    for item in admitting.ports:
        yield placed(f"      port {port_words(rule.ports[item])}", places.port(*where, item).span)
    if not rule.ports:
        yield Text("      port: it names none, so every port and protocol")


def nearest_lines(
    direction: Direction, isolated_by: Sequence[NetworkPolicy], nearest: Sequence[NearMiss], places: Places
) -> Iterator[Text]:
    """A line that says that no rule admits the connection, then lines about the rules that come nearest."""
    if not any(policy.rules(direction) for policy in isolated_by):
        yield Text(f"    no rule admits it: there are no {direction.section} rules")
        return
    yield Text(f"    no rule admits it{'; nearest:' if nearest else ''}")
    for miss in nearest:
        yield from (indented(line, 2) for line in _miss(direction, miss, places))


def _miss(direction: Direction, miss: NearMiss, places: Places) -> Iterator[Text]:
    where = miss.policy, direction, miss.rule
    rule = miss.policy.rules(direction)[miss.rule]
    lacking = [word for word, item in (("peer", miss.peer), ("port", miss.port)) if item is not None]
    but = f"all but the {lacking[0]}" if len(lacking) == 1 else "neither peer nor port"
    yield placed(f"    {miss.policy.key} {direction.section}[{miss.rule}] matches {but}", places.rule(*where).span)
    if miss.peer is not None:
        yield placed(
            f"      peer {peer_words_in(miss.policy.namespace, rule.peers[miss.peer])}",
            places.peer(*where, miss.peer).span,
        )
    if miss.port is not None:
        yield placed(f"      port {port_words(rule.ports[miss.port])}", places.port(*where, miss.port).span)
    for need in miss.needs:
        yield Text(f"      {'to match: ' if isinstance(need, Change) else 'but '}{need_words(need)}", style="cyan")
    if miss.then is False:
        yield Text("      this side then allows it; the other one does not", style="cyan")


def placed(words: str, span: Span) -> Text:
    """Words, followed by the place in the file."""
    where = f"{span.file}:{span.line}" if span.line else span.file
    return Text(words).append(f"  {where}", style=PLACE)


def indented(line: Text, columns: int) -> Text:
    """The line, moved to the right by ``columns``."""
    return Text(" " * columns).append_text(line)
