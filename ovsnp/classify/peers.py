"""Turns peer sets into identities: classes of addresses that no rule tells apart, for longest-prefix matches."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Set
from itertools import chain

from ovsnp.ir.clauses import Identity, PeerEntry
from ovsnp.model.address import Address, Prefix, host_prefix
from ovsnp.model.policy import IPBlock
from ovsnp.pipeline.numbers import Numbers

_Answer = frozenset[str]
"""The names of the peer sets that hold an address."""

_Members = frozenset[tuple[str, IPBlock]]

_NOTHING: _Answer = frozenset()


class Blocks:
    """The prefixes at which the answer of the ipBlocks changes, with the answer inside and the answer around.

    An except is a longer prefix with another answer. So blocks need no subtraction, and blocks with overlapping
    excepts stay a union.
    """

    def __init__(self) -> None:
        self._of_set: dict[str, tuple[IPBlock, ...]] = {}
        self._answers: dict[Prefix, tuple[_Answer, _Answer]] = {}
        self._masks: dict[int, tuple[tuple[int, int], ...]] = {}

    def update(self, blocks: Mapping[str, tuple[IPBlock, ...]]) -> set[Prefix]:
        """Take the blocks of some sets; returns the prefixes whose answers have changed."""
        for name, those in blocks.items():
            if those:
                self._of_set[name] = those
            else:
                self._of_set.pop(name, None)
        before, self._answers = self._answers, self._walk()
        lengths = defaultdict(set)
        for family, _, length in self._answers:
            lengths[family].add(length)
        self._masks = {
            family: tuple((length, _mask(family, length)) for length in sorted(those, reverse=True))
            for family, those in lengths.items()
        }
        return {
            prefix for prefix in before.keys() | self._answers.keys() if before.get(prefix) != self._answers.get(prefix)
        }

    def at(self, prefix: Prefix) -> tuple[_Answer, _Answer]:
        """The answer inside a prefix, and the answer around it."""
        if found := self._answers.get(prefix):
            return found
        family, value, own = prefix
        for length, mask in self._masks.get(family, ()):
            if length < own and (found := self._answers.get(Prefix(family, value & mask, length))):
                return found[0], found[0]
        return _NOTHING, _NOTHING

    def _walk(self) -> dict[Prefix, tuple[_Answer, _Answer]]:
        opened: dict[Prefix, set[tuple[str, IPBlock]]] = defaultdict(set)
        closed: dict[Prefix, set[tuple[str, IPBlock]]] = defaultdict(set)
        for name, blocks in self._of_set.items():
            for block in blocks:
                opened[block.cidr].add((name, block))
                for hole in block.excepts:
                    closed[hole].add((name, block))
        found: dict[Prefix, tuple[_Answer, _Answer]] = {}
        around: list[tuple[Prefix, _Members]] = []
        for prefix in sorted(opened.keys() | closed.keys()):
            while around and not around[-1][0].contains(prefix):
                around.pop()
            outer, members = around[-1] if around else (None, _Members())
            members = (members | opened.get(prefix, set())) - closed.get(prefix, set())
            found[prefix] = frozenset(name for name, _ in members), found[outer][0] if outer else _NOTHING
            around.append((prefix, members))
        return found


def _mask(family: int, length: int) -> int:
    width = 32 if family == 4 else 128
    return (1 << width) - (1 << width - length)


class Peers:
    """The prefixes at which the answer to "which sets hold this address" changes, with their identities."""

    def __init__(self) -> None:
        self._blocks = Blocks()
        self._listed: dict[Prefix, _Answer] = {}
        self._answers: dict[Prefix, _Answer] = {}
        self._counts: Counter[_Answer] = Counter()
        self._numbers = Numbers()
        self._identities: dict[_Answer, Identity] = {}
        self._within: dict[str, set[_Answer]] = defaultdict(set)

    def update(
        self, blocks: Mapping[str, tuple[IPBlock, ...]], listed: Mapping[Address, _Answer]
    ) -> tuple[dict[Prefix, PeerEntry | None], set[str]]:
        """Take the blocks of some sets, and the names of the sets that list some addresses.

        Returns the entries that have changed (None: removed), and the names of the sets whose identities have changed.
        """
        if not blocks and not listed:
            return {}, set()
        touched: set[Prefix] = set()
        if blocks and (changed := self._blocks.update(blocks)):
            touched = {*changed, *self._listed_in(changed)}
        for address, names in listed.items():
            prefix = host_prefix(address)
            touched.add(prefix)
            if names:
                self._listed[prefix] = names
            else:
                self._listed.pop(prefix, None)
        answers = {prefix: self._answer(prefix) for prefix in touched}
        answers = {prefix: answer for prefix, answer in answers.items() if answer != self._answers.get(prefix)}
        renumbered, sets = self._count(answers)
        for prefix, answer in answers.items():
            if answer is None:
                del self._answers[prefix]
            else:
                self._answers[prefix] = answer
        if renumbered:
            answers.update((prefix, answer) for prefix, answer in self._answers.items() if answer in renumbered)
        return {prefix: self._entry(prefix, answer) for prefix, answer in answers.items()}, sets

    def identities_of(self, name: str) -> tuple[Identity, ...]:
        """The identities of the addresses in a peer set."""
        found = (self._identities[answer] for answer in self._within.get(name, ()))
        return tuple(sorted(found, key=lambda identity: identity.sets))

    def _listed_in(self, blocks: Set[Prefix]) -> Iterator[Prefix]:
        """The listed addresses in some blocks."""
        sizes = {(block.family, block.length): _mask(block.family, block.length) for block in blocks}
        for prefix in self._listed:
            family, value, _ = prefix
            if any(of == family and (of, value & mask, length) in blocks for (of, length), mask in sizes.items()):
                yield prefix

    def _answer(self, prefix: Prefix) -> _Answer | None:
        """The answer at a prefix; None if it equals the answer around the prefix."""
        answer, around = self._blocks.at(prefix)
        if names := self._listed.get(prefix):
            answer = answer | names if answer else names
        return answer if answer != around else None

    def _entry(self, prefix: Prefix, answer: _Answer | None) -> PeerEntry | None:
        return None if answer is None else PeerEntry(prefix, self._identities.get(answer))

    def _count(self, answers: Mapping[Prefix, _Answer | None]) -> tuple[set[_Answer], set[str]]:
        """Number the new answers; returns the older answers with a new number, and the sets with other identities."""
        seen: set[_Answer] = set()
        for prefix, answer in answers.items():
            for each, count in ((self._answers.get(prefix), -1), (answer, 1)):
                if each:
                    self._counts[each] += count
                    seen.add(each)
        went = {answer for answer in seen if not self._counts[answer]}
        came = {answer for answer in seen - went if answer not in self._identities}
        for answer in went:
            del self._counts[answer]
        return self._number(went & self._identities.keys(), came)

    def _number(self, went: set[_Answer], came: set[_Answer]) -> tuple[set[_Answer], set[str]]:
        if not went and not came:
            return set(), set()
        numbered = self._numbers.update(map(_name, went), map(_name, came))
        for answer in went:
            del self._identities[answer]
            for name in answer:
                self._within[name].discard(answer)
                if not self._within[name]:
                    del self._within[name]
        for answer in came:
            for name in answer:
                self._within[name].add(answer)
        others = {frozenset(name.split("\n")) for name in numbered}
        for answer in others:
            self._identities[answer] = Identity(self._numbers[_name(answer)], tuple(sorted(answer)))
        return others - came, set(chain.from_iterable(went | others))


def _name(answer: _Answer) -> str:
    return "\n".join(sorted(answer))
