"""Peers: which endpoints the ``from`` or ``to`` of a rule names."""

from collections.abc import Sequence

from ovsnp.model.address import Address, family, host_prefix
from ovsnp.model.cluster import Cluster, Pod
from ovsnp.model.policy import IPBlock, Peer, PodPeer
from ovsnp.model.unassigned import Unassigned, is_placeholder
from ovsnp.oracle.endpoints import Endpoint, PodEnd
from ovsnp.oracle.selectors import selects


def peer_matches(cluster: Cluster, policy_namespace: str, peers: Sequence[Peer], end: Endpoint) -> bool:
    """True if at least one item of a rule's ``from`` or ``to`` names the far end.

    "If this field is empty or missing, this rule matches all sources (traffic not restricted by source)."
    "Items in this list are combined using a logical OR operation."
    """
    return not peers or any(item_matches(cluster, policy_namespace, peer, end) for peer in peers)


def item_matches(cluster: Cluster, policy_namespace: str, peer: Peer, end: Endpoint) -> bool:
    """True if this item names the far end."""
    match peer:
        case IPBlock(unassigned=Unassigned(pods=holds)) if isinstance(end, PodEnd) and is_placeholder(end.address):
            return holds and peer.cidr.family == family(end.address)
        case IPBlock():
            return block_holds(peer, end.address)
        case PodPeer():
            # Selectors select pods; nodes and outside addresses have no labels.
            return isinstance(end, PodEnd) and (
                in_namespaces(cluster, policy_namespace, peer, end.pod) and by_labels(peer, end.pod)
            )


def block_holds(block: IPBlock, address: Address) -> bool:
    """True if an address is in the block and in none of its excepts."""
    # "except is a slice of CIDRs that should not be included within an IPBlock"
    host = host_prefix(address)
    return block.cidr.contains(host) and not any(part.contains(host) for part in block.excepts)


def in_namespaces(cluster: Cluster, policy_namespace: str, peer: PodPeer, pod: Pod) -> bool:
    """True if the item selects the namespace of the pod."""
    if peer.namespace_selector is None:
        # "Otherwise it selects the pods matching podSelector in the policy's own namespace."
        return pod.namespace == policy_namespace
    # "if present but empty, it selects all namespaces"
    return selects(peer.namespace_selector, cluster.namespaces[pod.namespace].labels)


def by_labels(peer: PodPeer, pod: Pod) -> bool:
    """True if the item selects the pod by labels, in the namespaces that it selects.

    "selects the pods matching podSelector in the namespaces selected by namespaceSelector"
    """
    # "Otherwise it selects all pods in the namespaces selected by namespaceSelector."
    return peer.pod_selector is None or selects(peer.pod_selector, pod.labels)
