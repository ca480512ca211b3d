"""One node's integration bridge: its ports, and what it must know of the nodes around it."""

from collections.abc import Mapping

import msgspec

from ovsnp.model.address import Address, Prefix
from ovsnp.model.cluster import Node, Pod


class BridgePort(msgspec.Struct, frozen=True):
    """A port of the bridge: its OpenFlow number (1 to 65279), and the MAC address behind it."""

    ofport: int
    mac: int


class Oddity(msgspec.Struct, frozen=True):
    """What is wrong with a pod's interfaces on the bridge, and what to do.

    ``pod`` is its ``NAMESPACE/NAME``. ``closed`` says that the bridge has no flows for these interfaces.
    """

    pod: str
    interfaces: tuple[str, ...]
    closed: bool
    message: str


class BridgePorts(msgspec.Struct, frozen=True):
    """The ports that there are: the tunnel's, the gateway's, and those of local pods by ``NAMESPACE/NAME``.

    ``assumed`` says that nobody was asked: pods' ports are numbered in order. ``interfaces`` are the names of the
    interfaces that can carry packets, by the key of the pod that they say they are of, whether there is such a pod or
    not. ``odd`` is what is wrong with the interfaces of local pods, in the order of their keys.
    """

    tunnel: int
    gateway: BridgePort
    pods: Mapping[str, BridgePort]
    assumed: bool = False
    interfaces: Mapping[str, tuple[str, ...]] = msgspec.field(default_factory=dict)
    odd: tuple[Oddity, ...] = ()


class LocalPod(msgspec.Struct, frozen=True):
    """A pod of this node, and its port."""

    pod: Pod
    port: BridgePort


class RemoteNode(msgspec.Struct, frozen=True):
    """Another node: its number, where its tunnel ends, which pods' addresses lie behind it, and its own addresses.

    ``addresses`` include its gateways. Policy judges them as addresses if ``judged``; else they always reach pods and
    are reached.
    """

    name: str
    number: int
    tunnel_address: Address
    pod_cidrs: tuple[Prefix, ...]
    addresses: tuple[Address, ...]
    judged: bool


class Bridge(msgspec.Struct, frozen=True):
    """What the flows of one bridge are made for, beside its pods and the other nodes.

    ``node`` is None where the cluster has no Node objects. ``families`` are 4, 6 or both: those of the node's pods.
    ``local_prefixes`` hold all addresses that the node's pods may have: its pod CIDRs, and the pods' addresses that lie
    outside. ``pod_prefixes`` are those of the pods of all nodes; without nodes the local ones. ``service_cidrs`` hold
    the cluster IPs. ``alone`` says that there is no other node.
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
        """This node's."""
        return self.node.pod_cidrs if self.node else ()

    @property
    def gateways(self) -> tuple[Address, ...]:
        """This node's, one a pod CIDR."""
        return self.node.gateways if self.node else ()
