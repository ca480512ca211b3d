"""The addresses that a rule's peers denote."""

from collections.abc import Collection, Iterator

from ovsnp.model.address import Address, Prefix, host_prefix, merge
from ovsnp.model.cluster import Cluster, Pod
from ovsnp.model.policy import IPBlock, Peer, PodPeer
from ovsnp.model.ruleset import PeerSet
from ovsnp.model.selector import Selector
from ovsnp.resolve.selection import Selection

_ALL = Selector()


class Peers:
    """Resolves peers over one cluster; a set that was resolved once is not resolved again."""

    def __init__(self, cluster: Cluster, selection: Selection, not_pods: Collection[Address]) -> None:
        self._cluster = cluster
        self._selection = selection
        self._sets: dict[str, PeerSet] = {}
        self._pod_blocks = tuple(
            IPBlock(block, tuple(sorted(hole for hole in map(host_prefix, not_pods) if block.contains(hole))))
            for block in merge(cidr for node in cluster.nodes.values() for cidr in node.pod_cidrs)
        )

    def resolve(self, namespace: str, peers: tuple[Peer, ...]) -> PeerSet:
        """The union of a policy's peers; ``namespace`` is the policy's."""
        name = " | ".join(sorted({_name(namespace, peer) for peer in peers}))
        if name not in self._sets:
            self._sets[name] = self._union(name, namespace, peers)
        return self._sets[name]

    def _union(self, name: str, namespace: str, peers: tuple[Peer, ...]) -> PeerSet:
        blocks = {peer for peer in peers if isinstance(peer, IPBlock)}
        selectors = [peer for peer in peers if isinstance(peer, PodPeer)]
        if self._pod_blocks and any(_is_every_pod(peer) for peer in selectors):
            blocks.update(self._pod_blocks)
            selectors = []
        addresses = (address for peer in selectors for pod in self._pods(namespace, peer) for address in pod.addresses)
        return PeerSet(name, frozenset(addresses), tuple(sorted(blocks)))

    def _pods(self, namespace: str, peer: PodPeer) -> Iterator[Pod]:
        if peer.namespace_selector is None:
            namespaces: tuple[str, ...] = (namespace,)
        else:
            namespaces = self._selection.namespaces(peer.namespace_selector)
        return self._selection.pods(namespaces, peer.pod_selector or _ALL)

    def pods(self, namespace: str, peers: tuple[Peer, ...]) -> Iterator[tuple[Pod, Address]]:
        """Each pod that a policy's peers denote, with each address by which they do; no peers: every pod."""
        for peer in peers or (PodPeer(None, _ALL),):
            if isinstance(peer, PodPeer):
                yield from ((pod, address) for pod in self._pods(namespace, peer) for address in pod.addresses)
            else:
                yield from (
                    (pod, address)
                    for pod in self._cluster.pods
                    for address in pod.addresses
                    if _covers(peer, host_prefix(address))
                )


def _name(namespace: str, peer: Peer) -> str:
    match peer:
        case IPBlock(cidr=cidr, excepts=()):
            return str(cidr)
        case IPBlock(cidr=cidr, excepts=excepts):
            return f"{cidr} except {','.join(map(str, sorted(set(excepts))))}"
        case PodPeer(pod_selector=pods, namespace_selector=None):
            return f"{namespace}/{{{pods}}}"
        case PodPeer(pod_selector=pods, namespace_selector=namespaces):
            return f"{{{namespaces}}}/{{{pods or _ALL}}}"


def _is_every_pod(peer: Peer) -> bool:
    return isinstance(peer, PodPeer) and peer.namespace_selector == _ALL and (peer.pod_selector or _ALL) == _ALL


def _covers(block: IPBlock, prefix: Prefix) -> bool:
    return block.cidr.contains(prefix) and not any(hole.contains(prefix) for hole in block.excepts)
