"""The clients of Services, and how their packets leave once they have an endpoint."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from msgspec.structs import replace

from ovsnp.analysis.verification.expectation.leaving import NO_CARRIER, carrying, leaving, leaving_by
from ovsnp.analysis.verification.expectation.next_hops import NextHop
from ovsnp.analysis.verification.expectation.proof_context import SOURCE, ProofContext
from ovsnp.analysis.verification.packet_classes.addresses import PeerClass
from ovsnp.analysis.verification.questions.arrivals import by_gateway
from ovsnp.analysis.verification.questions.arriving import gateways
from ovsnp.analysis.verification.questions.bridge_question import BridgeQuestion
from ovsnp.analysis.verification.simulator.space import Element, Value, narrowed
from ovsnp.model.address import Address
from ovsnp.oracle import PodEnd
from ovsnp.pipeline.registers import Origin


class Clients(NamedTuple):
    """The clients of Services that send by one kind of port."""

    origin: str
    elements: Sequence[Element]
    sources: Sequence[PeerClass]
    fields: Mapping[str, Value]

    @property
    def kind(self) -> Origin:
        """The kind of port."""
        return Origin.POD if self.origin == "pod" else Origin.GATEWAY

    @property
    def note(self) -> str:
        """The port in words; empty: a pod's."""
        return "" if self.origin == "pod" else f"by the {self.origin}"


def clients(context: ProofContext) -> Iterator[Clients]:
    """The local pods, and the sources that may send by the gateway."""
    pods = context.locals()
    if pods:
        yield Clients("pod", context.from_pods(pods), pods, {})
    arrivals = by_gateway(context)
    chosen = [(element, far) for element, far in zip(arrivals.elements, arrivals.sources, strict=True) if far]
    if chosen:
        yield Clients("gateway", [element for element, _ in chosen], [far for _, far in chosen], arrivals.fields)


class Leaving(NamedTuple):
    """How packets to endpoints (``ends``, along ``dimension``) leave; ``addresses`` are the fields once translated."""

    context: ProofContext
    who: Clients
    ends: Sequence[PeerClass]
    dimension: int
    addresses: Mapping[str, Value]

    def by_way(self, question: BridgeQuestion, *, carried: bool) -> Iterator[BridgeQuestion]:
        """The question in parts by the kind of next hop; ``carried``: packets to other nodes carry their source."""
        ways = self.context.ways(self.ends, self.who.origin)
        kinds: dict[str, int] = defaultdict(int)
        for index, way in enumerate(ways):
            kinds[_kind(way)] |= 1 << index
        for kind, those in kinds.items():
            if here := those & question.sets[self.dimension]:
                sets = narrowed(question.sets, self.dimension, here)
                # Conntrack may remember a connection that ends because it would go back by the gateway.
                sealed = kind != "nowhere" or self.who.origin == "pod"
                leaves = self._leaves(question, ways, carried=carried and kind == "tunnel")
                yield replace(question, sets=sets, leaves=leaves, sealed=sealed)

    def _leaves(self, question: BridgeQuestion, ways: Sequence[NextHop | None], *, carried: bool) -> dict[str, Value]:
        context, space = self.context, question.space
        leaves = {**leaving(context, space, self.dimension, ways), **self.addresses}
        if carried and self.who.origin == "pod":
            return {**leaves, **carrying(context, space, 0, self.who.sources)}
        return {**leaves, **NO_CARRIER}

    def itself(self) -> dict[Address, int]:
        """For each client that is a pod, the endpoints that are this pod, as bits."""
        by_pod: dict[str, int] = defaultdict(int)
        for place, far in enumerate(self.ends):
            if isinstance(far.end, PodEnd):
                by_pod[far.end.pod.key] |= 1 << place
        return {
            each.address: by_pod.get(each.end.pod.key, 0)
            for each in self.who.sources
            if isinstance(each.end, PodEnd) and self.who.origin == "pod"
        }

    def back_to_itself(self, question: BridgeQuestion, *, bound: bool) -> Iterator[BridgeQuestion]:
        """A pod that reaches itself gets the packet back; ``bound``: from the gateway's address, which it answers."""
        context, own = self.context, self.itself()
        for index, source in enumerate(self.who.sources):
            here = own.get(source.address, 0) & question.sets[self.dimension]
            if not here or not question.sets[0] >> index & 1:
                continue
            sets = narrowed(narrowed(question.sets, 0, 1 << index), self.dimension, here)
            (way,) = context.ways([source], "pod")
            if way is None:
                raise ValueError(f"{source.pod.key} is behind no port")
            leaves = {**leaving_by(way), **self.addresses}
            if bound and (found := gateways(context)):
                leaves[SOURCE[context.version]] = found[0]
            yield replace(question, sets=sets, leaves=leaves)


def _kind(way: NextHop | None) -> str:
    if way is None:
        return "nowhere"
    return "tunnel" if way.tunnel else "here"
