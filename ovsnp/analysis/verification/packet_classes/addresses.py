"""Divides addresses into classes that neither flows nor policies tell apart: the common refinement of both."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from itertools import count, product

import msgspec
from msgspec.structs import replace

from ovsnp.analysis.verification.simulator.reading import ReadFlow
from ovsnp.analysis.verification.simulator.space import bits_of
from ovsnp.model.address import Address, Prefix, family, format_address
from ovsnp.model.cluster import Pod
from ovsnp.oracle import Endpoint, NodeEnd, OutsideEnd, PodEnd
from ovsnp.oracle.classes import Classes
from ovsnp.oracle.indexed_oracle import IndexedOracle
from ovsnp.oracle.ranges import Range, cells, of_prefix, union

_BASES = {
    4: ("nw_src", "nw_dst", "ct_nw_dst", "tun_metadata0"),
    6: ("ipv6_src", "ipv6_dst", "ct_ipv6_dst", "tun_metadata1"),
}


class PeerClass(msgspec.Struct, frozen=True):
    """A class of addresses, and the one that stands for it; ``vacant``: addresses in a pod CIDR that nobody has.

    ``end`` has the address. ``number`` is the class by policies alone. ``held`` are the class's addresses of pods and
    nodes. ``ranges`` are its other addresses, as numbers; addresses in them that a pod or node has do not count.
    """

    address: Address
    end: Endpoint
    number: int
    vacant: bool
    held: tuple[Address, ...] = ()
    ranges: tuple[Range, ...] = ()

    @property
    def pod(self) -> Pod:
        """The pod that has the address; raises ValueError where none has."""
        if not isinstance(self.end, PodEnd):
            raise ValueError(f"{format_address(self.address)} is no pod's")
        return self.end.pod

    @property
    def value(self) -> int:
        """The address as a number."""
        return int.from_bytes(self.address, "big")


def refine(
    flows: Sequence[ReadFlow],
    oracle: IndexedOracle,
    classes: Classes,
    version: int,
    *,
    cut: Sequence[Prefix],
    single: Collection[Address],
    apart: Collection[Address],
) -> list[PeerClass]:
    """The classes of a family; ``cut`` are more prefixes to tell apart, each address of ``single`` is its own class.

    Addresses of ``apart`` are in no class: the caller asks about each of them.
    """
    sets: list[list[Range]] = _flow_sets(flows, version)
    sets += [[of_prefix(prefix)] for prefix in cut if prefix.family == version]
    width = 32 if version == 4 else 128
    runs = cells((1 << width) - 1, [*sets, *(list(end.ranges) for end in classes.ends if end.family == version)])
    starts = [run.first for run, _ in runs]
    found: dict[object, PeerClass] = {}
    held: dict[object, list[Address]] = defaultdict(list)
    ranges: dict[object, list[Range]] = defaultdict(list)
    for address, run in _candidates(oracle, runs, {*single, *apart}, version):
        if address in apart:
            continue
        end = classes.of(address)
        bits = runs[_at(starts, int.from_bytes(address, "big"))][1] & ((1 << len(sets)) - 1)
        who = oracle.who(address)
        key = (bits, end.number, _place(who), end.vacant, address if address in single else None)
        found.setdefault(key, PeerClass(address, who, end.number, end.vacant))
        if isinstance(who, OutsideEnd):
            ranges[key].append(run)
        else:
            held[key].append(address)
    return [replace(far, held=tuple(held[key]), ranges=tuple(ranges[key])) for key, far in found.items()]


def _at(starts: list[int], number: int) -> int:
    return bisect_right(starts, number) - 1


def _place(who: Endpoint) -> object:
    match who:
        case PodEnd(pod=pod):
            return "pod", pod.node
        case NodeEnd(node=node):
            return "node", node.name
        case _:
            return None


def _candidates(
    oracle: IndexedOracle, runs: Sequence[tuple[Range, int]], known: Collection[Address], version: int
) -> Iterator[tuple[Address, Range]]:
    """Addresses, each with the range that it stands for: only itself, or a whole run."""
    held = {address for address in oracle.held if family(address) == version}
    others = {address for address in known if family(address) == version and address not in held}
    for address in (*sorted(held), *sorted(others)):
        number = int.from_bytes(address, "big")
        yield address, Range(number, number)
    size = 4 if version == 4 else 16
    for run, _ in runs:
        for number in count(run.first):
            if number > run.last:
                break
            address = Address(number.to_bytes(size, "big"))
            if address not in held and address not in known:
                yield address, run
                break


def _flow_sets(flows: Sequence[ReadFlow], version: int) -> list[list[Range]]:
    """For flows that are the same but for the address they match, the addresses they match together."""
    alike: dict[object, list[Range]] = defaultdict(list)
    for flow in flows:
        for base in _BASES[version]:
            if base in flow.terms:
                others = frozenset((name, term) for name, term in flow.terms.items() if name != base)
                alike[base, flow.table, flow.priority, flow.actions, others] += _ranges(*flow.terms[base], version)
    return [union(ranges) for ranges in alike.values()]


def _ranges(value: int, mask: int, version: int) -> list[Range]:
    """The addresses with a value under a mask, which has few holes (`simulator.reading` sees to that)."""
    everything = (1 << (32 if version == 4 else 128)) - 1
    free, value = everything & ~mask, value & everything
    low = (free ^ (free + 1)) >> 1
    high = [1 << bit for bit in bits_of(free & ~low)]
    firsts = (value | sum(chosen) for chosen in product(*((0, bit) for bit in high)))
    return [Range(first, first | low) for first in firsts]
