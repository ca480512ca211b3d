"""Indices of pods by address, and of the peers of rules with named ports by ipBlock."""

from bisect import bisect_left, insort
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from ovsnp.model.address import Prefix, host_prefix
from ovsnp.model.cluster import Pod
from ovsnp.model.policy import IPBlock
from ovsnp.resolve.named_peers import NamedPeers
from ovsnp.resolve.pods import PodClass


class PodsByAddress:
    """Pods with their classes, sorted by address."""

    def __init__(self, pods: Iterable[tuple[Pod, PodClass]]) -> None:
        self._pods: dict[tuple[int, int], list[tuple[Pod, PodClass]]] = {}
        for pod, found in pods:
            for number in _numbers(pod):
                self._pods.setdefault(number, []).append((pod, found))
        self._numbers = sorted(self._pods)

    def add(self, pod: Pod, found: PodClass) -> None:
        """Add a pod of a class."""
        for number in _numbers(pod):
            if number not in self._pods:
                insort(self._numbers, number)
            self._pods.setdefault(number, []).append((pod, found))

    def remove(self, pod: Pod, found: PodClass) -> None:
        """Remove a pod; another pod may already have its address."""
        for number in _numbers(pod):
            self._pods[number].remove((pod, found))
            if not self._pods[number]:
                del self._pods[number]
                del self._numbers[bisect_left(self._numbers, number)]

    def inside(self, blocks: Sequence[IPBlock]) -> Iterator[tuple[Pod, PodClass]]:
        """The pods that have an address in the CIDR of some block, each once; exceptions do not count."""
        there: dict[str, tuple[Pod, PodClass]] = {}
        for cidr in {block.cidr for block in blocks}:
            end = cidr.family, cidr.value + (1 << (cidr.width - cidr.length))
            first, last = bisect_left(self._numbers, (cidr.family, cidr.value)), bisect_left(self._numbers, end)
            for number in self._numbers[first:last]:
                there.update((pod.key, (pod, found)) for pod, found in self._pods[number])
        return iter(there.values())


class PeersByBlock:
    """The peers of egress rules with named ports, by the CIDRs of their ipBlocks."""

    def __init__(self) -> None:
        self._peers: dict[tuple[int, int], dict[int, list[NamedPeers]]] = defaultdict(lambda: defaultdict(list))

    def __bool__(self) -> bool:
        return bool(self._peers)

    def add(self, named: NamedPeers) -> None:
        """Add peers."""
        for cidr in {block.cidr for block in named.blocks}:
            self._peers[_size(cidr)][cidr.value].append(named)

    def remove(self, named: NamedPeers) -> None:
        """Remove peers."""
        for cidr in {block.cidr for block in named.blocks}:
            blocks = self._peers[_size(cidr)]
            blocks[cidr.value].remove(named)
            if not blocks[cidr.value]:
                del blocks[cidr.value]
            if not blocks:
                del self._peers[_size(cidr)]

    def around(self, pod: Pod) -> Iterable[NamedPeers]:
        """The peers with a block whose CIDR holds an address of the pod, each once; exceptions do not count."""
        found: dict[NamedPeers, None] = {}
        for version, value in _numbers(pod):
            for (family, host_bits), blocks in self._peers.items():
                if family == version:
                    found.update(dict.fromkeys(blocks.get(value >> host_bits << host_bits, ())))
        return found


def _numbers(pod: Pod) -> list[tuple[int, int]]:
    """The family and the number of each address of a pod."""
    return [(prefix.family, prefix.value) for prefix in map(host_prefix, pod.addresses)]


def _size(cidr: Prefix) -> tuple[int, int]:
    """The family, and the number of host bits of the CIDR."""
    return cidr.family, cidr.width - cidr.length
