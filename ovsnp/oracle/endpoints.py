"""The two ends of a connection."""

import msgspec

from ovsnp.model.address import Address
from ovsnp.model.cluster import Cluster, Node, Pod


class PodEnd(msgspec.Struct, frozen=True):
    """A pod, on this node or another, and which of its addresses the connection uses."""

    pod: Pod
    address: Address


class NodeEnd(msgspec.Struct, frozen=True):
    """A node, or a hostNetwork pod on it, by one of the node's addresses, gateways included."""

    node: Node
    address: Address


class OutsideEnd(msgspec.Struct, frozen=True):
    """An address of nobody in the cluster; ipBlocks see it, selectors do not."""

    address: Address


Endpoint = PodEnd | NodeEnd | OutsideEnd


def who(cluster: Cluster, address: Address) -> Endpoint:
    """Whose the address is; an address inside a pod CIDR that no living pod holds is an outside one.

    A pod's address that is also a node's is the pod's: a pod must not gain a node's exemption by its address.
    """
    for pod in cluster.pods:
        if address in pod.addresses:
            return PodEnd(pod, address)
    for node in cluster.nodes.values():
        if address in node.addresses or address in node.gateways:
            return NodeEnd(node, address)
    return OutsideEnd(address)
