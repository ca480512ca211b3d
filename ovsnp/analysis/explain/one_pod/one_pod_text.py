"""The answer about one pod as text; for a usual pod it fits on one screen."""

from collections import defaultdict
from collections.abc import Iterator

from rich.text import Text

from ovsnp.analysis.explain.needs import Change, need_words
from ovsnp.analysis.explain.one_pod.one_pod import Near, OnePod, PodRule, PodSide, ReachedParty
from ovsnp.analysis.explain.side_text import NO_ADDRESS, PLACE, WHO, placed
from ovsnp.analysis.wording.listing import Audience, by_start, others, shortened
from ovsnp.analysis.wording.places import Places
from ovsnp.analysis.wording.rules import peer_words_in, port_words
from ovsnp.analysis.wording.traffics import ports_words
from ovsnp.model.cluster import Pod
from ovsnp.model.policy import Direction
from ovsnp.model.unassigned import assigned_text
from ovsnp.oracle import Exemption

_FROM = {Direction.INGRESS: "from", Direction.EGRESS: "to"}
_MET = {Direction.INGRESS: "reached by", Direction.EGRESS: "reaches"}
_NEARLY = {Direction.INGRESS: "nearly reached by", Direction.EGRESS: "nearly reaches"}
_EVERY, _NONE = "all ports", "no port"


def one_pod_lines(answer: OnePod, places: Places) -> Iterator[Text]:
    """The pod, then ingress, then egress."""
    audience = by_start(party.name for party in answer.parties)
    yield from _pod(answer.pod)
    for direction, side in ((Direction.INGRESS, answer.ingress), (Direction.EGRESS, answer.egress)):
        yield Text()
        yield from _side(direction, side, audience, places)


def _pod(pod: Pod) -> Iterator[Text]:
    yield Text(pod.title, style="bold")
    node = f"on {pod.node}" if pod.node else "on no node that is named"
    addresses = [*filter(None, map(assigned_text, pod.addresses))] or [NO_ADDRESS]
    yield Text(f"  {node}, {', '.join(addresses)}")
    if pod.workload:
        yield Text(f"  workload: {pod.workload.key}")
    yield Text(f"  labels: {', '.join(f'{key}={value}' for key, value in sorted(pod.labels.items())) or 'none'}")
    if pod.ports:
        ports = dict.fromkeys(f"{port.number}/{port.protocol.lower()} ({port.name})" for port in pod.ports)
        yield Text(f"  named ports: {', '.join(ports)}")


def _side(direction: Direction, side: PodSide, audience: Audience, places: Places) -> Iterator[Text]:
    yield Text(f"{direction.section}:", style="bold").append("" if side.isolated_by else " no policy isolates the pod")
    for policy in side.isolated_by:
        yield placed(f"  isolated by {policy.key}", places.policy(policy).span)
    for rule in side.rules:
        yield from _rule(rule, audience, places)
    if side.isolated_by and not side.rules:
        yield Text(f"    there are no {direction.section} rules")
    yield Text(f"  {_MET[direction]}:")
    lines = [*_met(side, audience)]
    width = max(len(ports) for ports, _ in lines) if lines else 0
    yield from (Text(f"    {ports:{width}}  {names}") for ports, names in lines)
    if side.near:
        yield Text(f"  {_NEARLY[direction]}:")
    for near in side.near:
        yield from _near(near, places)
    if side.left_out:
        yield Text(f"    {side.left_out} more not shown", style=PLACE)


def _rule(rule: PodRule, audience: Audience, places: Places) -> Iterator[Text]:
    policy, direction, index = rule.admission.policy, rule.admission.direction, rule.admission.rule
    written = policy.rules(direction)[index]
    yield placed(f"    {rule.admission}", places.rule(policy, direction, index).span)
    peers = "; ".join(peer_words_in(policy.namespace, peer) for peer in written.peers) or "everyone"
    ports = ", ".join(map(port_words, written.ports)) or "every port and protocol"
    yield Text(f"      {_FROM[direction]} {peers}, at {ports}")
    if rule.parties is not None:
        who = ", ".join(shortened([party.name for party in rule.parties], audience)) or "nobody"
        yield Text(f"      these are {who}")


def _met(side: PodSide, audience: Audience) -> Iterator[tuple[str, str]]:
    """Ports, and the parties with these ports; with ``--strict-nodes`` the pod's own node has a line of its own."""
    answers: dict[str, list[str]] = defaultdict(list)
    own_node = False
    for met in side.met:
        if (ports := _ports(met)) != _NONE:
            answers[ports].append(met.party.name)
        own_node |= met.exempt is Exemption.NODE and not met.wholly and ports != _EVERY
    for ports in sorted(answers, key=lambda each: (each != _EVERY, each)):
        yield ports, ", ".join(shortened(answers[ports], audience))
    if own_node:
        yield _EVERY, "the pod's own node"
    if denied := others({name for names in answers.values() for name in names}, audience):
        yield _NONE, denied


def _ports(met: ReachedParty) -> str:
    """The words for ports; one part for each family where the families differ."""
    words = {version: ports_words(ports, met.names) for version, ports in met.ports.items()}
    if len(set(words.values())) == 1:
        return next(iter(words.values()))
    return "; ".join(f"IPv{version}: {each}" for version, each in words.items())


def _near(near: Near, places: Places) -> Iterator[Text]:
    miss = near.miss
    rule = f"{miss.policy.key} {near.side.section}[{miss.rule}]"
    yield placed(f"    {near.party.name}, by {rule}", places.rule(miss.policy, near.side, miss.rule).span)
    for need in miss.needs:
        yield Text(f"      {'to match: ' if isinstance(need, Change) else 'but '}{need_words(need)}", style="cyan")
    if miss.then is False:
        other = Direction.EGRESS if near.side is Direction.INGRESS else Direction.INGRESS
        yield Text(f"      this side then allows it; {other.section} of the {WHO[other]} does not", style="cyan")
