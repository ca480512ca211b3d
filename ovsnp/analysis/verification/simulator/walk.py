"""Takes a set of packets through the tables, with the matches and actions that ovsnp writes.

A walk splits the set where flows treat packets differently, and yields every part with the effects on it. All buckets
of a group are tried: each is an outcome. Connection tracking answers as the memory of the packets says, zone by zone.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping

from ovsnp.analysis.verification.simulator import actions as a
from ovsnp.analysis.verification.simulator.field_access import get, put, written
from ovsnp.analysis.verification.simulator.packets import (
    Committed,
    Effect,
    Layers,
    Memory,
    Packets,
    Path,
    Sent,
    Translated,
    Unsupported,
    layered,
)
from ovsnp.analysis.verification.simulator.places import place_mask
from ovsnp.analysis.verification.simulator.reading import FlowDump, ReadFlow
from ovsnp.analysis.verification.simulator.relevance import Relevance
from ovsnp.analysis.verification.simulator.space import Column, MixedError, Sets, Space, Value, is_within, meet, without
from ovsnp.analysis.verification.simulator.suffixes import Dependence, dependence
from ovsnp.analysis.verification.simulator.table import FlowTable, TableLookups
from ovsnp.pipeline.tables import BY_NAME

_DEEPEST = 64
_KEPT_FROM = BY_NAME["DestinationNode"].id
_ADDRESS = {("src", 4): "nw_src", ("dst", 4): "nw_dst", ("src", 16): "ipv6_src", ("dst", 16): "ipv6_dst"}


class Simulator:
    """The tables and groups of a bridge, ready for walks."""

    def __init__(self, bridge: FlowDump) -> None:
        self.groups = bridge.groups
        relevance = Relevance(bridge)
        flows: dict[int, list[ReadFlow]] = defaultdict(list)
        for flow in bridge.flows:
            flows[flow.table].append(relevance.only(flow))
        self.tables = {number: FlowTable(those) for number, those in flows.items()}
        self.kept = dependence(_KEPT_FROM, flows, bridge.groups)

    def walk(self, space: Space, *, stop: bool = False, keep: bool = False) -> "Walk":
        """Walks of packets of a space; with ``stop`` they end where a destination is translated.

        With ``keep`` they share the ways from table DestinationNode on, where the state of the connection is known: a
        way is found once for all packets of the space. This pays where many walks take other packets each.
        """
        return Walk(self, space, stop, keep)


class Walk:
    """Takes packets of one space through the tables."""

    def __init__(self, simulator: Simulator, space: Space, stop: bool, keep: bool) -> None:
        self._groups, self.space, self.stop = simulator.groups, space, stop
        self._dependence = simulator.kept if keep else None
        self._kept: dict[object, list[Packets]] = {}
        self._passed: dict[object, list[Sets]] = defaultdict(list)
        self._known: object = None
        self._names: tuple[str, ...] = ()
        self._nowhere = TableLookups(FlowTable(()), space)
        self._lookups = {number: TableLookups(table, space) for number, table in simulator.tables.items()}

    def run(
        self,
        fields: Mapping[str, Value],
        sets: Sets,
        memory: Mapping[int, Memory] | None = None,
        table: int = 0,
        *,
        known: object = None,
        names: tuple[str, ...] = (),
    ) -> Iterator[Packets]:
        """The packets that enter a table, in parts, each with the effects at the end of its way.

        Parts that `right` has recorded for the same question are left out. ``known`` identifies the question, together
        with the values of the fields ``names``.
        """
        self._known, self._names = known, names
        return self._enter(table, Packets(dict(fields), sets, memory or {}))

    def right(self, packets: Packets) -> None:
        """Record that these packets have no fault: `run` leaves them out when the same question is asked again."""
        if packets.kept is not None:
            self._passed[packets.kept].append(packets.sets)

    def _enter(self, number: int, packets: Packets) -> Iterator[Packets]:
        if number == _KEPT_FROM and self._dependence is not None:
            yield from self._as_kept(number, packets, self._dependence)
        else:
            yield from self._look_up(number, packets)

    def _as_kept(self, number: int, packets: Packets, on: Dependence) -> Iterator[Packets]:
        """Ways from a table on, found once for all packets of the space with the same deciding fields and memory."""
        values = tuple(packets.fields.get(base, 0) for base in on.fields)
        key = values, packets.stack, _hashable(packets.memory) if on.memory else None
        if key not in self._kept:
            fields = {base: value for base, value in zip(on.fields, values, strict=True) if base in packets.fields}
            whole = packets.copy(fields=fields, sets=self.space.everything, effects=(), path=None)
            self._kept[key] = list(self._look_up(number, whole))
        asked = None
        if self._known is not None and not packets.effects:
            asked = self._known, key, tuple(packets.fields.get(name) for name in self._names)
        for index, way in enumerate(self._kept[key]):
            both = meet(way.sets, packets.sets)
            kept = asked and (asked, index)
            if both and not any(is_within(both, each) for each in self._passed.get(kept, ())):
                yield packets.copy(
                    fields={**packets.fields, **way.fields},
                    sets=both,
                    effects=(*packets.effects, *(_of(effect, packets.fields) for effect in way.effects)),
                    path=_after(packets.path, way.path),
                    stack=way.stack,
                    pending=way.pending,
                    kept=kept,
                    takers=way.sets,
                )

    def _look_up(self, number: int, packets: Packets) -> Iterator[Packets]:
        for step, met in self._lookups.get(number, self._nowhere).steps(packets.fields, packets.sets):
            here = packets.copy(sets=met, path=(number, step, packets.path), depth=packets.depth + 1)
            unknown = next((flow.unknown for flow, _ in step.flows if flow.unknown), "")
            if unknown:
                yield _unjudged(here, f"the match {unknown}")
            elif step.ambiguous:
                yield _unjudged(here, "two flows of one priority match, and do otherwise")
            elif here.depth > _DEEPEST:
                yield _unjudged(here, "tables that never end")
            else:
                yield from self._actions(step.actions, here)

    def _actions(self, actions: tuple[a.Action, ...], packets: Packets) -> Iterator[Packets]:
        for position, action in enumerate(actions):
            rest = actions[position + 1 :]
            match action:
                case a.ParsedGoto(table=table):
                    yield from self._enter(table, packets)
                    return
                case a.ParsedResubmit(table=table):
                    for answered in self._enter(table, packets):
                        yield from self._actions(rest, answered)
                    return
                case a.ParsedTrack(table=int(table)):
                    yield from self._recirculate(action, table, packets, rest)
                    return
                case a.ParsedToGroup(group=number):
                    yield from self._group(number, packets, rest)
                    return
                case a.ParsedDecTtl():
                    ttl = packets.fields.get("nw_ttl", 0)
                    if not isinstance(ttl, int):
                        yield _unjudged(packets, "dec_ttl of packets with more than one TTL")
                        return
                    if ttl <= 1:
                        break
                    packets.fields["nw_ttl"] = ttl - 1
                case a.UnknownAction(text=text):
                    yield _unjudged(packets, f"the action {text}")
                    return
                case a.ParsedOutput():
                    for sent in self._output(action, packets):
                        yield from self._actions(rest, sent)
                    return
                case _:
                    try:
                        self._simple(action, packets)
                    except MixedError as error:
                        for number, sets in self.space.split(error.column, packets.sets):
                            yield from self._actions((action, *rest), _with_number(packets, error.column, number, sets))
                        return
        yield packets

    def _simple(self, action: a.Action, packets: Packets) -> None:
        match action:
            case a.ParsedSet(base=base, value=value, mask=mask):
                packets.fields[base] = written(self.space, packets.fields, base, value, mask)
            case a.ParsedMove(source=source, target=target):
                put(self.space, packets.fields, target, get(self.space, packets.fields, source))
            case a.ParsedPush(source=source):
                packets.stack = (*packets.stack, get(self.space, packets.fields, source))
            case a.ParsedPop(target=target):
                if packets.stack:
                    put(self.space, packets.fields, target, packets.stack[-1])
                    packets.stack = packets.stack[:-1]
            case a.ParsedTrack():
                self._remember(action, packets)
            case a.ParsedLearn():
                packets.effects = (*packets.effects, action)
            case _:
                pass  # a conjunction does nothing by itself

    def _group(self, number: int, packets: Packets, rest: tuple[a.Action, ...]) -> Iterator[Packets]:
        group = self._groups.get(number)
        if group is None or group.kind != "select" or not group.buckets:
            what = "is not there" if group is None else f"is of type {group.kind}" if group.buckets else "is empty"
            yield _unjudged(packets, f"group {number}, which {what}")
            return
        for bucket in group.buckets:
            for done in self._actions(bucket, packets.copy()):
                # Changes that a bucket makes to the packet end with the bucket.
                yield from self._actions(
                    rest,
                    packets.copy(
                        sets=done.sets,
                        effects=done.effects,
                        path=done.path,
                        pending=done.pending,
                        fields=done.fields if done.pending is not None else dict(packets.fields),
                    ),
                )

    def _remember(self, action: a.ParsedTrack, packets: Packets) -> None:
        """``ct(commit)``: add the effect, with the mark and label that ``exec(...)`` writes."""
        fields = dict(packets.fields)
        label: Layers = ((place_mask("ct_label"), fields.get("ct_label", 0)),)
        for write in action.memory:
            if isinstance(write, a.ParsedSet):
                base, mask, value = write.base, write.mask, write.value
            else:
                base, mask = write.target.base, write.target.mask
                value = self.space.write(0, get(self.space, fields, write.source), mask, write.target.lsb)
            if base == "ct_label":
                label = ((mask, value), *label)
            else:
                fields[base] = written(self.space, fields, base, value, mask)
        if action.commit:
            if isinstance(action.nat, a.ParsedNat):
                whole = layered(self.space, label, place_mask("ct_label"))
                packets.effects = (*packets.effects, Translated(action.zone, action.nat, whole))
            else:
                packets.effects = (*packets.effects, Committed(action.zone, fields.get("ct_mark", 0), label))

    def _recirculate(
        self, action: a.ParsedTrack, table: int, packets: Packets, rest: tuple[a.Action, ...]
    ) -> Iterator[Packets]:
        """``ct(table=...)``: the packets go on in the table with the state, mark and label of their connection."""
        if rest:
            yield _unjudged(packets, "actions after ct(table=...)")
            return
        self._remember(action, packets)
        known = packets.memory.get(action.zone, Memory())
        label = next((each.label for each in packets.effects if isinstance(each, Translated)), known.label)
        fields = packets.fields
        for side in ("src", "dst"):
            for size in (4, 16):
                if (name := _ADDRESS[side, size]) in fields:
                    fields.setdefault(f"ct_{name}", fields[name])
        for port in ("nw_proto", "tp_dst"):
            if port in fields:
                fields.setdefault(f"ct_{port}", fields[port])
        fields |= {"ct_state": known.state, "ct_zone": action.zone, "ct_mark": known.mark, "ct_label": label}
        if action.nat is True:
            fields.update(known.undo)
        elif isinstance(action.nat, a.ParsedNat):
            nat = action.nat
            fields[_ADDRESS[nat.side, len(nat.address)]] = int.from_bytes(nat.address, "big")
            if nat.side == "dst" and nat.ports:
                fields["tp_dst"] = nat.ports[0]
            if nat.side == "dst" and self.stop:
                yield packets.copy(pending=action.table)
                return
        yield from self._enter(table, packets)

    def _output(self, action: a.ParsedOutput, packets: Packets) -> Iterator[Packets]:
        """Send the packets; Open vSwitch sends none back by the port that it came in by, unless IN_PORT says so."""
        in_port = packets.fields["in_port"]
        if action.port is None:
            yield packets.copy(effects=(*packets.effects, Sent(in_port, dict(packets.fields))))
            return
        port = action.port if isinstance(action.port, int) else get(self.space, packets.fields, action.port)
        back = list(self.space.equal(port, in_port, packets.sets))
        for sets in back:
            yield packets.copy(sets=sets)
        for sets in without([packets.sets], back):
            yield packets.copy(sets=sets, effects=(*packets.effects, Sent(port, dict(packets.fields))))


def _of(effect: Effect, fields: Mapping[str, Value]) -> Effect:
    """The effect of a kept way on packets that have more fields than those that decide."""
    return Sent(effect.port, {**fields, **effect.fields}) if isinstance(effect, Sent) else effect


def _after(path: "Path | None", further: "Path | None") -> "Path | None":
    """The steps of ``path`` and then those of ``further``."""
    steps = []
    while further is not None:
        table, step, further = further
        steps.append((table, step))
    for table, step in reversed(steps):
        path = table, step, path
    return path


def _hashable(memory: Mapping[int, Memory]) -> object:
    return tuple((zone, each.state, each.mark, each.label, *each.undo.items()) for zone, each in memory.items())


def _with_number(packets: Packets, column: Column, number: int, sets: Sets) -> Packets:
    """A part of the packets, with a number in place of a column."""
    fields = {base: number if value is column else value for base, value in packets.fields.items()}
    stack = tuple(number if value is column else value for value in packets.stack)
    return packets.copy(sets=sets, fields=fields, stack=stack)


def _unjudged(packets: Packets, what: str) -> Packets:
    return packets.copy(effects=(*packets.effects, Unsupported(what)))
