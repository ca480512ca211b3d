"""Asks which endpoint a connection to a Service gets: for each cluster IP and port, from every client."""

from collections import defaultdict
from collections.abc import Iterator, Mapping

import msgspec

from ovsnp.analysis.verification.expectation.proof_context import DESTINATION, SOURCE, ProofContext
from ovsnp.analysis.verification.packet_classes.connection_states import BOUND_BIT
from ovsnp.analysis.verification.packet_classes.traffic import NUMBERS
from ovsnp.analysis.verification.questions.bridge_question import BridgeQuestion, PacketFault, judged
from ovsnp.analysis.verification.simulator.actions import ParsedLearn, ParsedNat
from ovsnp.analysis.verification.simulator.packets import Packets, Translated
from ovsnp.analysis.verification.simulator.places import place
from ovsnp.analysis.verification.simulator.space import Sets, bits_of, narrowed, without
from ovsnp.analysis.verification.simulator.walk import Walk
from ovsnp.model.address import Address, format_address
from ovsnp.model.service import Service, ServicePort
from ovsnp.oracle import ServingBackend
from ovsnp.pipeline.registers import ENDPOINT

SOURCES, CLUSTER_IPS, TRAFFIC, CONNECTIONS, ENDPOINTS = range(5)
_LONGEST = 0xFFFF


class ServicePortCase(msgspec.Struct, frozen=True):
    """A cluster IP and port of a Service, and the endpoints that a connection to it may be given."""

    cluster_ip: Address
    service: Service
    port: ServicePort
    backends: frozenset[ServingBackend]

    def __str__(self) -> str:
        return f"{self.service.key} at {format_address(self.cluster_ip)}, {self.port.number}/{self.port.protocol}"


class DnatBinding(msgspec.Struct, frozen=True):
    """A cluster IP and port, and the endpoint that a connection to it is given."""

    front: ServicePortCase
    backend: ServingBackend

    def __str__(self) -> str:
        backend = self.backend
        return f"{self.front.service.key} by its endpoint {format_address(backend.address)} port {backend.port}"


def fronts(context: ProofContext) -> list[ServicePortCase]:
    """Every cluster IP and port of the family, with the endpoints for connections that begin on this node."""
    node = context.expect.options.node
    return [
        ServicePortCase(address, service, port, context.expect.oracle.backends(service, port, context.version, node))
        for service in context.expect.oracle.cluster.services
        for address in service.cluster_ips
        if (len(address) == 4) == (context.version == 4)
        for port in service.ports
    ]


class ServiceQuestion(BridgeQuestion, kw_only=True):
    """A question about packets that open connections to Services, which the flows must give endpoints.

    ``by_place`` gives the cluster IP and port for the numbers of two elements, of the destination and of the traffic.
    `ask` fills ``begun`` with the packets at their translation, each with the endpoint that it is given.
    """

    context: ProofContext
    by_place: Mapping[tuple[int, int], ServicePortCase]
    begun: list[tuple[Packets, DnatBinding]] = msgspec.field(default_factory=list)

    def ask(self, walk: Walk) -> Iterator[PacketFault]:
        """Take the packets to their translation; the faults are wrong endpoints, and endpoints that are never given."""
        chosen: dict[tuple[int, int, ServingBackend], list[Sets]] = defaultdict(list)
        start = Packets(self.start(), self.sets, {})
        for packets in walk.run(start.fields, self.sets, self.memory):
            if packets.pending is None:
                yield from judged(self, packets)
                if packets.sent:
                    yield from (
                        PacketFault("leaves without being given an endpoint", packets, sets)
                        for sets in self.verdicts.must_pass(packets.sets)
                    )
                continue
            for cluster_ip in bits_of(packets.sets[CLUSTER_IPS]):
                for cell in bits_of(packets.sets[TRAFFIC]):
                    here = narrowed(narrowed(packets.sets, CLUSTER_IPS, 1 << cluster_ip), TRAFFIC, 1 << cell)
                    front = self.by_place.get((cluster_ip, cell))
                    what, backend = self._wrong(packets, front)
                    if what or front is None or backend is None:
                        yield PacketFault(what, packets, here)
                    else:
                        chosen[cluster_ip, cell, backend].append(here)
                        self.begun.append((packets.copy(sets=here), DnatBinding(front, backend)))
        yield from self._never(chosen, start)

    def _wrong(self, packets: Packets, front: ServicePortCase | None) -> tuple[str, ServingBackend | None]:
        translations = [each for each in packets.effects if isinstance(each, Translated)]
        nat = translations[-1].nat
        if packets.sent:
            return "leaves before it is given an endpoint", None
        if front is None:
            return "is given an endpoint, and no Service has this port", None
        if nat.ports is None or nat.ports[0] != nat.ports[1]:
            return "is given an endpoint without a port", None
        backend = ServingBackend(nat.address, nat.ports[0])
        if backend not in front.backends:
            return f"is given {format_address(nat.address)} port {backend.port}, which is no endpoint of it", None
        if len(translations) != 1 or translations[0].zone != self.context.zone:
            return "is translated in another conntrack zone", None
        if self.space.write(0, translations[0].label, BOUND_BIT) != BOUND_BIT:
            return "is not remembered as Service-bound", None
        return self._wrongly_learned(packets, front, nat), backend

    def _wrongly_learned(self, packets: Packets, front: ServicePortCase, nat: ParsedNat) -> str:
        learned = [each for each in packets.effects if isinstance(each, ParsedLearn)]
        if not front.service.affinity:
            return "is kept for its endpoint, and the Service has no sessionAffinity" if learned else ""
        if len(learned) != 1:
            return "is not kept for its endpoint"
        (learn,) = learned
        version = self.context.version
        terms = {
            "eth_type": 0x800 if version == 4 else 0x86DD,
            "nw_proto": NUMBERS[front.port.protocol],
            DESTINATION[version]: int.from_bytes(front.cluster_ip, "big"),
            "tp_dst": front.port.number,
        }
        if dict(learn.terms) != terms or learn.same != (SOURCE[version],):
            return "is kept for an endpoint by other fields than its source and the Service's address and port"
        if learn.idle_timeout != min(front.service.affinity, _LONGEST):
            return f"is kept for {learn.idle_timeout} seconds"
        where = place(ENDPOINT.base)
        if where is None:
            return "is kept where no field is known"
        has = packets.fields.get(where.base, 0)
        for write in learn.then:
            if write.base != where.base or not isinstance(has, int) or write.value != has & where.mask:
                return "is kept for another endpoint than it was given"
        return ""

    def _never(
        self, chosen: Mapping[tuple[int, int, ServingBackend], list[Sets]], start: Packets
    ) -> Iterator[PacketFault]:
        for (cluster_ip, cell), front in self.by_place.items():
            if not self.sets[TRAFFIC] >> cell & 1:
                continue
            for backend in sorted(front.backends):
                whole = narrowed(narrowed(self.sets, CLUSTER_IPS, 1 << cluster_ip), TRAFFIC, 1 << cell)
                for sets in without([whole], chosen.get((cluster_ip, cell, backend), [])):
                    what = f"is never given its endpoint {format_address(backend.address)} port {backend.port}"
                    yield PacketFault(what, start, sets)
