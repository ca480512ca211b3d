"""Shows a fault by one packet: its fields, the flows that it meets, and the command that traces it on the bridge."""

from collections.abc import Mapping

import msgspec

from ovsnp.analysis.verification.packet import address_text, packet_text
from ovsnp.analysis.verification.packet_classes.traffic import NAMES
from ovsnp.analysis.verification.proof import FaultyFlow
from ovsnp.analysis.verification.questions.bridge_question import BridgeQuestion, QuestionKind, judged
from ovsnp.analysis.verification.simulator.actions import ParsedTrack
from ovsnp.analysis.verification.simulator.packets import NEW, Memory, Packets
from ovsnp.analysis.verification.simulator.places import CT_FLAGS
from ovsnp.analysis.verification.simulator.reading import ReadFlow
from ovsnp.analysis.verification.simulator.space import Sets, Value, first, meet
from ovsnp.analysis.verification.simulator.walk import Simulator


class Counterexample(msgspec.Struct, frozen=True):
    """A packet that the flows treat otherwise than the policies say; ``count`` classes of packets have this fault.

    ``kind`` is the kind of question, ``what`` the fault, ``state`` the flags of ct_state (empty: new), ``who`` the
    names of the ends. ``source`` and ``destination`` are the addresses between which policies judge (None: no policy
    applies). ``traffic`` is a port and protocol as `ovsnp explain` takes them (empty: a protocol without ports).
    ``flows`` are the flows that the packet meets, in order, and ``trace`` is the command that shows them.
    """

    kind: QuestionKind
    what: str
    packet: str
    state: str
    who: tuple[str, ...]
    source: str | None
    destination: str | None
    traffic: str | None
    flows: tuple[str, ...]
    trace: str
    count: int


def counterexample(finding: FaultyFlow, simulator: Simulator, bridge: str) -> Counterexample:
    """The first packet with the fault, taken through the flows again; ``bridge`` is a name for the command."""
    sets = first(finding.fault.sets)
    return counterexample_of(finding, _again(finding, simulator, sets), sets, bridge)


def counterexample_of(finding: FaultyFlow, packets: Packets, sets: Sets, bridge: str) -> Counterexample:
    """The same for packets that have been taken through the flows; ``sets`` is the one packet to show."""
    question, fault = finding.question, finding.fault
    fields = packet_fields(question, sets)
    flow = packet_text(fields)
    names = [those[bits.bit_length() - 1] for those, bits in zip(question.names, sets, strict=False) if those]
    state, _, _ = _connection(question, sets)
    source, destination, traffic = _ends(question, sets, fields)
    return Counterexample(
        question.kind,
        fault.what,
        flow,
        "" if state == NEW else "+".join(_flags(state)),
        tuple(name for name in (*names, question.note) if name),
        source,
        destination,
        traffic,
        tuple(each.text if isinstance(each, ReadFlow) else f"table={each}: no flow" for each in packets.met),
        _command(bridge, flow, packets, question),
        finding.count,
    )


def _again(finding: FaultyFlow, simulator: Simulator, sets: Sets) -> Packets:
    """The one packet at the end of its way; where a group gives several ways, one that has the fault."""
    question, fault = finding.question, finding.fault
    walk = simulator.walk(question.space)
    ways = list(walk.run(question.start(), sets, question.memory, question.table))
    wrong = (each for each in ways if any(found.what == fault.what for found in judged(question, each)))
    return next(wrong, ways[0])


def packet_fields(question: BridgeQuestion, sets: Sets) -> dict[str, int]:
    """The fields of the packet as it enters the bridge, before any translation of its destination."""
    known: dict[str, int] = {}
    for name, value in question.start().items():
        number = question.space.known(value, sets)
        known[name] = number if isinstance(number, int) else 0
    if question.table:
        for name in ("nw_dst", "ipv6_dst", "tp_dst", "nw_proto"):
            if f"ct_{name}" in known:
                known[name] = known[f"ct_{name}"]
    return known


def _ends(question: BridgeQuestion, sets: Sets, fields: Mapping[str, int]) -> tuple[str | None, str | None, str | None]:
    both = next(((source, destination) for part, source, destination in question.ends if meet(part, sets)), None)
    if both is None:
        return None, None, None
    source, destination = (_number(question, end, sets) for end in both)
    name = NAMES.get(fields.get("nw_proto", 0))
    traffic = f"{fields.get('tp_dst', 0)}/{name.lower()}" if name else ""
    size = 4 if fields["eth_type"] == 0x800 else 16
    return address_text(source, size) if source else None, address_text(destination, size), traffic


def _number(question: BridgeQuestion, value: Value, sets: Sets) -> int:
    number = question.space.known(value, sets)
    return number if isinstance(number, int) else 0


def _command(bridge: str, flow: str, packets: Packets, question: BridgeQuestion) -> str:
    """The command that traces the packet; there, the bridge itself chooses a Service's endpoint and translations."""
    flow, states = _with_states(flow, packets, question)
    shown = "".join(f" '{each}'" if each.startswith("trk") else f" {each}" for each in states)
    return f"ovs-appctl ofproto/trace {bridge} '{flow}'{shown}"


def commanded(flow: str, question: BridgeQuestion, simulator: Simulator, sets: Sets) -> tuple[str, list[str]]:
    """A packet with mark and label, and the options that give ``ofproto/trace`` the question's conntrack states."""
    ways = simulator.walk(question.space).run(question.start(), sets, question.memory, question.table)
    return _with_states(flow, max(ways, key=lambda each: len(each.met)), question)


def _with_states(flow: str, packets: Packets, question: BridgeQuestion) -> tuple[str, list[str]]:
    states: list[str] = []
    for each in packets.met:
        for action in each.actions if isinstance(each, ReadFlow) else ():
            if isinstance(action, ParsedTrack) and action.table is not None:
                memory = question.memory.get(action.zone, Memory(NEW))
                flags = _flags(_number(question, memory.state, packets.sets))
                states += ["--ct-next", ",".join(["trk", *(flag for flag in flags if flag != "trk")])]
    _, label, mark = _connection(question, packets.sets)
    if label:
        flow += f",ct_label={label:#x}"
    if mark:
        flow += f",ct_mark={mark:#x}"
    return flow, states


def _connection(question: BridgeQuestion, sets: Sets) -> tuple[int, int, int]:
    """State, label and mark of the packet's connection, in the last zone where conntrack looks for it."""
    memory = ([*question.memory.values()] or [Memory()])[-1]
    state, label, mark = (_number(question, value, sets) for value in (memory.state, memory.label, memory.mark))
    return state, label, mark


def _flags(state: int) -> list[str]:
    return [flag for bit, flag in enumerate(CT_FLAGS) if state >> bit & 1]
