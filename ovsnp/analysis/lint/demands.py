"""The demands of a part of a policy on all parts that it holds, and an index by demands: it saves comparing all pairs.

A block holds only blocks with an address inside it. A selector that requires a value holds only selectors that require
this value too. So only few parts may hold a given part: those with demands that the given part offers to meet.
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
"""Every part that is held offers at least one of these tokens."""
Demands = Sequence[Demand]
"""Every part that is held meets all of these demands."""

_FEW = 4
"""The most things that are compared one by one; more things are divided by their next demand."""
_DEPTH = 6
"""The most demands of a thing that the index uses: further demands hardly distinguish things."""
_MET: Token = ()
"""The token that every part offers; it stands for the next demand of a thing without any."""


class Index:
    """Things by their demands: first by the demand that the fewest offers meet; many with the same, by the next demand.

    A thing is given as clauses, all of which must be met. A clause is given as choices; it is met if all demands of one
    choice are met. Each thing has a clause, each clause a choice, and each choice a demand. ``offers`` are the expected
    offers, those of all queries together.
    """

    def __init__(self, things: Sequence[Sequence[Sequence[Demands]]], offers: Iterable[Token]) -> None:
        self._things, self._offers = things, offers
        self._root = Branch(cache(self._demands), range(len(things)), 0)

    def candidates(self, offers: Iterable[Token]) -> Iterator[int]:
        """The places, in order, of the things that may hold a part with these offers; all that do are among them."""
        return in_order(branch.places for branch in self.ends(offers))

    def ends(self, offers: Iterable[Token]) -> Iterator["Branch"]:
        """The same places in branches, in order in each branch; a place may be in several branches."""
        return self._root.ends(frozenset((*offers, _MET)))

    def _demands(self, place: int) -> Demands:
        """The demands of a thing, the least met first; a clause with several choices has one demand that all imply."""
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
    """The places, in order, of things of which the first ``depth`` demands are met."""

    def __init__(self, demands: Callable[[int], Demands], places: Sequence[int], depth: int) -> None:
        self.places = places
        self._demands, self._depth = demands, depth

    def ends(self, offers: frozenset[Token]) -> Iterator["Branch"]:
        """The undivided branches that offers lead to."""
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
    """The places of all parts in order, each place once; each part is in order."""
    return (place for place, _ in groupby(merge(*places)))


def of_selector(selector: Selector | None, what: str) -> Iterator[Demand]:
    """The demands of a selector on the selectors that it holds; ``what`` is the kind of things that they select.

    A selector excludes a value if it names this value, or if it names the few values that it allows, if any.
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
    """The offers of a selector to the selectors that may hold it."""
    if selector is None:
        return
    for each in selector.requirements:
        key = what, each.key
        match each.operator:
            case Operator.IN:
                # A selector that holds this one holds every value that it allows, so one of the values is enough.
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
    """The same for labels that are known, so that every other label is absent."""
    yield what, "known"
    for key, value in labels.items():
        yield from ((what, key, "is", value), (what, key, "there"))


def of_peer(peer: Peer) -> Demands:
    """The demands of a peer on the peers that it holds."""
    if isinstance(peer, IPBlock):
        return [_of_block(peer)]
    return [
        frozenset({("pods",)}),
        *of_selector(peer.pod_selector, "pod"),
        *of_selector(peer.namespace_selector, "namespace"),
    ]


def _of_block(block: IPBlock) -> Demand:
    """An address inside the block; of a block with the same CIDR, an exception that holds this block's first one."""
    if not block.excepts:
        return frozenset({("whole", block.cidr)})
    first = excepted(block)[0]
    around = (each for each in first.supernets() if each.length >= block.cidr.length)
    return frozenset({("around", block.cidr), *(("beside", block.cidr, each) for each in around)})


def by_peer(peer: Peer, own_labels: Mapping[str, str]) -> Iterator[Token]:
    """The offers of a peer that can name someone; ``own_labels`` are the labels of the policy's namespace."""
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
