"""The look-ups in a cluster that the oracle needs to judge a connection."""

from collections.abc import Sequence

from ovsnp.model.address import Address
from ovsnp.model.cluster import Cluster, Pod
from ovsnp.model.policy import Direction, NetworkPolicy, Peer
from ovsnp.model.service import Service, ServicePort
from ovsnp.oracle.endpoints import Endpoint, who
from ovsnp.oracle.isolation import isolates
from ovsnp.oracle.multicast import is_group_address
from ovsnp.oracle.peers import peer_matches
from ovsnp.oracle.services import ServingBackend, backends


class Lookups:
    """Look-ups that work every answer out from the objects, and keep nothing."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster

    def who(self, address: Address) -> Endpoint:
        """The holder of an address."""
        return who(self.cluster, address)

    def isolating(self, direction: Direction, pod: Pod) -> tuple[NetworkPolicy, ...]:
        """The policies that isolate a pod of this cluster in one direction."""
        return tuple(policy for policy in self.cluster.policies if isolates(policy, pod, direction))

    def names(self, namespace: str, peers: Sequence[Peer], far: Endpoint) -> bool:
        """True if the peers of a rule name the far end; ``namespace`` is the namespace of the rule's policy."""
        return peer_matches(self.cluster, namespace, peers, far)

    def is_group(self, destination: Endpoint) -> bool:
        """True if the destination is a multicast or broadcast address."""
        return is_group_address(self.cluster, destination)

    def backends(
        self, service: Service, port: ServicePort, version: int, node: str | None
    ) -> frozenset[ServingBackend]:
        """The backends that may get a connection to this port that begins on a node."""
        return backends(self.cluster, service, port, version, node)


def lookups(cluster: Cluster | Lookups) -> Lookups:
    """The look-ups in a cluster; the argument itself if it has them already."""
    return cluster if isinstance(cluster, Lookups) else Lookups(cluster)
