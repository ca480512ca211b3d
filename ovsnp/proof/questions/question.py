"""A question about a bridge: packets, which of them must pass, and how those must leave."""

from collections.abc import Iterator, Mapping, Sequence

import msgspec

from ovsnp.pipeline.registers import ADMITTED
from ovsnp.proof.questions.verdicts import Verdicts
from ovsnp.proof.simulator.space import Sets, Space, Value
from ovsnp.proof.simulator.walk import Committed, Memory, Packets, Sent, Unjudged, Walk

ADMITTED_BIT = 1 << ADMITTED.lsb
FORBIDDEN = "must be dropped"
"""How faults are told of packets that policies or guards forbid."""


class Question(msgspec.Struct):
    """Packets that enter ``table``.

    ``kind`` names what is asked. ``names`` say who the elements of the first dimensions are. ``fields`` are beside
    those of the elements. Packets that must pass leave once, by the port and with the values of ``leaves`` (None: by
    any way); those of a new connection are then remembered as admitted in conntrack's ``zone``, and no others are.
    ``mark`` is what is remembered then: the number of the node whose tunnel they came through.
    ``ends`` are the addresses, as numbers, between which policies judge, of parts of the packets (a source of 0: nobody
    may send this). ``taken`` are fields that packets have, and that they are taken to lack: they take the megaflow of one
    that does; no node sends such a packet as those of ``unsent`` would be.
    """

    kind: str
    space: Space
    names: Sequence[Sequence[str]]
    fields: Mapping[str, Value]
    sets: Sets
    verdicts: Verdicts
    leaves: Mapping[str, Value] | None = None
    zone: int | None = None
    memory: Mapping[int, Memory] = {}
    note: str = ""
    table: int = 0
    ends: Sequence[tuple[Sets, Value, Value]] = ()
    sealed: bool = True
    taken: tuple[str, ...] = ()
    unsent: Sequence[Sets] = ()
    mark: Value = 0

    def ask(self, walk: Walk) -> Iterator["Fault"]:
        """What is wrong with what becomes of the packets."""
        for packets in walk.run(self.start(), self.sets, self.memory, self.table):
            yield from judged(self, packets)

    def start(self) -> dict[str, Value]:
        """All fields of the packets."""
        return {**self.space.fields(), **self.fields}


class Fault(msgspec.Struct, frozen=True):
    """What is wrong with some packets."""

    what: str
    packets: Packets
    sets: Sets


def judged(question: Question, packets: Packets) -> Iterator[Fault]:
    """What is wrong with some packets that have gone all the way."""
    for effect in packets.effects:
        if isinstance(effect, Unjudged):
            yield Fault(f"cannot be judged: {effect.what}", packets, packets.sets)
            return
    if not packets.sent:
        for sets in question.verdicts.must_pass(packets.sets):
            yield Fault("dropped, and must pass", packets, sets)
        if question.sealed and any(_admits(effect, question.space, packets.sets) for effect in packets.effects):
            for sets in question.verdicts.must_drop(packets.sets):
                yield Fault(f"remembered as admitted, and {FORBIDDEN}", packets, sets)
        return
    for sets in question.verdicts.must_drop(packets.sets):
        yield Fault(f"passes, and {FORBIDDEN}", packets, sets)
    if question.leaves is not None:
        for sets in question.verdicts.must_pass(packets.sets):
            yield from _misled(question, packets, sets)


def _admits(effect: object, space: Space, sets: Sets) -> bool:
    """Whether some of the packets were remembered as admitted."""
    return isinstance(effect, Committed) and any(_bits(effect, space, sets))


def _admits_all(effect: object, space: Space, sets: Sets, zone: int) -> bool:
    """Whether all of the packets were remembered as admitted in a zone."""
    return isinstance(effect, Committed) and effect.zone == zone and all(_bits(effect, space, sets))


def _bits(effect: Committed, space: Space, sets: Sets) -> Iterator[int]:
    return (bit for bit, _ in space.split(space.write(0, effect.label, ADMITTED_BIT), sets))


def _misled(question: Question, packets: Packets, sets: Sets) -> Iterator[Fault]:
    assert question.leaves is not None
    if len(packets.sent) != 1:
        yield Fault("leaves more than once", packets, sets)
        return
    (sent,) = packets.sent
    for name, wanted in question.leaves.items():
        has = _value(sent, name)
        if has is not wanted and (other := _different(question.space, has, wanted, sets)):
            yield Fault(_WRONG.get(name, f"leaves with another {name}"), packets, other)
            return
    zone = question.zone
    if zone is None:
        return
    remembered = [each for each in packets.effects if _admits_all(each, question.space, sets, zone)]
    if not remembered:
        yield Fault("passes, and is not remembered as admitted", packets, sets)
    for effect in remembered:
        assert isinstance(effect, Committed)
        if other := _different(question.space, effect.mark, question.mark, sets):
            yield Fault("is remembered as of another node's tunnel", packets, other)


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


def _different(space: Space, has: Value, wanted: Value, sets: Sets) -> Sets | None:
    """Some of the packets for which two values are not the same."""
    for number, part in space.split(wanted, sets):
        for other, both in space.split(has, part):
            if other != number:
                return both
    return None
