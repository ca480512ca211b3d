"""What a part of a policy demands of all that it holds, and an index by that: not every two are compared.

A block holds only what has an address in it, a selector that wants a value only selectors that want that value too. So
a part has to be looked for among few others: those that demand something that it offers.
"""

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from functools import cache, cached_property
from heapq import merge
from itertools import groupby

from ovsnp.analysis.lint.covers import allowed_value, excepted
from ovsnp.model.address import Prefix
from ovsnp.model.policy import IPBlock, Peer
from ovsnp.model.selector import Operator, Selector

Token = tuple[Hashable, ...]
Demand = frozenset[Token]
"""Whatever is held offers one of these at least."""
Demands = Sequence[Demand]
"""Whatever is held meets all of these."""

_FEW = 4
"""So many things are compared one by one."""
_DEPTH = 6
"""So many demands of a thing are asked for: those that come after tell hardly anything apart."""
_MET: Token = ()
"""What everyone offers, and a thing without a further demand wants."""


class Index:
    """Things by what they demand: first by the demand that the fewest offers meet, many with the same by the next one.

    A thing is given as clauses, which all must be met; a clause is met by the demands of one of its choices. Each thing
    has a clause, and each clause a choice, that demand something. ``offers`` are those to be expected, of all that will
    be asked about together.
    """

    def __init__(self, things: Sequence[Sequence[Sequence[Demands]]], offers: Iterable[Token]) -> None:
        self._things, self._offers = things, offers
        self._root = Branch(cache(self._demands), range(len(things)), 0)

    def candidates(self, offers: Iterable[Token]) -> Iterator[int]:
        """The places of the things that may hold what offers this, in order; all that do hold it are among them."""
        return in_order(branch.places for branch in self.ends(offers))

    def ends(self, offers: Iterable[Token]) -> Iterator["Branch"]:
        """The same in parts, each with its places in order; a place may be in several parts."""
        return self._root.ends(frozenset((*offers, _MET)))

    def _demands(self, place: int) -> Demands:
        """The demands of a thing, those first that cost least; of a clause with choices one that any choice makes."""
        demands = [demand for choices in self._things[place] for demand in self._of_clause(choices)]
        return sorted(demands, key=self._cost)[:_DEPTH] if len(demands) > 1 else demands

    def _of_clause(self, choices: Sequence[Demands]) -> Demands:
        if len(choices) == 1:
            return choices[0]
        return [frozenset().union(*(min(demands, key=self._cost) for demands in choices))]

    def _cost(self, demand: Demand) -> int:
        return sum(self._offered[token] for token in demand)

    @cached_property
    def _offered(self) -> Counter[Token]:
        return Counter(self._offers)


class Branch:
    """Things, by their places in order, of which so many demands as the branch is deep are met."""

    def __init__(self, demands: Callable[[int], Demands], places: Sequence[int], depth: int) -> None:
        self.places = places
        self._demands, self._depth = demands, depth

    def ends(self, offers: frozenset[Token]) -> Iterator["Branch"]:
        """The last branches that offers lead to."""
        if len(self.places) <= _FEW or self._depth == _DEPTH:
            yield self
            return
        for token in self._branches.keys() & offers:
            yield from self._branches[token].ends(offers)

    @cached_property
    def _branches(self) -> Mapping[Token, "Branch"]:
        places: dict[Token, list[int]] = {}
        for place in self.places:
            demands = self._demands(place)
            for token in demands[self._depth] if self._depth < len(demands) else (_MET,):
                places.setdefault(token, []).append(place)
        return {token: Branch(self._demands, there, self._depth + 1) for token, there in places.items()}


def in_order(places: Iterable[Iterable[int]]) -> Iterator[int]:
    """Places that are in order in each part, each place once."""
    return (place for place, _ in groupby(merge(*places)))


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
    if selector is None:
        return
    for each in selector.requirements:
        key = what, each.key
        match each.operator:
            case Operator.IN:
                # Who holds the selector holds every value that it allows, so any one of them will do.
                if (value := allowed_value(selector, each)) is not None:
                    yield *key, "is", value
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
