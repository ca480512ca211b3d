"""Peer sets to identities: the classes of addresses that no rule tells apart, as longest prefixes."""

from collections import defaultdict
from collections.abc import Collection, Iterator

from ovsnp.model.address import Prefix, host_prefix
from ovsnp.model.clauses import Identity, PeerEntry
from ovsnp.model.policy import IPBlock
from ovsnp.model.ruleset import PeerSet
from ovsnp.pipeline.numbers import number

_Member = tuple[str, IPBlock]


def identify(sets: Collection[PeerSet]) -> tuple[PeerEntry, ...]:
    """The prefixes at which the answer to "which sets hold this address" changes, with the answer.

    An except is only a longer prefix with another answer, so blocks need no subtraction, and blocks whose
    excepts overlap stay a union.
    """
    answers = sorted(_answers(sets))
    names = {answer: "\n".join(sorted(answer)) for _, answer in answers}
    numbers = number(name for name in names.values() if name)
    identities = {
        answer: Identity(numbers[name], tuple(sorted(answer))) if name else None for answer, name in names.items()
    }
    return tuple(PeerEntry(prefix, identities[answer]) for prefix, answer in answers)


def _answers(sets: Collection[PeerSet]) -> Iterator[tuple[Prefix, frozenset[str]]]:
    opened: dict[Prefix, set[_Member]] = defaultdict(set)
    closed: dict[Prefix, set[_Member]] = defaultdict(set)
    listed: dict[Prefix, set[str]] = defaultdict(set)
    for peers in sets:
        for address in peers.addresses:
            listed[host_prefix(address)].add(peers.name)
        for block in peers.blocks:
            opened[block.cidr].add((peers.name, block))
            for hole in block.excepts:
                closed[hole].add((peers.name, block))
    around: list[tuple[Prefix, frozenset[_Member], frozenset[str]]] = []
    for prefix in sorted(opened.keys() | closed.keys() | listed.keys()):
        while around and not around[-1][0].contains(prefix):
            around.pop()
        members, before = around[-1][1:] if around else (frozenset[_Member](), frozenset[str]())
        members = (members | opened.get(prefix, set())) - closed.get(prefix, set())
        answer = frozenset(name for name, _ in members) | listed.get(prefix, set())
        around.append((prefix, members, answer))
        if answer != before:
            yield prefix, answer
