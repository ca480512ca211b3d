"""One node's integration bridge: its ports, and what it must know of the nodes around it."""

from collections.abc import Mapping

import msgspec

from ovsnp.model.address import Address, Prefix, family, host_prefix, merge
from ovsnp.model.cluster import Node, Pod


class Port(msgspec.Struct, frozen=True):
    """A port of the bridge: its OpenFlow number (1 to 65279), and the MAC address behind it."""

    ofport: int
    mac: int


class Ports(msgspec.Struct, frozen=True):
    """The ports that there are: the tunnel's, the gateway's, and those of local pods by ``NAMESPACE/NAME``.

    ``assumed`` says that nobody was asked: pods' ports are numbered in order.
    """

    tunnel: int
    gateway: Port
    pods: Mapping[str, Port]
    assumed: bool = False


class LocalPod(msgspec.Struct, frozen=True):
    """A pod of this node, and its port."""

    pod: Pod
    port: Port


class RemoteNode(msgspec.Struct, frozen=True):
    """Another node: its number, where its tunnel ends, and which addresses lie behind it."""

    name: str
    number: int
    tunnel_address: Address
    pod_cidrs: tuple[Prefix, ...]


class Bridge(msgspec.Struct, frozen=True):
    """What the flows of one bridge are made for.

    ``node`` is None where the cluster has no Node objects. ``always`` are the addresses of the nodes that always
    reach pods, and that pods always reach; ``judged`` are those of the other nodes, which policy judges as addresses.
    ``service_cidrs`` hold the cluster IPs.
    """

    node: Node | None
    others: tuple[RemoteNode, ...]
    tunnel: int
    gateway: Port
    pods: tuple[LocalPod, ...]
    always: tuple[Address, ...]
    judged: tuple[Address, ...]
    service_cidrs: tuple[Prefix, ...]

    @property
    def pod_cidrs(self) -> tuple[Prefix, ...]:
        """This node's."""
        return self.node.pod_cidrs if self.node else ()

    @property
    def gateways(self) -> tuple[Address, ...]:
        """This node's, one a pod CIDR."""
        return self.node.gateways if self.node else ()

    @property
    def local_prefixes(self) -> tuple[Prefix, ...]:
        """All addresses that this node's pods may have: its pod CIDRs, and the pods' addresses that lie outside."""
        addresses = (address for local in self.pods for address in local.pod.addresses)
        return merge((*self.pod_cidrs, *map(host_prefix, addresses)))

    @property
    def families(self) -> tuple[int, ...]:
        """4, 6 or both: those of the node's pods."""
        found = {cidr.family for cidr in self.pod_cidrs}
        found.update(family(address) for local in self.pods for address in local.pod.addresses)
        return tuple(sorted(found))
