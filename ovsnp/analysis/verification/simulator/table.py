"""Finds the flows of a table that a set of packets meets: by priority, conjunctive matches included (ovs-fields(7),
"Conjunctive Match Fields")."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby

import msgspec

from ovsnp.analysis.verification.simulator.actions import Action, ParsedSet
from ovsnp.analysis.verification.simulator.conjunctions import conjunctions_of
from ovsnp.analysis.verification.simulator.reading import ReadFlow
from ovsnp.analysis.verification.simulator.space import (
    Column,
    Sets,
    Space,
    Value,
    bits_of,
    meet,
    merged,
    narrowed,
    without,
)

Fields = Mapping[str, Value]
_MANY = 64
_Shape = tuple[tuple[str, int], ...]


class Candidate(msgspec.Struct, frozen=True):
    """A flow, and the packets that it matches if ``conj_id`` is left out of the match (None: the match has none)."""

    flow: ReadFlow
    packets: Sets
    conj_id: int | None


class AppliedFlows(msgspec.Struct, frozen=True, eq=False):
    """Packets to which the same actions apply, and the flows that say so, each with its packets; none: no flow matches.

    ``ambiguous``: a flow of the same priority with other actions matches the packets as well.
    """

    packets: Sets
    actions: tuple[Action, ...]
    flows: tuple[tuple[ReadFlow, tuple[Sets, ...]], ...] = ()
    ambiguous: bool = False


class FlowTable:
    """The flows of a table, hashed by the values that they match: one hash for flows with the same fields and masks."""

    def __init__(self, flows: Iterable[ReadFlow]) -> None:
        self._shapes: dict[_Shape, list[tuple[ReadFlow, tuple[int, ...], int | None]]] = defaultdict(list)
        looked_at: dict[str, int] = defaultdict(int)
        for flow in flows:
            shape = tuple(sorted((base, mask) for base, (_, mask) in flow.terms.items() if base != "conj_id"))
            conj = flow.terms.get("conj_id")
            values = tuple(flow.terms[base][0] for base, _ in shape)
            self._shapes[shape].append((flow, values, conj[0] if conj else None))
            for base, mask in shape:
                looked_at[base] |= mask
        self.looked_at = tuple(looked_at.items())
        self._hashed: dict[tuple[_Shape, tuple[int, ...]], dict[tuple[int, ...], list[int]]] = {}

    def candidates(self, fields: Fields, space: Space) -> list[Candidate]:
        """The flows that match some packets with these fields (numbers or columns), the highest priority first."""
        found: list[Candidate] = []
        for shape, flows in self._shapes.items():
            known = tuple(index for index, (base, _) in enumerate(shape) if isinstance(fields.get(base, 0), int))
            for position in self._with_values(shape, known, fields):
                flow, values, conj_id = flows[position]
                packets = space.everything
                for index, (base, mask) in enumerate(shape):
                    value = fields.get(base, 0)
                    if isinstance(value, Column):
                        bits = packets[value.dimension] & space.index(value, mask).get(values[index], 0)
                        packets = narrowed(packets, value.dimension, bits)
                if all(packets):
                    found.append(Candidate(flow, packets, conj_id))
        return sorted(found, key=lambda each: -each.flow.priority)

    def _with_values(self, shape: _Shape, known: tuple[int, ...], fields: Fields) -> Sequence[int]:
        key = shape, known
        if key not in self._hashed:
            hashed: dict[tuple[int, ...], list[int]] = defaultdict(list)
            for position, (_, values, _) in enumerate(self._shapes[shape]):
                hashed[tuple(values[index] for index in known)].append(position)
            self._hashed[key] = hashed
        wanted = tuple(fields.get(shape[index][0], 0) & shape[index][1] for index in known)  # type: ignore[operator]
        return self._hashed[key].get(wanted, ())


class TableLookups:
    """Looks up packets of one space in one table; answers are kept for the next packets with the same fields."""

    def __init__(self, table: FlowTable, space: Space) -> None:
        self._table, self._space = table, space
        self._kept: dict[tuple[Value, ...], list[AppliedFlows]] = {}

    def steps(self, fields: Fields, sets: Sets) -> Iterable[tuple[AppliedFlows, Sets]]:
        """The packets in parts, each with the flows that apply to it; every packet is in a part."""
        looked: list[Value] = []
        for base, mask in self._table.looked_at:
            value = fields.get(base, 0)
            if isinstance(value, Column):
                bits = sets[value.dimension]
                if not bits & (bits - 1):
                    value = value.values[bits.bit_length() - 1] & mask
            else:
                value &= mask
            looked.append(value)
        key = tuple(looked)
        steps = self._kept.get(key)
        if steps is None:
            there = {base: value for (base, _), value in zip(self._table.looked_at, key, strict=True)}
            steps = self._kept[key] = _steps(self._table.candidates(there, self._space), self._space)
        for step in steps:
            if met := meet(step.packets, sets):
                yield step, met


def _steps(candidates: Sequence[Candidate], space: Space) -> list[AppliedFlows]:
    taken = _Taken()
    _take_all(candidates, [space.everything], taken)
    alike: dict[object, list[tuple[ReadFlow | None, list[Sets]]]] = defaultdict(list)
    for flow, products in taken.parts.items():
        skeleton = flow and (flow.unknown or tuple(_bare(action) for action in flow.actions))
        alike[skeleton].append((flow, merged(products)))
    steps: list[AppliedFlows] = []
    for parts in alike.values():
        steps += _together(parts, space, taken.ambiguous)
    return steps


def _bare(action: Action) -> object:
    return (action.base, action.mask) if isinstance(action, ParsedSet) else action


def _together(
    parts: list[tuple[ReadFlow | None, list[Sets]]], space: Space, ambiguous: set[ReadFlow]
) -> Iterable[AppliedFlows]:
    """The steps for flows that have the same actions but for the values that they set: few, by the use of columns."""
    by_actions: dict[tuple[tuple[Action, ...], bool], list[tuple[ReadFlow | None, list[Sets]]]] = defaultdict(list)
    for flow, found in parts:
        by_actions[flow.actions if flow else (), flow in ambiguous].append((flow, found))
    if len(by_actions) > 1 and not any(unsure for _, unsure in by_actions):
        yield from _as_columns([(flow, sets) for flow, found in parts if flow for sets in found], space)
        return
    for (actions, unsure), those in by_actions.items():
        doing = tuple((flow, tuple(found)) for flow, found in those if flow)
        for sets in merged([sets for _, found in those for sets in found]):
            yield AppliedFlows(sets, actions, doing, unsure)


def _as_columns(products: Sequence[tuple[ReadFlow, Sets]], space: Space) -> Iterable[AppliedFlows]:
    """The steps for flows that set different values: flows that differ in one dimension only become one step."""
    dimension = min(
        range(len(space.everything)), key=lambda each: len({narrowed(sets, each, 1) for _, sets in products})
    )
    alike: dict[Sets, list[tuple[ReadFlow, Sets]]] = defaultdict(list)
    for flow, sets in products:
        alike[narrowed(sets, dimension, 1)].append((flow, sets))
    for others, those in alike.items():
        bits = 0
        for _, sets in those:
            bits |= sets[dimension]
        flows = tuple((flow, (sets,)) for flow, sets in those)
        yield AppliedFlows(narrowed(others, dimension, bits), _with_columns(those, dimension, space), flows)


def _with_columns(flows: Sequence[tuple[ReadFlow, Sets]], dimension: int, space: Space) -> tuple[Action, ...]:
    """The flows' actions as one list; a value that they set differently becomes a column."""
    if len(flows) == 1:
        return flows[0][0].actions
    return tuple(
        ParsedSet(action.base, _column(flows, index, dimension, space), action.mask)
        if isinstance(action, ParsedSet)
        else action
        for index, action in enumerate(flows[0][0].actions)
    )


