"""The oracle over one cluster, prepared for many questions.

Its answers are those of `who`, `judge` and `judge_service`, which a test holds it to; it differs from them in what it
keeps: who holds which address, which policies isolate which pods, and whom a peer names.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, KeysView, Sequence
from functools import partial

from ovsnp.model.address import Address, family
from ovsnp.model.cluster import Cluster, Pod
from ovsnp.model.policy import Direction, IPBlock, NetworkPolicy, Peer, PodPeer, Rule
from ovsnp.model.ports import PortEntry
from ovsnp.model.service import Service, ServicePort
from ovsnp.verify.endpoints import Endpoint, NodeEnd, OutsideEnd, PodEnd
from ovsnp.verify.judge import Admission, Exemption, Side, Verdict, affects, begins_on, exemption, holds_cluster_ip
from ovsnp.verify.multicast import is_group_address
from ovsnp.verify.peers import peer_matches
from ovsnp.verify.selection import Workloads
from ovsnp.verify.services import Backend, backends, service_at
from ovsnp.verify.traffic import Traffic, port_matches


class Prepared:
    """Answers for one cluster, as the functions of the same names do."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.workloads = Workloads(cluster)
        self._holders = _holders(cluster)
        self._isolating = {direction: self._find_isolating(direction) for direction in Direction}
        self._named: dict[tuple[str, PodPeer], set[int]] = {}
        self._backends: dict[tuple[str, ServicePort, int, str | None], frozenset[Backend]] = {}
        self._group: dict[Endpoint, bool] = {}

    def _find_isolating(self, direction: Direction) -> dict[int, list[NetworkPolicy]]:
        found: dict[int, list[NetworkPolicy]] = defaultdict(list)
        for policy in self.cluster.policies:
            if affects(policy, direction):
                for number in self.workloads.of_namespace(policy.namespace, policy.pod_selector):
                    found[number].append(policy)
        return found

    def who(self, address: Address) -> Endpoint:
        """Whose the address is."""
        return self._holders.get(address) or OutsideEnd(address)

    @property
    def held(self) -> KeysView[Address]:
        """The addresses that pods and nodes hold."""
        return self._holders.keys()

    def isolating(self, direction: Direction, pod: Pod) -> tuple[NetworkPolicy, ...]:
        """The policies that isolate a pod of this cluster in one direction."""
        return tuple(self._isolating[direction].get(self.workloads.of_pod[pod.key], ()))

    def rules(self, direction: Direction, near: Pod, far: Endpoint) -> Iterator[tuple[Admission, Rule]]:
        """The rules of a pod's policies whose peers name the far end, whatever their ports."""
        for policy in self._isolating[direction].get(self.workloads.of_pod[near.key], ()):
            for index, rule in enumerate(policy.rules(direction)):
                if not rule.peers or any(self._names(policy.namespace, peer, far) for peer in rule.peers):
                    yield Admission(policy, direction, index), rule

    def _names(self, namespace: str, peer: Peer, far: Endpoint) -> bool:
        if isinstance(peer, IPBlock):
            return peer_matches(self.cluster, namespace, (peer,), far)
        return isinstance(far, PodEnd) and self.workloads.of_pod[far.pod.key] in self.named(namespace, peer)

    def named(self, namespace: str, peer: PodPeer) -> set[int]:
        """The groups of `workloads` that a peer of a policy in this namespace names."""
        scope = namespace if peer.namespace_selector is None else ""
        if (scope, peer) not in self._named:
            self._named[scope, peer] = self.workloads.of_peer(namespace, peer)
        return self._named[scope, peer]

    def judge(
        self,
        source: Endpoint,
        destination: Endpoint,
        traffic: Traffic,
        *,
        strict_nodes: bool = False,
        via: Service | None = None,
        opened_to: tuple[Address, Traffic] | None = None,
    ) -> Verdict:
        """Judge the first packet of a connection between ends of this cluster."""
        if family(source.address) != family(destination.address):
            raise ValueError("the two ends of a connection have addresses of one family")
        exempt = exemption(source, destination, strict_nodes=strict_nodes, via=via is not None)
        admits = partial(port_matches, traffic=traffic, destination=destination)
        egress = self._side(Direction.EGRESS, source, destination, admits, exempt)
        if opened_to is not None and isinstance(source, PodEnd):
            egress = self._opened(egress, opened_to)
        ingress = self._side(Direction.INGRESS, destination, source, admits, exempt)
        return Verdict(egress, ingress, self._is_group(destination))

    def _opened(self, side: Side, opened_to: tuple[Address, Traffic]) -> Side:
        """The egress side with the rules too that admit by the cluster IP."""
        admitting = tuple(
            admission
            for policy in side.isolated_by
            for index, rule in enumerate(policy.egress)
            for admission in (Admission(policy, Direction.EGRESS, index),)
            if admission in side.admitted_by or holds_cluster_ip(rule, opened_to)
        )
        return Side(side.isolated_by, admitting, side.exempt)

    def _is_group(self, destination: Endpoint) -> bool:
        if not isinstance(destination, OutsideEnd):
            return False
        if destination not in self._group:
            self._group[destination] = is_group_address(self.cluster, destination)
        return self._group[destination]

    def _side(
        self,
        direction: Direction,
        near: Endpoint,
        far: Endpoint,
        admits: Callable[[Sequence[PortEntry]], bool],
        exempt: Exemption | None,
    ) -> Side:
        if not isinstance(near, PodEnd):
            return Side()
        admitting = tuple(each for each, rule in self.rules(direction, near.pod, far) if admits(rule.ports))
        return Side(self.isolating(direction, near.pod), admitting, exempt)

    def judge_service(
        self,
        source: Endpoint,
        address: Address,
        traffic: Traffic,
        *,
        entry: str | None = None,
        strict_nodes: bool = False,
        service_blocks: bool = False,
    ) -> dict[Backend, Verdict]:
        """Judge the first packet of a connection to a cluster IP and port, for each backend that it may be given."""
        found = service_at(self.cluster, address, traffic)
        if found is None:
            return {}
        service, port = found
        return {
            backend: self.judge(
                source,
                self.who(backend.address),
                Traffic(port.protocol, backend.port),
                strict_nodes=strict_nodes,
                via=service,
                opened_to=(address, traffic) if service_blocks else None,
            )
            for backend in sorted(self.backends(service, port, family(address), begins_on(source, entry)))
        }

    def backends(self, service: Service, port: ServicePort, version: int, node: str | None) -> frozenset[Backend]:
        """Who may be given a connection to this port that begins on a node."""
        key = service.key, port, version, node if service.local else None
        if key not in self._backends:
            self._backends[key] = backends(self.cluster, service, port, version, node)
        return self._backends[key]


def _holders(cluster: Cluster) -> dict[Address, Endpoint]:
    found: dict[Address, Endpoint] = {}
    for pod in cluster.pods:
        for address in pod.addresses:
            found.setdefault(address, PodEnd(pod, address))
    for node in cluster.nodes.values():
        for address in (*node.addresses, *node.gateways):
            found.setdefault(address, NodeEnd(node, address))
    return found
