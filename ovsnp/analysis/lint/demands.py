"""What a part of a policy demands of all that it holds, and an index by that: not every two are compared.

A block holds only what has an address in it, a selector that wants a value only selectors that want that value too. So
a part has to be looked for among few others: those that demand something that it offers.
"""

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from heapq import merge
from itertools import groupby
from typing import TypeVar

from ovsnp.analysis.lint.covers import ALL_PORTS, excepted, port_range
from ovsnp.model.address import Prefix
from ovsnp.model.policy import IPBlock, Peer
from ovsnp.model.ports import PortEntry
from ovsnp.model.selector import Operator, Selector

Token = tuple[Hashable, ...]
Demand = frozenset[Token]
"""Whatever is held offers one of these at least."""
Demands = Sequence[Demand]
"""Whatever is held meets all of these."""

_Choice = TypeVar("_Choice")

_BITS = 16
"""Of a port's number."""


class Index:
    """Things, each by the one of its demands that the fewest offers meet.

    A thing is given as clauses, which all must be met; a clause is met by the demands of one of its choices. Each thing
    has a clause, and each clause a choice, that demand something. ``offers`` are those to be expected, of all that will
    be asked about together.
    """

    def __init__(self, things: Sequence[Sequence[Sequence[Demands]]], offers: Iterable[Token]) -> None:
        self._offers = offers
        self._places: dict[Token, list[int]] = {}
        for place, clauses in enumerate(things):
            chosen = _least(
                [[_least(demands, self._cost) for demands in choices] for choices in clauses],
                lambda choices: sum(map(self._cost, choices)),
            )
            for token in frozenset().union(*chosen):
                self._places.setdefault(token, []).append(place)

    def candidates(self, offers: Iterable[Token]) -> Iterator[int]:
        """The places of the things that may hold what offers this, in order; all that do hold it are among them."""
        places = (self._places[token] for token in frozenset(offers) if token in self._places)
        return (place for place, _ in groupby(merge(*places)))

    def _cost(self, demand: Demand) -> int:
        return sum(self._offered[token] for token in demand)

    @cached_property
    def _offered(self) -> Counter[Token]:
        return Counter(self._offers)


def _least(choices: Sequence[_Choice], cost: Callable[[_Choice], int]) -> _Choice:
    """The choice that costs least; where there is only one, nobody asks what it costs."""
    return choices[0] if len(choices) == 1 else min(choices, key=cost)


def of_selector(selector: Selector | None, what: str) -> Iterator[Demand]:
    """What a selector demands of one that it holds; ``what`` tells selectors of different things apart.

    A value is kept out by a selector that names it, or by one that names the few values it wants, if any at all.
    """
    for each in selector.requirements if selector else ():
        key = what, each.key
        match each.operator:
            case Operator.IN:
                yield frozenset((*key, "is", value) for value in each.values)
            case Operator.EXISTS:
                yield frozenset({(*key, "there")})
            case Operator.DOES_NOT_EXIST:
                yield frozenset({(*key, "absent"), (what, "known")})
            case Operator.NOT_IN:
                for value in each.values:
                    yield frozenset({(*key, "is not", value), (*key, "few"), (what, "known")})


def by_selector(selector: Selector | None, what: str) -> Iterator[Token]:
    """What a selector offers to one that may hold it."""
    for each in selector.requirements if selector else ():
        key = what, each.key
        match each.operator:
            case Operator.IN:
                yield from ((*key, "is", value) for value in each.values)
                yield from ((*key, "there"), (*key, "few"))
            case Operator.EXISTS:
                yield (*key, "there")
            case Operator.DOES_NOT_EXIST:
                yield from ((*key, "absent"), (*key, "few"))
            case Operator.NOT_IN:
                yield from ((*key, "is not", value) for value in each.values)


def _by_labels(labels: Mapping[str, str], what: str) -> Iterator[Token]:
    """The same of labels that are known, so that what is not among them is absent."""
    yield what, "known"
    for key, value in labels.items():
        yield from ((what, key, "is", value), (what, key, "there"))


def of_peer(peer: Peer) -> Demands:
    """What a peer demands of one that it holds."""
    if isinstance(peer, IPBlock):
        return [_of_block(peer)]
    return [
        frozenset({("pods",)}),
        *of_selector(peer.pod_selector, "pod"),
        *of_selector(peer.namespace_selector, "namespace"),
    ]


def _of_block(block: IPBlock) -> Demand:
    """An address inside; of a block that is as large, its first exception too."""
    if not block.excepts:
        return frozenset({("whole", block.cidr)})
    first = excepted(block)[0]
    around = (each for each in first.supernets() if each.length >= block.cidr.length)
    return frozenset({("around", block.cidr), *(("beside", block.cidr, each) for each in around)})


def by_peer(peer: Peer, own_labels: Mapping[str, str]) -> Iterator[Token]:
    """What a peer that names someone offers; ``own_labels`` are those of the policy's namespace."""
    if isinstance(peer, IPBlock):
        for each in _first(peer).supernets():
            yield "whole", each
            if each != peer.cidr:
                yield "around", each
        yield from (("beside", peer.cidr, each) for each in excepted(peer))
        return
    yield ("pods",)
    yield from by_selector(peer.pod_selector, "pod")
    if peer.namespace_selector is None:
        yield from _by_labels(own_labels, "namespace")
    else:
        yield from by_selector(peer.namespace_selector, "namespace")


def _first(block: IPBlock) -> Prefix:
    """The first address that the exceptions leave of a block."""
    value = block.cidr.value
    for part in excepted(block):
        if part.value == value:
            value += 1 << (part.width - part.length)
    return Prefix(block.cidr.family, value, block.cidr.width)


def of_port(entry: PortEntry) -> Demands:
    """What an entry of ``ports`` demands of one that it holds: its name, or a number in one of its blocks."""
    if isinstance(entry.port, str):
        return [frozenset({(entry.protocol, entry.port)})]
    first, last = port_range(entry)
    blocks = [(0, _BITS)] if (first, last) == ALL_PORTS else _blocks(first, last)
    return [frozenset((entry.protocol, *block) for block in blocks)]


def by_port(entry: PortEntry) -> Iterator[Token]:
    """What an entry of ``ports`` offers: a name could be any number, so only all numbers hold it."""
    if isinstance(entry.port, str):
        yield entry.protocol, entry.port
        yield entry.protocol, 0, _BITS
        return
    first, _ = port_range(entry)
    yield from ((entry.protocol, first >> bits, bits) for bits in range(_BITS + 1))


def _blocks(first: int, last: int) -> Iterator[tuple[int, int]]:
    """The numbers of a range as the fewest aligned blocks: which one, of how many bits."""
    while first <= last:
        bits = next(
            bits for bits in range(_BITS, -1, -1) if first % (1 << bits) == 0 and first + (1 << bits) - 1 <= last
        )
        yield first >> bits, bits
        first += 1 << bits
