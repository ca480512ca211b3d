"""Finds the pairs of ends for which flows and policies disagree: the flows allow more traffic, or less."""

from collections import defaultdict
from collections.abc import Iterator, Sequence

import msgspec

from ovsnp.analysis.verification.expectation.proof_context import ProofContext
from ovsnp.analysis.verification.packet_classes.addresses import PeerClass
from ovsnp.analysis.verification.questions.arrivals import arrivals
from ovsnp.analysis.verification.questions.arriving import to_locals
from ovsnp.analysis.verification.questions.bridge_question import ADMITTED_BIT, BridgeQuestion
from ovsnp.analysis.verification.questions.pods import from_pods
from ovsnp.analysis.verification.simulator.packets import Committed, Packets, Unsupported, layered
from ovsnp.analysis.verification.simulator.reading import ReadFlow
from ovsnp.analysis.verification.simulator.space import Sets, bits_of
from ovsnp.analysis.verification.simulator.walk import Simulator
from ovsnp.errors import SwitchError
from ovsnp.model.address import Address

Pairs = dict[Address, dict[Address, int]]
"""By representative of the source's class, then of the destination's: cells of traffic, as bits."""

_BY_THE_WAY = {"dl_src", "nw_ttl", "tun_id", "tun_metadata0", "tun_metadata1"}
"""Fields of a packet that say nothing about the place where it arrives."""


class Disagreements(msgspec.Struct):
    """The pairs that `apply` gains (policies let them pass, flows do not), and the pairs that it loses."""

    gained: Pairs
    lost: Pairs


def disagreements(context: ProofContext, simulator: Simulator, bridge: str) -> Disagreements:
    """Take all connections of local pods through the flows; raises SwitchError where a flow cannot be judged.

    A connection counts as soon as some of its packets are treated otherwise, by whichever way they come.
    """
    found = Disagreements(defaultdict(dict), defaultdict(dict))
    for question, sources, destinations in _questions(context):
        walk = simulator.walk(question.space)
        for packets in walk.run(question.start(), question.sets, question.memory, question.table):
            _refuse_unjudged(packets, bridge)
            for sets in _missing(question, packets):
                _add(found.gained, sets, sources, destinations)
            if packets.sent:
                for sets in question.verdicts.must_drop(packets.sets):
                    _add(found.lost, sets, sources, destinations)
    return found


def _questions(
    context: ProofContext,
) -> Iterator[tuple[BridgeQuestion, Sequence[PeerClass | None], Sequence[PeerClass]]]:
    """The questions about new connections from and to local pods, with the ends of their first two dimensions."""
    locals_ = context.locals()
    for question in from_pods(context):
        if question.kind == "policy":
            yield question, locals_, context.everyone
    for found in arrivals(context):
        for question in to_locals(context, found):
            if question.kind == "policy":
                yield question, found.sources, locals_


def _refuse_unjudged(packets: Packets, bridge: str) -> None:
    for effect in packets.effects:
        if isinstance(effect, Unsupported):
            met = [each.text for each in packets.met if isinstance(each, ReadFlow)]
            raise SwitchError(
                f"{bridge}: what flows let pass is unknown, since one cannot be judged ({effect.what}):"
                f" {met[-1] if met else 'of no table'}; take it away, or see what apply does to flows: ovsnp diff"
            )


def _missing(question: BridgeQuestion, packets: Packets) -> Iterator[Sets]:
    """The packets that must pass and are dropped, arrive elsewhere, or are not remembered as admitted."""
    for sets in question.verdicts.must_pass(packets.sets):
        if len(packets.sent) == 1 and _is_remembered(question, packets, sets):
            yield from _astray(question, packets, sets)
        else:
            yield sets


def _is_remembered(question: BridgeQuestion, packets: Packets, sets: Sets) -> bool:
    space = question.space
    return any(
        isinstance(effect, Committed)
        and question.remembers is not None
        and effect.zone == question.remembers.zone
        and all(bit for bit, _ in space.split(layered(space, effect.label, ADMITTED_BIT), sets))
        for effect in packets.effects
    )


def _astray(question: BridgeQuestion, packets: Packets, sets: Sets) -> Iterator[Sets]:
    """The packets that do not arrive where they must."""
    (sent,) = packets.sent
    for name, wanted in (question.leaves or {}).items():
        has = sent.port if name == "port" else sent.fields.get(name, 0)
        if name in _BY_THE_WAY or has is wanted:
            continue
        for number, part in question.space.split(wanted, sets):
            for other, both in question.space.split(has, part):
                if other != number:
                    yield both


def _add(pairs: Pairs, sets: Sets, sources: Sequence[PeerClass | None], destinations: Sequence[PeerClass]) -> None:
    """Add a product to the pairs, without the sources of None: nobody may send from these, and guards do not count."""
    for near in bits_of(sets[0]):
        source = sources[near]
        if source is None:
            continue
        row = pairs[source.address]
        for far in bits_of(sets[1]):
            address = destinations[far].address
            row[address] = row.get(address, 0) | sets[2]
