"""Questions about Services: who is given a connection, whether policy judges it on its endpoint, and what carries its
source.

What becomes of a connection that was given an endpoint depends on the endpoint, not on the Service: all endpoints are
asked about at once.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

import msgspec
from msgspec.structs import replace

from ovsnp.model.address import Address, family, format_address
from ovsnp.model.options import Encap
from ovsnp.model.policy import Direction
from ovsnp.pipeline.carrier import MARKED, offset_bits
from ovsnp.proof.questions.addresses import Far
from ovsnp.proof.questions.choices import CLUSTER_IPS, ENDPOINTS, SOURCES, TRAFFIC, Choice, Front, Given, fronts
from ovsnp.proof.questions.policy import by_gateway, by_tunnel
from ovsnp.proof.questions.question import Question
from ovsnp.proof.questions.scene import DESTINATION, SOURCE, Scene, named
from ovsnp.proof.questions.states import OPEN_TO_SERVICES, OPENED, State
from ovsnp.proof.questions.traffic import NUMBERS
from ovsnp.proof.questions.verdicts import AllDropped, Row, Table
from ovsnp.proof.questions.ways import Way
from ovsnp.proof.simulator.space import Element, Sets, Value, narrowed
from ovsnp.verify import NodeEnd, PodEnd, Traffic
from ovsnp.verify.judge import holds_cluster_ip

_TAKEN_OVER = ("xxreg2",)
"""Registers that only say which endpoint was chosen."""


class Clients(msgspec.Struct, frozen=True):
    """Who connects to Services by one kind of port."""

    origin: str
    elements: Sequence[Element]
    sources: Sequence[Far]
    fields: Mapping[str, int]


def service_questions(scene: Scene) -> Iterator[Question]:
    """Everything about Services of the family."""
    found = fronts(scene)
    if not found:
        return
    for clients in _clients(scene):
        asking = Asking(scene, clients, found)
        yield asking.choice
        yield from asking.onwards()
    yield from _by_tunnel(scene, found)


def _clients(scene: Scene) -> Iterator[Clients]:
    pods = scene.locals()
    if pods:
        yield Clients("pod", scene.from_pods(pods), pods, {})
    arrivals = by_gateway(scene)
    chosen = [
        (element, far)
        for element, far in zip(arrivals.elements, arrivals.sources, strict=True)
        # Of a Service that is served on the client's node only, nobody knows what another node's address may be given.
        if far and not far.vacant and not (isinstance(far.end, NodeEnd) and far.end.node is not scene.expect.node)
        if not isinstance(far.end, PodEnd)
    ]
    if chosen:
        yield Clients("gateway", [element for element, _ in chosen], [far for _, far in chosen], arrivals.fields)


def _by_tunnel(scene: Scene, found: Sequence[Front]) -> Iterator[Question]:
    """What comes by the tunnel was given its endpoint where it came from."""
    ips = sorted({front.cluster_ip for front in found})
    for arrivals in by_tunnel(scene):
        elements = [{DESTINATION[scene.version]: int.from_bytes(each, "big")} for each in ips]
        space = scene.space(arrivals.elements, elements, scene.cells.elements, arrivals.tunnels)
        fields = {**scene.common(), **arrivals.fields}
        names = [arrivals.names, [format_address(each) for each in ips]]
        yield Question("service", space, names, fields, space.everything, AllDropped(), note="by the tunnel")


class Asking:
    """The questions about the Services of a scene, of some clients."""

    def __init__(self, scene: Scene, clients: Clients, found: Sequence[Front]) -> None:
        self._scene, self._clients = scene, clients
        self._given = [Given(front, backend) for front in found for backend in sorted(front.backends)]
        ips = sorted({front.cluster_ip for front in found})
        self._space = scene.space(
            clients.elements,
            [{DESTINATION[scene.version]: int.from_bytes(each, "big")} for each in ips],
            scene.cells.elements,
            [{}] * max(len(self._given), 1),
        )
        names = [[named(each) for each in clients.sources], [format_address(each) for each in ips], [],
                 [str(each) for each in self._given]]  # fmt: skip
        places, cells = {address: index for index, address in enumerate(ips)}, scene.cells
        by_place = {
            (
                places[front.cluster_ip],
                cells.of(front.port.protocol, front.port.number).bit_length() - 1,
            ): front
            for front in found
        }
        served: dict[int, int] = defaultdict(int)
        for (place, cell), front in by_place.items():
            served[place] |= (1 << cell) if front.backends else 0
        columns: dict[int, int] = defaultdict(int)
        for place in range(len(ips)):
            columns[served[place]] |= 1 << place
        everything = self._space.everything
        self.choice = Choice(
            "service",
            self._space,
            names,
            {**scene.common(), **clients.fields},
            everything,
            Table((SOURCES, CLUSTER_IPS, TRAFFIC), [Row(everything[SOURCES], columns)]),
            note="" if clients.origin == "pod" else f"by the {clients.origin}",
            ends=scene.ends(self._space),
            scene=scene,
            by_place={each: front for each, front in by_place.items() if front.backends},
            begun=[],
        )

    def onwards(self) -> Iterator[Question]:
        """What becomes of connections that were given an endpoint: of the first packet, and of those after it."""
        if not self._given:
            return
        self._index = {each: index for index, each in enumerate(self._given)}
        self._ends = [self._scene.far_of(each.backend.address) for each in self._given]
        self._ways = self._scene.ways(self._ends, self._clients.origin)
        self._itself = self._own()
        self._opened = self._addressed()
        self._addresses = self._translated()
        for table, fields, sets in self._begun():
            start = {**fields, **self._addresses}
            first = replace(self._plain("service", OPENED), fields=start, sets=sets, table=table, zone=self._scene.zone)
            yield from self._by_way(first)
        undo = {name: self._addresses[name] for name in (DESTINATION[self._scene.version], "tp_dst")}
        for state in OPEN_TO_SERVICES:
            later = self._plain("connection state", state)
            memory = {zone: replace(known, undo=undo) for zone, known in state.memory(self._scene).items()}
            fields = {**later.fields, **self._opened}
            yield from self._by_way(replace(later, fields=fields, memory=memory, note=str(state)))

    def _own(self) -> dict[Address, int]:
        """For each client that is a pod the endpoints that are itself."""
        by_pod: dict[str, int] = defaultdict(int)
        for place, far in enumerate(self._ends):
            if isinstance(far.end, PodEnd):
                by_pod[far.end.pod.key] |= 1 << place
        return {
            each.address: by_pod.get(each.end.pod.key, 0)
            for each in self._clients.sources
            if isinstance(each.end, PodEnd)
        }

    def _plain(self, kind: str, state: State) -> Question:
        choice = self.choice
        verdicts = Table((SOURCES, ENDPOINTS, TRAFFIC), self._rows(state))
        sets = narrowed(narrowed(choice.sets, TRAFFIC, 1), CLUSTER_IPS, 1)
        both = self._scene.ends(self._space)[0], self._opened[DESTINATION[self._scene.version]]
        return Question(kind, self._space, choice.names, choice.fields, sets, verdicts, note=choice.note, ends=both)

    def _begun(self) -> Iterator[tuple[int, dict[str, Value], Sets]]:
        """Where connections go on with which fields; those that differ in their translation only are one."""
        lost = {"tp_dst", "ct_tp_dst", "nw_proto", "ct_nw_proto", *_TAKEN_OVER}
        lost |= {DESTINATION[self._scene.version], f"ct_{DESTINATION[self._scene.version]}"}
        found: dict[object, tuple[int, dict[str, Value], dict[Sets, int]]] = {}
        for packets, given in self.choice.begun:
            fields = {name: value for name, value in packets.fields.items() if name not in lost}
            assert packets.pending is not None
            key = packets.pending, frozenset(fields.items())
            _, _, places = found.setdefault(key, (packets.pending, fields, defaultdict(int)))
            sets = narrowed(narrowed(narrowed(packets.sets, CLUSTER_IPS, 1), TRAFFIC, 1), ENDPOINTS, 1)
            places[sets] |= 1 << self._index[given]
        for table, fields, places in found.values():
            for sets, bits in places.items():
                yield table, fields, narrowed(sets, ENDPOINTS, bits)

    def _column(self, values: Sequence[int]) -> Value:
        return self._space.column(ENDPOINTS, tuple(values))

    def _addressed(self) -> dict[str, Value]:
        """The fields of packets to the cluster IPs and ports, by endpoint."""
        opened = [each.front for each in self._given]
        return {
            DESTINATION[self._scene.version]: self._column([int.from_bytes(each.cluster_ip, "big") for each in opened]),
            "nw_proto": self._column([NUMBERS[each.port.protocol] for each in opened]),
            "tp_dst": self._column([each.port.number for each in opened]),
        }

    def _translated(self) -> dict[str, Value]:
        """The fields of packets to the endpoints, with what they were opened to."""
        opened = {f"ct_{name}": value for name, value in self._opened.items()}
        return {
            **opened,
            DESTINATION[self._scene.version]: self._column([each.value for each in self._ends]),
            "nw_proto": opened["ct_nw_proto"],
            "tp_dst": self._column([each.backend.port for each in self._given]),
        }

    def _rows(self, state: State) -> list[Row]:
        """For each client which endpoints it may reach, in a state of its connection."""
        kept: dict[object, bool] = {}
        alike: dict[tuple[object, ...], tuple[Far, Given, bool, int]] = {}
        for index, (given, far, way) in enumerate(zip(self._given, self._ends, self._ways, strict=True)):
            front = given.front
            opened = (front.cluster_ip, front.port.number) if self._scene.expect.options.service_blocks else None
            kind = self._scene.alike(far), way is None, front.port.protocol, given.backend.port, opened
            before = alike[kind][3] if kind in alike else 0
            alike[kind] = far, given, way is not None, before | 1 << index
        rows = []
        for index, source in enumerate(self._clients.sources):
            passes = dropped = open_ = 0
            for key, (far, given, reached, bits) in alike.items():
                whole = key, self._scene.client(source)
                if whole not in kept:
                    kept[whole] = reached and self._passes(source, far, given, state)
                passes, dropped = (passes | bits, dropped) if kept[whole] else (passes, dropped | bits)
                if far.vacant and reached:
                    open_ |= bits
            open_ |= self._itself.get(source.address, 0)
            rows.append(Row(1 << index, {self._scene.cells.all: passes, 0: dropped}, open_))
        return rows

    def _passes(self, source: Far, far: Far, given: Given, state: State) -> bool:
        expect, cells = self._scene.expect, self._scene.cells
        cell = cells.of(given.front.port.protocol, given.backend.port)
        if expect.tunneled(source, far) & cell:
            return False
        if not state.judged and not (state.portless and cell & cells.portless):
            return bool(cell & (cells.tcp if state.only_tcp else cells.all))
        egress = bool(expect.egress(source, far, via=True) & cell) or self._holds(source, given)
        return egress and bool(expect.ingress(source, far, via=True) & cell)

    def _holds(self, source: Far, given: Given) -> bool:
        """Whether a block of the client's egress rules holds the cluster IP, with --service-blocks."""
        expect = self._scene.expect
        if not expect.options.service_blocks or not isinstance(source.end, PodEnd):
            return False
        port = given.front.port
        opened_to = given.front.cluster_ip, Traffic(port.protocol, port.number)
        policies = expect.prepared.isolating(Direction.EGRESS, source.end.pod)
        return any(holds_cluster_ip(rule, opened_to) for policy in policies for rule in policy.egress)

    def _by_way(self, question: Question) -> Iterator[Question]:
        """The question in parts, for each way that packets leave."""
        kinds: dict[str, int] = defaultdict(int)
        for index, (far, way) in enumerate(zip(self._ends, self._ways, strict=True)):
            kinds[self._kind(far, way)] |= 1 << index
        for kind, bits in kinds.items():
            if here := bits & question.sets[ENDPOINTS]:
                sets = narrowed(question.sets, ENDPOINTS, here)
                zone = None if kind == "nowhere" else question.zone
                yield replace(question, sets=sets, leaves=self._leaves(kind), zone=zone)
        if self._clients.origin == "pod":
            yield from self._hairpins(question)

    def _kind(self, far: Far, way: Way | None) -> str:
        if way is None:
            return "nowhere"
        return "tunnel" if way.tunnel else "here"

    def _leaves(self, kind: str) -> dict[str, Value]:
        scene, version = self._scene, self._scene.version
        leaves = scene.leaving(self._space, ENDPOINTS, self._ways)
        leaves |= self._translated_addresses()
        if self._clients.origin != "pod":
            return leaves
        node = scene.expect.node
        cidr = next((each for each in (node.pod_cidrs if node else ()) if each.family == version), None)
        leaves |= scene.no_carrier()
        if kind == "tunnel" and cidr:
            sources = [each.value for each in self._clients.sources]
            bits = (1 << offset_bits(cidr)) - 1
            vxlan = scene.expect.options.encap is Encap.VXLAN
            carried = [value & bits if vxlan else scene.carrying(value) for value in sources]
            leaves["tun_id"] = MARKED
            leaves[scene.carrier_field()] = self._space.column(SOURCES, tuple(carried))
            if scene.expect.options.masquerade:
                leaves[SOURCE[version]] = int.from_bytes(cidr.gateway, "big")
        return leaves

    def _translated_addresses(self) -> dict[str, Value]:
        return {
            SOURCE[self._scene.version]: self._space.fields()[SOURCE[self._scene.version]],
            **{name: self._addresses[name] for name in (DESTINATION[self._scene.version], "tp_dst")},
        }

    def _hairpins(self, question: Question) -> Iterator[Question]:
        """A pod that reaches itself gets the packet back, from the gateway's address: so it answers to the bridge."""
        scene = self._scene
        gateways = [each for each in (scene.expect.node.gateways if scene.expect.node else ())
                    if family(each) == scene.version]  # fmt: skip
        assert isinstance(question.verdicts, Table)
        for index, source in enumerate(self._clients.sources):
            here = self._itself.get(source.address, 0) & question.sets[ENDPOINTS]
            if not here or not question.sets[SOURCES] >> index & 1:
                continue
            sets = narrowed(narrowed(question.sets, SOURCES, 1 << index), ENDPOINTS, here)
            (way,) = scene.ways([source], "pod")
            leaves = {**scene.leaving_by(way), **self._translated_addresses()}
            leaves[SOURCE[scene.version]] = int.from_bytes(gateways[0], "big") if gateways else source.value
            yield replace(question, sets=sets, verdicts=question.verdicts.closed(), leaves=leaves)
