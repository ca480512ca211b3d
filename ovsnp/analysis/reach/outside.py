"""The classes of addresses outside the cluster, named after the blocks that distinguish them."""

from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Sequence

import msgspec

from ovsnp.model.address import FAMILIES, Address, Prefix, format_address, parse_prefix
from ovsnp.model.policy import Direction
from ovsnp.oracle import OutsideEnd
from ovsnp.oracle.classes import Classes, EndClass
from ovsnp.oracle.indexed_oracle import IndexedOracle
from ovsnp.oracle.multicast import group_prefixes
from ovsnp.oracle.ranges import Range, union
from ovsnp.oracle.rulebook import Rulebook

_WHOLE = {4: parse_prefix("0.0.0.0/0"), 6: parse_prefix("::/0")}
_WIDTH = {4: 32, 6: 128}


class OutsideClasses(msgspec.Struct, frozen=True):
    """Classes of outside addresses that the same rules name.

    ``name`` is from the innermost blocks that hold them; ``addresses`` are ``FIRST-LAST``, or one address.
    """

    numbers: tuple[int, ...]
    family: int
    name: str
    addresses: tuple[str, ...]


def outsiders(classes: Classes, rules: Sequence[Rulebook]) -> Iterator[OutsideClasses]:
    """The classes where a host may be, IPv4 first, the widest block first; classes that the same rules name are one.

    ``rules`` are those of each cluster of the classes.
    """
    naming = _naming(classes, rules)
    together: dict[Hashable, list[EndClass]] = defaultdict(list)
    for end in classes.ends:
        outside = OutsideEnd(end.representative)
        if end.ranges and not end.vacant and not any(each.is_group(outside) for each in classes.clusters):
            together[end.family, tuple(naming[end.number])].append(end)
    cuts = {version: _by_length(_prefixes(classes.clusters, version)) for version in FAMILIES}
    found = [(_blocks(cuts[ends[0].family], ends), ends) for ends in together.values()]
    for blocks, ends in sorted(found, key=lambda each: (each[1][0].family, _width(each[0][0]), each[0])):
        more = f"[+{len(blocks) - 1}]" if len(blocks) > 1 else ""
        numbers = tuple(end.number for end in ends)
        yield OutsideClasses(numbers, ends[0].family, f"{blocks[0]}{more}", tuple(map(_run_words, _runs(ends))))


def _naming(classes: Classes, rules: Sequence[Rulebook]) -> dict[int, list[int]]:
    """For each class of outside addresses, the rules whose blocks hold it, as indexes among all rules."""
    found: dict[int, list[int]] = {end.number: [] for end in classes.ends if end.ranges}
    # A policy that is the same object in several clusters has the same classes in all of them.
    policies = {id(policy): (book, policy) for book in rules for policy in book.policies}
    every = (facts for book, policy in policies.values() for each in Direction for facts in book.facts(policy, each))
    for place, facts in enumerate(every):
        for number in (facts.peers or frozenset()) & found.keys():
            found[number].append(place)
    return found


def _blocks(cuts: dict[int, set[int]], ends: Sequence[EndClass]) -> list[Prefix]:
    return sorted({_innermost(cuts, end.family, run.first) for end in ends for run in end.ranges}, key=_width)


def _runs(ends: Sequence[EndClass]) -> list[tuple[int, Range]]:
    version = ends[0].family
    return [(version, run) for run in union(run for end in ends for run in end.ranges)]


def _width(prefix: Prefix) -> tuple[int, Prefix]:
    return prefix.length, prefix


def _prefixes(clusters: Iterable[IndexedOracle], version: int) -> Iterator[Prefix]:
    """All prefixes that divide the addresses of one family."""
    yield _WHOLE[version]
    for cluster in (each.cluster for each in clusters):
        cidrs = (cidr for node in cluster.nodes.values() for cidr in node.pod_cidrs)
        yield from (each for each in (*cidrs, *group_prefixes(cluster)) if each.family == version)
        for policy in cluster.policies:
            for block in policy.blocks:
                if block.cidr.family == version:
                    yield block.cidr
                    yield from block.excepts


def _by_length(prefixes: Iterable[Prefix]) -> dict[int, set[int]]:
    """For each prefix length, the longest first, the first addresses of the prefixes, as numbers."""
    found: dict[int, set[int]] = {}
    for prefix in prefixes:
        found.setdefault(prefix.length, set()).add(prefix.value)
    return dict(sorted(found.items(), reverse=True))


def _innermost(cuts: dict[int, set[int]], version: int, number: int) -> Prefix:
    for length, values in cuts.items():
        value = number >> (_WIDTH[version] - length) << (_WIDTH[version] - length)
        if value in values:
            return Prefix(version, value, length)
    return _WHOLE[version]


def _run_words(run: tuple[int, Range]) -> str:
    """``10.0.0.0-10.255.255.255``, or the one address."""
    version, ends = run
    first, last = (format_address(Address(each.to_bytes(_WIDTH[version] // 8, "big"))) for each in ends)
    return first if first == last else f"{first}-{last}"
