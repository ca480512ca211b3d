"""Questions about new connections to Services: the chosen endpoint, the verdict of the policies, and the way out.

The way of a connection that has an endpoint depends on the endpoint, not on the Service: one question is about all
endpoints.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from msgspec.structs import replace

from ovsnp.analysis.verification.expectation.proof_context import DESTINATION, ProofContext, named
from ovsnp.analysis.verification.expectation.verdicts import Row, VerdictTable
from ovsnp.analysis.verification.packet_classes.addresses import PeerClass
from ovsnp.analysis.verification.packet_classes.connection_states import ELEMENTS, NAMES, Piece, chosen, known, pieces
from ovsnp.analysis.verification.packet_classes.traffic import NUMBERS
from ovsnp.analysis.verification.questions.bridge_question import BridgeQuestion
from ovsnp.analysis.verification.questions.by_state import marks, opened
from ovsnp.analysis.verification.questions.services.clients import Clients, Leaving, clients
from ovsnp.analysis.verification.questions.services.endpoint_choice import (
    CLUSTER_IPS,
    CONNECTIONS,
    ENDPOINTS,
    SOURCES,
    TRAFFIC,
    DnatBinding,
    ServicePortCase,
    ServiceQuestion,
    fronts,
)
from ovsnp.analysis.verification.questions.services.open_connections import OpenServiceConnections, holds
from ovsnp.analysis.verification.simulator.space import Sets, Value, bits, narrowed
from ovsnp.model.address import Address, format_address

_TAKEN_OVER = ("xxreg2",)
"""Registers that only say which endpoint was chosen."""


def service_questions(context: ProofContext) -> Iterator[BridgeQuestion]:
    """All questions about Services of the family."""
    found = fronts(context)
    if not found:
        return
    for who in clients(context):
        yield from Asking(context, who, found).questions()
        yield from OpenServiceConnections(context, who, found).questions()


class Asking:
    """The questions about the first packets of connections that some clients open to Services."""

    def __init__(self, context: ProofContext, who: Clients, found: Sequence[ServicePortCase]) -> None:
        self._context, self._clients = context, who
        self._given = [DnatBinding(front, backend) for front in found for backend in sorted(front.backends)]
        self._index = {each: index for index, each in enumerate(self._given)}
        self._ends = [context.far_of(each.backend.address) for each in self._given]
        ips = sorted({front.cluster_ip for front in found})
        self._space = context.space(
            who.elements,
            [{DESTINATION[context.version]: int.from_bytes(each, "big")} for each in ips],
            context.cells.elements,
            ELEMENTS,
            [{}] * max(len(self._given), 1),
            marks(context).elements,
            fixed=who.fields,
        )
        self._names = [[named(each) for each in who.sources], [format_address(each) for each in ips], [], NAMES,
                       [str(each) for each in self._given]]  # fmt: skip
        self._places = {address: index for index, address in enumerate(ips)}
        self._by_place = {
            (
                self._places[front.cluster_ip],
                context.cells.of(front.port.protocol, front.port.number).bit_length() - 1,
            ): front
            for front in found
        }
        self._addresses = self._translated()

    def questions(self) -> Iterator[BridgeQuestion]:
        """The questions about the endpoints that connections are given, and about their packets after that."""
        for piece in pieces(self._context.cells, chosen(lambda state: not state.bound), self._clients.kind):
            if piece.judged:
                choice = self._choice(piece)
                yield choice
                if self._given:
                    yield from self._onwards(choice)

    def _choice(self, piece: Piece) -> ServiceQuestion:
        served: dict[int, int] = defaultdict(int)
        for (place, cell), front in self._by_place.items():
            served[place] |= (1 << cell) if front.backends else 0
        columns: dict[int, int] = defaultdict(int)
        for place in range(len(self._places)):
            columns[served[place]] |= 1 << place
        space, context = self._space, self._context
        everything = space.everything
        return ServiceQuestion(
            "service",
            space,
            self._names,
            {**context.common(space), **self._clients.fields},
            narrowed(narrowed(everything, CONNECTIONS, piece.states), TRAFFIC, piece.traffic),
            VerdictTable((SOURCES, CLUSTER_IPS, TRAFFIC), [Row(everything[SOURCES], columns)]),
            note=self._clients.note,
            memory={context.zone: known(space)},
            ends=[(everything, *context.ends(space))],
            context=context,
            by_place={each: front for each, front in self._by_place.items() if front.backends},
            begun=[],
        )

    def _onwards(self, choice: ServiceQuestion) -> Iterator[BridgeQuestion]:
        """The questions about packets that have an endpoint, from the table on where they go on."""
        context = self._context
        translated = {name: self._addresses[name] for name in (DESTINATION[context.version], "tp_dst")}
        leaving = Leaving(context, self._clients, self._ends, ENDPOINTS, translated)
        both = context.ends(self._space)[0], self._addresses[DESTINATION[context.version]]
        remembers = opened(context, self._space, self._clients.kind)
        plain = replace(choice_as_question(choice), remembers=remembers, ends=[(self._space.everything, *both)])
        tables = [
            VerdictTable((SOURCES, ENDPOINTS, TRAFFIC), self._rows(leaving.itself(), selfless=each))
            for each in (True, False)
        ]
        for table, fields, sets in self._begun(choice):
            first = replace(plain, fields={**fields, **self._addresses}, sets=sets, table=table)
            yield from leaving.by_way(replace(first, verdicts=tables[0]), carried=True)
            yield from leaving.back_to_itself(replace(first, verdicts=tables[1]), bound=True)

    def _begun(self, choice: ServiceQuestion) -> Iterator[tuple[int, dict[str, Value], Sets]]:
        """Where connections go on: table, fields, packets; one item for connections that differ in translation only."""
        lost = {"tp_dst", "ct_tp_dst", "nw_proto", "ct_nw_proto", *_TAKEN_OVER}
        lost |= {DESTINATION[self._context.version], f"ct_{DESTINATION[self._context.version]}"}
        found: dict[object, tuple[int, dict[str, Value], dict[Sets, int]]] = {}
        for packets, given in choice.begun:
            fields = {name: value for name, value in packets.fields.items() if name not in lost}
            if packets.pending is None:
                raise ValueError(f"a connection to {given.front.service.key} goes on in no table")
            key = packets.pending, frozenset(fields.items())
            _, _, places = found.setdefault(key, (packets.pending, fields, defaultdict(int)))
            sets = narrowed(narrowed(narrowed(packets.sets, CLUSTER_IPS, 1), TRAFFIC, 1), ENDPOINTS, 1)
            places[sets] |= 1 << self._index[given]
        for table, fields, places in found.values():
            for sets, those in places.items():
                yield table, fields, narrowed(sets, ENDPOINTS, those)

    def _column(self, values: Sequence[int]) -> Value:
        return self._space.column(ENDPOINTS, tuple(values))

    def _translated(self) -> dict[str, Value]:
        """The fields of packets to the endpoints, with the cluster IP and port that the connections were opened to."""
        opened = [each.front for each in self._given]
        name = DESTINATION[self._context.version]
        protocols = self._column([NUMBERS[each.port.protocol] for each in opened])
        return {
            f"ct_{name}": self._column([int.from_bytes(each.cluster_ip, "big") for each in opened]),
            "ct_nw_proto": protocols,
            "ct_tp_dst": self._column([each.port.number for each in opened]),
            name: self._column([each.value for each in self._ends]),
            "nw_proto": protocols,
            "tp_dst": self._column([each.backend.port for each in self._given]),
        }

    def _rows(self, itself: Mapping[Address, int], *, selfless: bool) -> list[Row]:
        """For each client the endpoints that it may reach; ``selfless``: both verdicts are right for itself."""
        context, blocks = self._context, self._context.expect.options.service_blocks
        ways = context.ways(self._ends, self._clients.origin)
        alike: dict[tuple[object, ...], tuple[PeerClass, DnatBinding, bool, int]] = {}
        for index, (given, far, way) in enumerate(zip(self._given, self._ends, ways, strict=True)):
            front = given.front
            opened = (front.cluster_ip, front.port.number) if blocks else None
            kind = context.alike(far), way is None, front.port.protocol, given.backend.port, opened
            before = alike[kind][3] if kind in alike else 0
            alike[kind] = far, given, way is not None, before | 1 << index
        vacant = bits(far.vacant and way for far, way in zip(self._ends, ways, strict=True))
        kept: dict[object, bool] = {}
        rows = []
        for index, source in enumerate(self._clients.sources):
            passes = dropped = 0
            for key, (far, given, reached, those) in alike.items():
                whole = key, context.client(source)
                if whole not in kept:
                    kept[whole] = reached and self._passes(source, far, given)
                passes, dropped = (passes | those, dropped) if kept[whole] else (passes, dropped | those)
            open_ = vacant | (itself.get(source.address, 0) if selfless else 0)
            rows.append(Row(1 << index, {context.cells.all: passes, 0: dropped}, open_))
        return rows

    def _passes(self, source: PeerClass, far: PeerClass, given: DnatBinding) -> bool:
        expect = self._context.expect
        cell = expect.cells.of(given.front.port.protocol, given.backend.port)
        if expect.tunneled(source, far) & cell:
            return False
        egress = bool(expect.egress(source, far, via=True) & cell) or holds(self._context, source, given.front)
        return egress and bool(expect.ingress(source, far, via=True) & cell)


def choice_as_question(choice: ServiceQuestion) -> BridgeQuestion:
    """The question about the packets of a choice, without the fields that only a choice has."""
    return BridgeQuestion(*(getattr(choice, name) for name in BridgeQuestion.__struct_fields__))
