"""Makes the lines of an effect: sources, destinations, traffic, and the policies that a gain or loss comes from."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import cycle, islice, product
from operator import attrgetter
from typing import Protocol

import msgspec

from ovsnp.analysis.diff.effect.blocks import Block, blocks
from ovsnp.analysis.diff.effect.cells import Cells
from ovsnp.analysis.diff.effect.ends import ComparedEnd, Family
from ovsnp.analysis.diff.effect.outside import OutsideWords
from ovsnp.analysis.diff.effect.pod_names import PodTerms, PodWords
from ovsnp.analysis.diff.effect.ports import TrafficNames, TrafficTerms
from ovsnp.analysis.diff.effect.reasons import Reason
from ovsnp.model.address import Address, format_address
from ovsnp.model.policy import IPBlock
from ovsnp.oracle import NodeEnd, PodEnd
from ovsnp.oracle.classes import TrafficClass
from ovsnp.oracle.indexed_oracle import IndexedOracle

_ASKED = 500
"""Pairs of ends, or verdicts, of one block up to which all are asked for reasons; beyond, a part of them."""


class NodeWords(msgspec.Struct, frozen=True, order=True):
    """A node: with all its addresses of a family, or only with ``addresses``, if there are some."""

    name: str
    addresses: tuple[Address, ...] = ()

    def __str__(self) -> str:
        at = f" at {' '.join(map(format_address, self.addresses))}" if self.addresses else ""
        return f"node/{self.name}{at}"


class Who(msgspec.Struct, frozen=True):
    """Ends in words. ``blocks`` mean only addresses that no pod or node has; ``outside`` means all such addresses.

    ``everyone`` means all pods, all addresses outside, and with --strict-nodes all nodes. Where ``on`` names a node,
    ``pods`` means only the pods on it.
    """

    pods: PodTerms | None = None
    nodes: tuple[NodeWords, ...] = ()
    all_nodes: bool = False
    blocks: tuple[IPBlock, ...] = ()
    outside: bool = False
    everyone: bool = False
    on: str | None = None

    def __str__(self) -> str:
        if self.everyone:
            return "everyone"
        nodes = "all nodes" if self.all_nodes else ", ".join(map(str, self.nodes))
        outside = "outside" if self.outside else ", ".join(map(_block_words, self.blocks))
        others = [words for words in (nodes, outside) if words]
        if self.pods and self.pods.but:
            return " and ".join([*others, self.pods.words(self.on)])
        return ", ".join([*([self.pods.words(self.on)] if self.pods else []), *others])


def _block_words(block: IPBlock) -> str:
    return f"{block.cidr} (except {', '.join(map(str, block.excepts))})" if block.excepts else str(block.cidr)


class EffectLine(msgspec.Struct, frozen=True):
    """A gain or a loss: each source to each destination, except a pod to itself and what no policy can forbid.

    ``families`` are the address families for which it holds.
    """

    gained: bool
    sources: Who
    destinations: Who
    ports: TrafficTerms
    families: tuple[int, ...]
    reasons: tuple[Reason, ...]


class Compared(Protocol):
    """The ends whose connections are compared; ``new`` has the pods' names and labels."""

    new: IndexedOracle

    def pair(self, source: ComparedEnd, destination: ComparedEnd) -> tuple[Address, Address] | None:
        """Two members between which policies decide; None if there are none."""
        ...


Reasoning = Callable[[ComparedEnd, ComparedEnd, Sequence[TrafficClass]], Iterable[Reason]]
"""Finds the policies and rules that a gain or a loss of a source, at a destination, comes from."""


