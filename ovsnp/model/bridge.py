"""The integration bridge of one node: its ports, its local pods, and the other nodes."""

from collections.abc import Mapping

import msgspec

from ovsnp.model.address import Address, Prefix
from ovsnp.model.cluster import Node, Pod


class BridgePort(msgspec.Struct, frozen=True):
    """A port of the bridge: its OpenFlow number (1 to 65279), and the MAC address behind it."""

    ofport: int
    mac: int


class Oddity(msgspec.Struct, frozen=True):
    """A problem with a pod's interfaces on the bridge; ``message`` says what is wrong and what to do.

    ``pod`` is ``NAMESPACE/NAME``. If ``closed``, the bridge has no flows for these interfaces.
    """

    pod: str
    interfaces: tuple[str, ...]
    closed: bool
    message: str


class BridgePorts(msgspec.Struct, frozen=True):
    """The ports of the bridge: the tunnel port, the gateway port, and the ports of local pods by ``NAMESPACE/NAME``.

    If ``assumed``, no bridge was read: the pods' ports are numbered in the order of the pods. ``interfaces`` are the
    names of the interfaces that can carry packets, by the key of the pod that the interface names; the cluster may have
    no such pod. ``odd`` are the problems with the interfaces of local pods, sorted by pod.
    """

    tunnel: int
    gateway: BridgePort
    pods: Mapping[str, BridgePort]
    assumed: bool = False
    interfaces: Mapping[str, tuple[str, ...]] = msgspec.field(default_factory=dict)
    odd: tuple[Oddity, ...] = ()


class LocalPod(msgspec.Struct, frozen=True):
    """A pod of this node, and the port of the pod."""

    pod: Pod
    port: BridgePort


class RemoteNode(msgspec.Struct, frozen=True):
    """Another node: its number, tunnel address, pod CIDRs, and own addresses.

    ``addresses`` include the node's gateway addresses. If ``judged``, policy judges them like any other address;
    otherwise pods and these addresses always reach each other.
    """

    name: str
    number: int
    tunnel_address: Address
    pod_cidrs: tuple[Prefix, ...]
    addresses: tuple[Address, ...]
    judged: bool


class Bridge(msgspec.Struct, frozen=True):
    """The input of a bridge's flows, beside the local pods and the other nodes.

    ``node`` is None where the cluster has no Node objects. ``families`` are the address families of the node's pods: 4,
    6 or both. ``local_prefixes`` hold all addresses that the node's pods may have: the node's pod CIDRs, and the
    addresses of local pods outside of these. ``pod_prefixes`` are the pod CIDRs of all nodes; where ``node`` is None,
    the local prefixes. ``service_cidrs`` hold the cluster IPs. ``alone``: there is no other node.
    """

    node: Node | None
    tunnel: int
    gateway: BridgePort
    families: tuple[int, ...]
    local_prefixes: tuple[Prefix, ...]
    pod_prefixes: tuple[Prefix, ...]
    service_cidrs: tuple[Prefix, ...]
    alone: bool

    @property
    def pod_cidrs(self) -> tuple[Prefix, ...]:
        """The pod CIDRs of this node."""
        return self.node.pod_cidrs if self.node else ()

    @property
    def gateways(self) -> tuple[Address, ...]:
        """The gateway addresses of this node: one for each pod CIDR."""
        return self.node.gateways if self.node else ()
