"""A question about a bridge: a set of packets, which of them must pass, and how these must leave.

The answer is a list of faults: packets that the simulated flows treat in another way.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Literal

import msgspec

from ovsnp.analysis.verification.expectation.verdicts import Excused, Verdicts
from ovsnp.analysis.verification.simulator.packets import (
    Committed,
    Memory,
    Packets,
    Sent,
    Translated,
    Unsupported,
    layered,
)
from ovsnp.analysis.verification.simulator.space import Sets, Space, Value, meet
from ovsnp.analysis.verification.simulator.walk import Walk
from ovsnp.pipeline.conntrack import SNAT_PORTS, SNAT_ZONE
from ovsnp.pipeline.registers import ADMITTED, ANSWERED

ProofKind = Literal[
    "policy",
    "carrier",
    "connection state",
    "returning",
    "spoofing",
    "unknown port",
    "unknown tunnel",
    "VLAN tag",
    "other protocol",
    "multicast",
    "ARP",
    "neighbour discovery",
    "masquerade",
    "service",
    "megaflow",
]
"""The kinds of questions of a proof, by their names in reports."""

QuestionKind = ProofKind | Literal["expectation"]

ADMITTED_BIT = 1 << ADMITTED.lsb
_LETS_PASS = (ADMITTED_BIT, 1 << ANSWERED.lsb)
FORBIDDEN = "must be dropped"
"""How the text of a fault ends if policies or guards forbid the packets."""


class Remembered(msgspec.Struct, frozen=True, eq=False):
    """What conntrack must remember, in a zone, of packets that pass: bits of the label, and the mark (None: any).

    An item of ``label`` is a mask, the part of the packets that it is about, and the value of the bits.
    """

    zone: int
    label: Sequence[tuple[int, Sets, Value]]
    mark: Value | None = None


class BridgeQuestion(msgspec.Struct):
    """Packets that enter ``table``, and what must happen to them.

    ``kind`` names the question. ``names`` are the names of the elements of the first dimensions. ``fields`` are the
    fields that the elements do not give. ``memory`` is what conntrack knows, by zone. Packets that must pass by the
    ``verdicts`` leave once, by the port and with the values of ``leaves`` (None: in any way), and conntrack then
    ``remembers`` what it must (None: nothing new). Of packets that must be dropped it may remember nothing that lets
    others pass, unless the question is not ``sealed``.

    ``ends`` are the addresses between which policies judge, as numbers, for parts of the packets (source 0: nobody may
    send this). ``taken`` are fields that the packets have and that the walk treats as absent: the packets take the
    megaflow of a packet without them. No node sends packets of ``unsent`` without these fields. ``alike`` are
    dimensions in which other questions of this space ask the same about the elements that ``sets`` lacks.
    """

    kind: QuestionKind
    space: Space
    names: Sequence[Sequence[str]]
    fields: Mapping[str, Value]
    sets: Sets
    verdicts: Verdicts
    leaves: Mapping[str, Value] | None = None
    remembers: Remembered | None = None
    memory: Mapping[int, Memory] = {}
    note: str = ""
    table: int = 0
    ends: Sequence[tuple[Sets, Value, Value]] = ()
    sealed: bool = True
    taken: tuple[str, ...] = ()
    unsent: Sequence[Sets] = ()
    alike: tuple[int, ...] = ()

    def ask(self, walk: Walk) -> Iterator["PacketFault"]:
        """Take the packets through the flows, and give the faults."""
        leaves = self.leaves or {}
        verdicts = self.verdicts.strict if isinstance(self.verdicts, Excused) else self.verdicts
        known = verdicts, tuple(leaves.items()), self.remembers, tuple(self.memory), self.sealed
        for packets in walk.run(
            self.start(),
            self.sets,
            self.memory,
            self.table,
            known=known,
            names=tuple(leaves),
        ):
            if verdicts is self.verdicts and self._right(packets, walk):
                continue
            yield from judged(self, packets)

    def _right(self, packets: Packets, walk: Walk) -> bool:
        """Whether neither the packets nor those that are ``alike`` have a fault; if so, the walk records that."""
        if packets.kept is None or packets.takers is None:
            return False
        both = zip(packets.sets, packets.takers, strict=True)
        sets = tuple(takers if place in self.alike else here for place, (here, takers) in enumerate(both))
        whole = packets.copy(sets=sets)
        if any(judged(self, whole)):
            return False
        walk.right(whole)
        return True

    def start(self) -> dict[str, Value]:
        """All fields of the packets when they enter."""
        return {**self.space.fields(), **self.fields}


class PacketFault(msgspec.Struct, frozen=True):
    """A fault in words, the packets at the end of their way, and the part of them (``sets``) with the fault."""

    what: str
    packets: Packets
    sets: Sets


def judged(question: BridgeQuestion, packets: Packets) -> Iterator[PacketFault]:
    """The faults of packets that are at the end of their way."""
    for effect in packets.effects:
        if isinstance(effect, Unsupported):
            yield PacketFault(f"cannot be judged: {effect.what}", packets, packets.sets)
            return
    if not packets.sent:
        for sets in question.verdicts.must_pass(packets.sets):
            yield PacketFault("dropped, and must pass", packets, sets)
        if question.sealed:
            for sets in question.verdicts.must_drop(packets.sets):
                yield from _let_in(question, packets, sets)
        return
    for sets in question.verdicts.must_drop(packets.sets):
        yield PacketFault(f"passes, and {FORBIDDEN}", packets, sets)
    if question.leaves is not None:
        for sets in question.verdicts.must_pass(packets.sets):
            yield from _misled(question, question.leaves, packets, sets)


def _let_in(question: BridgeQuestion, packets: Packets, sets: Sets) -> Iterator[PacketFault]:
    """The faults of dropped packets that make conntrack remember something that lets others pass."""
    space = question.space
    for effect in packets.effects:
        if isinstance(effect, Committed):
            known = question.memory.get(effect.zone, Memory()).label
            for bit in _LETS_PASS:
                before, after = space.write(0, known, bit), layered(space, effect.label, bit)
                for number, part in space.split(after, sets):
                    if number and (other := space.differ(before, number, part)):
                        yield PacketFault(f"remembered as admitted, and {FORBIDDEN}", packets, other)


def _misled(
    question: BridgeQuestion, leaves: Mapping[str, Value], packets: Packets, sets: Sets
) -> Iterator[PacketFault]:
    if len(packets.sent) != 1:
        yield PacketFault("leaves more than once", packets, sets)
        return
    (sent,) = packets.sent
    for name, wanted in leaves.items():
        has = _value(sent, name)
        if other := question.space.differ(has, wanted, sets):
            yield PacketFault(_WRONG.get(name, f"leaves with another {name}"), packets, other)
            return
    if question.remembers is not None:
        yield from _forgotten(question, question.remembers, packets, sets)
    elif any(isinstance(each, Committed) for each in packets.effects):
        yield PacketFault("is remembered anew", packets, sets)
    for effect in packets.effects:
        if isinstance(effect, Translated) and effect.nat.side == "src":
            size = len(effect.nat.address)
            if effect.zone != SNAT_ZONE[4 if size == 4 else 6] or effect.nat.ports != SNAT_PORTS:
                yield PacketFault("gets another source in another zone, or from other ports", packets, sets)


def _forgotten(question: BridgeQuestion, wanted: Remembered, packets: Packets, sets: Sets) -> Iterator[PacketFault]:
    committed = [each for each in packets.effects if isinstance(each, Committed) and each.zone == wanted.zone]
    if not committed:
        yield PacketFault("passes, and is not remembered", packets, sets)
        return
    space = question.space
    for mask, part, value in wanted.label:
        both = meet(sets, part)
        if both and (other := space.differ(layered(space, committed[-1].label, mask), value, both)):
            yield PacketFault("is remembered as another than it is", packets, other)
    if wanted.mark is not None and (other := space.differ(committed[-1].mark, wanted.mark, sets)):
        yield PacketFault("is remembered as of another node's tunnel", packets, other)


_WRONG = {
    "port": "leaves by another port",
    "dl_dst": "leaves with another's MAC address",
    "dl_src": "leaves with another MAC address as its source",
    "tun_dst": "leaves for another node",
    "tun_ipv6_dst": "leaves for another node",
    "tun_id": "leaves with another carrier",
    "tun_metadata0": "leaves with another carrier",
    "tun_metadata1": "leaves with another carrier",
    "nw_ttl": "leaves without a hop less to live",
}


def _value(sent: Sent, name: str) -> Value:
    return sent.port if name == "port" else sent.fields.get(name, 0)