def _column(flows: Sequence[tuple[ReadFlow, Sets]], index: int, dimension: int, space: Space) -> Value:
    wanted = [action for flow, _ in flows if isinstance(action := flow.actions[index], ParsedSet)]
    if len({action.value for action in wanted}) == 1:
        return wanted[0].value
    values = [0] * len(space.dimensions[dimension])
    numbers = (action.value for action in wanted if isinstance(action.value, int))
    for number, (_, sets) in zip(numbers, flows, strict=True):
        for position in bits_of(sets[dimension]):
            values[position] = number
    return space.column(dimension, tuple(values))


class _Taken:
    """The packets that each flow applies to; under None the packets that no flow matches."""

    def __init__(self) -> None:
        self.parts: dict[ReadFlow | None, list[Sets]] = defaultdict(list)
        self.ambiguous: set[ReadFlow] = set()

    def take(self, flow: ReadFlow | None, packets: Sets, among: list[Sets]) -> list[Sets]:
        """Give a flow the packets that it matches in ``among``; returns the rest of ``among``."""
        met = [both for product in among if (both := meet(product, packets))]
        if not met:
            return among
        self.parts[flow] += met
        return without(among, [packets])


def _take_all(candidates: Sequence[Candidate], among: list[Sets], taken: _Taken) -> None:
    dimension = _pivot(candidates)
    if dimension is None:
        _take(candidates, among, taken)
        return
    single: dict[int, list[Candidate]] = defaultdict(list)
    others = []
    for each in candidates:
        bits = each.packets[dimension]
        if bits & (bits - 1):
            others.append(each)
        else:
            single[bits].append(each)
    rest = among[0][dimension]
    for bits, those in single.items():
        part = sorted([*those, *others], key=lambda each: -each.flow.priority)
        _take(part, [narrowed(among[0], dimension, bits)], taken)
        rest &= ~bits
    if rest:
        _take(others, [narrowed(among[0], dimension, rest)], taken)


