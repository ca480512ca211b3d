"""Compares the values that questions range over with the values that the tables on their packets' way tell apart.

The pipeline's declaration says which fields a table matches. The values of a field that the flows of a table tell apart
are found here again, independently of the questions.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from random import Random
from typing import NamedTuple

from msgspec.structs import replace

from ovsnp.analysis.verification.packet_classes.connection_states import LABEL, MARK, STATE, STATES
from ovsnp.analysis.verification.proof import questions
from ovsnp.analysis.verification.questions.bridge_question import BridgeQuestion
from ovsnp.analysis.verification.questions.services.endpoint_choice import ServiceQuestion
from ovsnp.analysis.verification.simulator.places import OPTION_BITS, is_option, place_mask
from ovsnp.analysis.verification.simulator.reading import FieldTests, FlowDump, ReadFlow, read_bridge
from ovsnp.analysis.verification.simulator.space import Column, Space, bits_of
from ovsnp.analysis.verification.simulator.walk import Simulator
from ovsnp.compiler import compile_cluster, local_pods, render_text
from ovsnp.model.bridge import BridgePorts
from ovsnp.pipeline.tables import TABLES
from tests.support.golden_cases import cluster_of, options_of
from tests.support.traced import offline_ports

_DECLARED = {table.id: {field.declared.base for field in table.matches} for table in TABLES}
_BY_KIND = {"eth_type", "nw_proto"}
"""The fields that kinds of packets (``tcp6``) stand for; declarations do not list them."""
_OF_CONNECTIONS = {"ct_state": STATE, "ct_label": LABEL, "ct_mark": MARK}
_OF_PROTOCOLS = {"tp_dst", "icmp_type"}

_FULL = {"tun_id": (1 << 24) - 1}
"""The largest value of a field on the wire, where the field is narrower there."""

Tests = list[frozenset[tuple[int, int]]]
"""Values under masks, in sets: a set is what flows that do the same match together."""
Classes = set[tuple[bool, ...]]
"""Classes of a field's values, by which tests hold for them."""


class Asked(NamedTuple):
    """The questions of one space, and the tables that their packets meet."""

    space: Space
    questions: list[BridgeQuestion]
    tables: set[int]

    @property
    def name(self) -> str:
        """The kind of the first question, and by which kind of port the packets come."""
        first = self.questions[0]
        if first.start().keys() & {"tun_src", "tun_ipv6_src"}:
            return f"{first.kind} by tunnels"
        return f"{first.kind} {first.note}" if first.note == "by the gateway" else first.kind


class Missing(NamedTuple):
    """Classes of a field's values that a table on the packets' way can tell apart, but that the space lacks."""

    asked: str
    field: str
    tests: Tests
    protocol: int | None
    classes: Classes


def bridge_of(case: str) -> tuple[FlowDump, list[BridgeQuestion]]:
    """The bridge of a golden case's first node, and the questions about it."""
    cluster = cluster_of(case)
    node = next(iter(cluster.nodes), None)
    options, ports = replace(options_of(case), node=node), offline_ports(local_pods(cluster, node))
    bridge = read_bridge(render_text(compile_cluster(cluster, ports, options)).splitlines())
    return bridge, [*_all_questions(bridge, case, ports, node)]


def _all_questions(bridge: FlowDump, case: str, ports: BridgePorts, node: str | None) -> Iterator[BridgeQuestion]:
    simulator = Simulator(bridge)
    for question in questions(bridge, cluster_of(case), ports, replace(options_of(case), node=node)):
        if isinstance(question, ServiceQuestion):
            # This finds the endpoints that connections are given: the next questions are about these.
            list(question.ask(simulator.walk(question.space, stop=True)))
        yield question


def by_space(bridge: FlowDump, found: Iterable[BridgeQuestion]) -> list[Asked]:
    """The questions by space, without those about megaflows: they are about packets of another question."""
    simulator, spaces = Simulator(bridge), dict[int, Asked]()
    for question in found:
        if question.kind == "megaflow":
            continue
        asked = spaces.setdefault(id(question.space), Asked(question.space, [], set()))
        asked.questions.append(question)
        walk = simulator.walk(question.space, stop=isinstance(question, ServiceQuestion))
        for packets in walk.run(question.start(), question.sets, question.memory, question.table):
            link = packets.path
            while link is not None:
                table, _, link = link
                asked.tables.add(table)
    return list(spaces.values())


