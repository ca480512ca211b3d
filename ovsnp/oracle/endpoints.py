"""The two ends of a connection."""

import msgspec

from ovsnp.model.address import Address
from ovsnp.model.cluster import Cluster, Node, Pod


class PodEnd(msgspec.Struct, frozen=True):
    """A pod on any node, and the address of the pod that the connection uses."""

    pod: Pod
    address: Address


class NodeEnd(msgspec.Struct, frozen=True):
    """A node, or a hostNetwork pod on it, at one of the node's addresses (gateway addresses included)."""

    node: Node
    address: Address


class OutsideEnd(msgspec.Struct, frozen=True):
    """An address that no pod and no node of the cluster holds: ipBlocks match it, selectors do not."""

    address: Address


Endpoint = PodEnd | NodeEnd | OutsideEnd


def who(cluster: Cluster, address: Address) -> Endpoint:
    """The holder of an address; an address in a pod CIDR that no living pod holds is an outside address.

    If a pod and a node have the same address, the pod holds it: a pod must not gain a node's exemption.
    """
    for pod in cluster.pods:
        if address in pod.addresses:
            return PodEnd(pod, address)
    for node in cluster.nodes.values():
        if address in node.addresses or address in node.gateways:
            return NodeEnd(node, address)
    return OutsideEnd(address)