def _pivot(candidates: Sequence[Candidate]) -> int | None:
    """The dimension in which most of many flows match one element each, so that each element is looked up by itself."""
    if len(candidates) < _MANY:
        return None
    for dimension in range(len(candidates[0].packets)):
        if 2 * sum(each.packets[dimension].bit_count() == 1 for each in candidates) > len(candidates):
            return dimension
    return None


def _take(candidates: Sequence[Candidate], among: list[Sets], taken: _Taken) -> None:
    plain = [each for each in candidates if not each.flow.conjunctions]
    for _, level in groupby(candidates, key=lambda each: each.flow.priority):
        here = list(level)
        hard = [each for each in here if not each.flow.conjunctions and each.conj_id is None]
        _compare(hard, among, taken)
        for each in hard:
            among = taken.take(each.flow, each.packets, among)
        soft = [each for each in here if each.flow.conjunctions]
        claims = []
        for number, conjunction in conjunctions_of((each.flow, each.packets) for each in soft).items():
            its = [claim for packets in conjunction.whole() for claim in _claims(number, packets, plain)]
            # Where flows disagree about the number of clauses, the first flow that Open vSwitch looks at decides.
            if len(conjunction.totals) > 1:
                taken.ambiguous |= {flow for flow, _ in its}
            claims += its
        for index, (flow, packets) in enumerate(claims):
            for other, others in claims[:index]:
                if meet(others, packets) and not _same_but_values(flow, other):
                    taken.ambiguous |= {flow, other}
            among = taken.take(flow, packets, among)
        if not among:
            return
    taken.parts[None] += among


def _claims(number: int, packets: Sets, plain: Sequence[Candidate]) -> Iterable[tuple[ReadFlow, Sets]]:
    """The flows for packets that meet a whole conjunctive match: Open vSwitch looks again, with its id as conj_id."""
    left = [packets]
    for each in plain:
        if each.conj_id in (None, number):
            yield from ((each.flow, both) for product in left if (both := meet(product, each.packets)))
            left = without(left, [each.packets])
        if not left:
            return


def _compare(level: Sequence[Candidate], among: Sequence[Sets], taken: _Taken) -> None:
    """Record flows of one priority that match the same packets: Open vSwitch does not define which of them applies."""
    for index, each in enumerate(level):
        for other in level[:index]:
            both = meet(other.packets, each.packets)
            if both and other.flow.actions != each.flow.actions and any(meet(both, product) for product in among):
                taken.ambiguous |= {other.flow, each.flow}


def _same_but_values(one: ReadFlow, other: ReadFlow) -> bool:
    """Whether two flows have the same actions but for the values that they set, such as the number of a rule."""
    return [_bare(action) for action in one.actions] == [_bare(action) for action in other.actions]