def missing(bridge: FlowDump, asked: Asked) -> Iterator[Missing]:
    """The classes of values that a space does not range over."""
    flows = [flow for flow in bridge.flows if flow.table in asked.tables and _may_meet(flow, asked)]
    declared = set().union(*(_DECLARED[table] for table in asked.tables)) | _BY_KIND
    for base in sorted(base for base in declared if not base.startswith(("reg", "xxreg", "conj_id"))):
        for protocol in _protocols(base, flows):
            tests = _tests(base, [flow for flow in flows if _is_of(flow.terms, base, protocol)])
            lacking = _classes(base, tests) - covered(asked, base, protocol, tests)
            if lacking:
                yield Missing(asked.name, base, tests, protocol, lacking)


def left(found: Missing, others: Iterable[Asked]) -> Classes:
    """The classes that other spaces do not range over either."""
    return found.classes - set().union(*(covered(each, found.field, found.protocol, found.tests) for each in others))


def _tests(base: str, flows: Iterable[ReadFlow]) -> Tests:
    alike: dict[object, set[tuple[int, int]]] = defaultdict(set)
    for flow in flows:
        others = frozenset((name, term) for name, term in flow.terms.items() if name != base)
        alike[flow.table, flow.priority, flow.actions, others].add(flow.terms[base])
    return sorted({frozenset(each) for each in alike.values()}, key=sorted)


def _protocols(base: str, flows: Iterable[ReadFlow]) -> list[int | None]:
    """The protocols for which flows match a field; only None for a field that all protocols have."""
    if base not in _OF_PROTOCOLS:
        return [None]
    return sorted({flow.terms["nw_proto"][0] for flow in flows if base in flow.terms})


def _is_of(terms: FieldTests, base: str, protocol: int | None) -> bool:
    return base in terms and (protocol is None or terms["nw_proto"][0] == protocol)


def _may_meet(flow: ReadFlow, asked: Asked) -> bool:
    """Whether packets of the space may have the flow's Ethernet type."""
    value, mask = flow.terms.get("eth_type", (0, 0))
    return any(not (each ^ value) & mask for each in _values(asked, "eth_type"))


def _values(asked: Asked, base: str) -> set[int]:
    """The values of a field that packets have, when they come or once conntrack has undone a translation."""
    found: set[int] = set()
    for question in asked.questions:
        if question.table:
            continue
        there = [question.start()]
        there += [memory.undo for memory in question.memory.values()]
        name = _OF_CONNECTIONS.get(base, base)
        # The original destination of a connection is the destination of its first packet.
        plain = base.removeprefix("ct_") if name == base else name
        for fields in there:
            value = fields.get(name, fields.get(plain, 0))
            if isinstance(value, Column):
                bits = question.sets[value.dimension] & question.space.everything[value.dimension]
                found |= {value.values[index] for index in bits_of(bits)}
            else:
                found.add(value)
    return found


def covered(asked: Asked, base: str, protocol: int | None, tests: Tests) -> Classes:
    """The classes of a field's values that the questions of a space range over."""
    if protocol is None:
        return {_class(value, tests) for value in _values(asked, base)}
    found: Classes = set()
    for question in asked.questions:
        numbers, values = question.start().get("nw_proto", 0), question.start().get(base, 0)
        if isinstance(numbers, Column) and isinstance(values, Column) and numbers.dimension == values.dimension:
            pairs = zip(numbers.values, values.values, strict=True)
            found |= {_class(value, tests) for number, value in pairs if number == protocol}
        elif not question.table:
            found |= {_class(value, tests) for value in _values(asked, base)}
    return found


def _class(value: int, tests: Tests) -> tuple[bool, ...]:
    return tuple(any(not (value ^ wanted) & mask for wanted, mask in test) for test in tests)


def _classes(base: str, tests: Tests) -> Classes:
    """The classes that tests tell apart, as far as values near those of the tests show them."""
    if base == "ct_state":
        return {_class(state.bits, tests) for state in STATES}
    random = Random(base)
    full = (1 << OPTION_BITS + 1) - 1 if is_option(base) else _FULL.get(base, place_mask(base))
    values = {0, full, *(value for each in sorted(set().union(*tests)) for value in _near(each, full, random))}
    # An option that is absent has no value.
    return {_class(each, tests) for each in values if not is_option(base) or each >> OPTION_BITS or not each}


def _near(test: tuple[int, int], full: int, random: Random) -> Iterator[int]:
    """Values that pass a test, and values that fail it by one bit."""
    value, mask = test
    yield value
    for _ in range(4):
        yield value | random.getrandbits(full.bit_length()) & full & ~mask
    for bit in bits_of(mask):
        if full >> bit & 1:
            yield value ^ 1 << bit