class Writer:
    """Makes the lines for the changes of one address family."""

    def __init__(self, ends: Compared, family: Family, traffic: Sequence[TrafficClass], reasoning: Reasoning) -> None:
        self._ends, self._family, self._reasoning = ends, family, reasoning
        self._traffic = TrafficNames(traffic)
        held = [(end.number, ends.new.who(address)) for end in family.ends for address in end.held]
        self._pods: dict[int, set[str]] = defaultdict(set)
        for number, end in held:
            if isinstance(end, PodEnd):
                self._pods[number].add(end.pod.key)
        self._nodes = {(number, end) for number, end in held if isinstance(end, NodeEnd)}
        keys = set().union(*self._pods.values())
        self.names = PodWords([pod for pod in ends.new.cluster.pods if pod.key in keys], ends.new.cluster.namespaces)
        self._outside = OutsideWords(family.version, {end.number: end.ranges for end in family.ends if end.ranges})

    def lines(self, cells: Cells, *, gained: bool) -> Iterator[EffectLine]:
        """The lines of what is gained, or lost, the largest first."""
        for block in sorted(blocks(cells), key=_size, reverse=True):
            pairs = list(self._pairs(block))
            if pairs or len(block.sources) * len(block.destinations) > _ASKED:
                yield EffectLine(
                    gained,
                    self.who(block.sources),
                    self.who(block.destinations),
                    self._traffic.of(block.traffic),
                    (self._family.version,),
                    tuple(sorted(set(self._reasons(block, pairs)), key=attrgetter("order"))),
                )

    def _pairs(self, block: Block) -> Iterator[tuple[ComparedEnd, ComparedEnd]]:
        """The pairs of ends between which policies decide; only some if there are many."""
        for numbers in _some_pairs(sorted(block.sources), sorted(block.destinations)):
            source, destination = (self._family.ends[number] for number in numbers)
            if self._ends.pair(source, destination):
                yield source, destination

    def _reasons(self, block: Block, pairs: Sequence[tuple[ComparedEnd, ComparedEnd]]) -> Iterator[Reason]:
        classes = self._traffic.classes_of(block.traffic)
        step = max(1, len(pairs) * len(classes) // _ASKED)
        for number, pair in enumerate(pairs):
            if asked := classes[number % step :: step]:
                yield from self._reasoning(*pair, asked)

    def who(self, numbers: frozenset[int]) -> Who:
        """The ends with these numbers in words."""
        if len(numbers) == len(self._family.ends):
            return Who(everyone=True)
        pods = frozenset().union(*(self._pods[number] for number in numbers if number in self._pods))
        named, on = self.pod_words(pods) if pods else (None, None)
        nodes = {end for number, end in self._nodes if number in numbers}
        outside = numbers & self._outside.numbers
        all_nodes = bool(nodes) and len(nodes) == len(self._nodes)
        everywhere = bool(outside) and outside == self._outside.numbers
        return Who(
            named,
            () if all_nodes else self._node_words(nodes),
            all_nodes,
            () if everywhere or not outside else self._outside.blocks(outside),
            everywhere,
            on=on,
        )

    def pod_words(self, keys: frozenset[str]) -> tuple[PodTerms, str | None]:
        """Words for pods, and the node to which the words are limited, if any."""
        return self.names.name(keys), None

    def _node_words(self, nodes: set[NodeEnd]) -> tuple[NodeWords, ...]:
        there, meant = Counter(end.node.name for _, end in self._nodes), Counter(end.node.name for end in nodes)
        return tuple(
            NodeWords(name, () if there[name] == count else _addresses(end for end in nodes if end.node.name == name))
            for name, count in sorted(meant.items())
        )


def _addresses(nodes: Iterable[NodeEnd]) -> tuple[Address, ...]:
    return tuple(sorted(end.address for end in nodes))


def _some_pairs(sources: Sequence[int], destinations: Sequence[int]) -> Iterable[tuple[int, int]]:
    if len(sources) * len(destinations) <= _ASKED:
        return product(sources, destinations)
    near, far = (ends[:: max(1, len(ends) // _ASKED)] for ends in (sources, destinations))
    turns = zip(cycle(near), islice(cycle(far), 1, None), range(max(len(near), len(far))), strict=False)
    return ((source, destination) for source, destination, _ in turns)


def _size(block: Block) -> tuple[int, list[int], list[int], int]:
    area = len(block.sources) * len(block.destinations)
    return area, sorted(block.sources), sorted(block.destinations), block.traffic


def merged(lines: Iterable[EffectLine]) -> tuple[EffectLine, ...]:
    """Join lines that say the same of two families; all gains come before all losses."""
    found: dict[tuple[bool, str, str, TrafficTerms], list[EffectLine]] = defaultdict(list)
    for line in lines:
        found[line.gained, str(line.sources), str(line.destinations), line.ports].append(line)
    joined = (
        msgspec.structs.replace(
            those[0],
            families=tuple(sorted({version for each in those for version in each.families})),
            reasons=tuple(sorted({reason for each in those for reason in each.reasons}, key=attrgetter("order"))),
        )
        for those in found.values()
    )
    return tuple(sorted(joined, key=lambda line: not line.gained))
