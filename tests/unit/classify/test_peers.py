"""Identities: for every address the sets that hold it, with the fewest possible prefixes."""

from collections.abc import Iterable
from random import Random

import pytest

from ovsnp.classify.peers import Peers
from ovsnp.ir.clauses import Identity, PeerEntry
from ovsnp.model.address import Address, Prefix, host_prefix, parse_prefix
from ovsnp.model.policy import IPBlock
from tests.support.model_objects import addresses, block
from tests.support.resolved import PeerSet

BASE = {4: parse_prefix("10.0.0.0/8"), 6: parse_prefix("fd00::/8")}
LENGTHS = {4: (8, 9, 16, 24, 29, 30, 31, 32), 6: (8, 9, 48, 64, 125, 126, 127, 128)}


def identify(sets: Iterable[PeerSet]) -> tuple[PeerEntry, ...]:
    """All entries of these sets, sorted."""
    entries, _ = Peers().update({each.name: each.blocks for each in sets}, listed(sets))
    return tuple(entry for _, entry in sorted(entries.items()) if entry)


def listed(sets: Iterable[PeerSet]) -> dict[Address, frozenset[str]]:
    """The sets that list each address."""
    addresses = {address for each in sets for address in each.addresses}
    return {address: frozenset(each.name for each in sets if address in each.addresses) for address in addresses}


def holders(sets: list[PeerSet], address: Address) -> tuple[str, ...]:
    """The names of the sets that hold an address, from the definition of a set and of a block."""
    here = host_prefix(address)
    return tuple(
        sorted(
            peers.name
            for peers in sets
            if address in peers.addresses
            or any(part.cidr.contains(here) and not _excepted(part, here) for part in peers.blocks)
        )
    )


def _excepted(part: IPBlock, here: Prefix) -> bool:
    return any(hole.contains(here) for hole in part.excepts)


def longest(entries: tuple[PeerEntry, ...], prefix: Prefix) -> Identity | None:
    """The identity of the longest entry that contains a prefix."""
    around = [entry for entry in entries if entry.prefix.contains(prefix)]
    return max(around, key=lambda entry: entry.prefix.length).identity if around else None


def answered(entries: tuple[PeerEntry, ...], address: Address) -> tuple[str, ...]:
    identity = longest(entries, host_prefix(address))
    return identity.sets if identity else ()


# Random sets


def random_address(random: Random, family: int) -> Address:
    """An address with few random bits, so that blocks often hold addresses."""
    base = BASE[family]
    low = random.choice((0, 1, 2, 3, 7, 8, 255, 256, 1 << 16, 3 << 16))
    return Address((base.value + low + random.randrange(4)).to_bytes(base.width // 8, "big"))


def random_prefix(random: Random, family: int, shortest: int = 0) -> Prefix:
    length = random.choice([each for each in LENGTHS[family] if each >= shortest])
    value = host_prefix(random_address(random, family)).value
    width = BASE[family].width
    return Prefix(family, value >> (width - length) << (width - length), length)


def random_block(random: Random, family: int) -> IPBlock:
    cidr = random_prefix(random, family)
    holes = [random_prefix(random, family, cidr.length) for _ in range(random.choice((0, 1, 2, 4)))]
    return IPBlock(cidr, tuple(sorted(hole for hole in holes if cidr.contains(hole))))


def random_sets(random: Random) -> list[PeerSet]:
    sets = []
    for index in range(random.randint(1, 5)):
        family = random.choice((4, 6))
        held = frozenset(random_address(random, random.choice((4, 6))) for _ in range(random.choice((0, 1, 3))))
        blocks = tuple(sorted({random_block(random, family) for _ in range(random.choice((0, 1, 2, 3)))}))
        sets.append(PeerSet(f"set-{index}", held, blocks))
    return sets


def edges(sets: list[PeerSet]) -> set[Address]:
    """Every address at which membership may change, and the neighbouring addresses."""
    found = set()
    for peers in sets:
        prefixes = [part for each in peers.blocks for part in (each.cidr, *each.excepts)]
        for prefix in [*prefixes, *map(host_prefix, peers.addresses)]:
            size = 1 << prefix.width - prefix.length
            for value in (prefix.value - 1, prefix.value, prefix.value + size - 1, prefix.value + size):
                found.add(Address((value % (1 << prefix.width)).to_bytes(prefix.width // 8, "big")))
    return found


@pytest.mark.parametrize("seed", range(150))
def test_random_sets_are_told_apart_at_every_address(seed: int) -> None:
    random = Random(seed)
    sets = random_sets(random)
    entries = identify(sets)
    others = {random_address(random, family) for family in (4, 6) for _ in range(20)}
    for address in edges(sets) | others:
        assert answered(entries, address) == holders(sets, address)


@pytest.mark.parametrize("seed", range(150))
def test_no_entry_answers_what_the_prefix_around_it_answers(seed: int) -> None:
    entries = identify(random_sets(Random(seed)))
    assert len({entry.prefix for entry in entries}) == len(entries)
    for entry in entries:
        rest = tuple(other for other in entries if other is not entry)
        assert longest(rest, entry.prefix) != entry.identity


@pytest.mark.parametrize("seed", range(30))
def test_order_of_sets_means_nothing(seed: int) -> None:
    random = Random(seed)
    sets = random_sets(random)
    assert identify(random.sample(sets, len(sets))) == identify(sets)


@pytest.mark.parametrize("seed", range(30))
def test_one_number_for_each_identity_and_none_is_zero(seed: int) -> None:
    identities = {entry.identity for entry in identify(random_sets(Random(seed))) if entry.identity}
    assert len({identity.number for identity in identities}) == len(identities)
    assert len({identity.sets for identity in identities}) == len(identities)
    assert all(identity.number for identity in identities)


@pytest.mark.parametrize("seed", range(60))
def test_entries_after_changes_are_those_of_the_sets_that_are_there(seed: int) -> None:
    random, kept, entries = Random(seed), Peers(), dict[Prefix, PeerEntry]()
    sets: list[PeerSet] = []
    for _ in range(12):
        before, sets = sets, [each for each in sets if random.random() < 0.6]
        names = {each.name for each in sets}
        sets += [each for each in random_sets(random) if each.name not in names]
        blocks = {each.name: () for each in before} | {each.name: each.blocks for each in sets}
        gone = {address: frozenset[str]() for address in listed(before)}
        changed, _ = kept.update(blocks, gone | listed(sets))
        entries = {prefix: entry for prefix, entry in (entries | changed).items() if entry}
        assert tuple(entry for _, entry in sorted(entries.items())) == identify(sets)
        for name in {each.name for each in (*before, *sets)}:
            found = {entry.identity for entry in entries.values() if entry.identity and name in entry.identity.sets}
            assert set(kept.identities_of(name)) == found


# By hand


def shown(*sets: PeerSet) -> dict[str, tuple[str, ...]]:
    return {str(entry.prefix): entry.identity.sets if entry.identity else () for entry in identify(sets)}


def test_except_is_a_longer_prefix_with_another_answer() -> None:
    sets = PeerSet("a", frozenset(), (block("10.0.0.0/8", "10.1.0.0/16"),))
    assert shown(sets) == {"10.0.0.0/8": ("a",), "10.1.0.0/16": ()}


def test_overlapping_excepts_of_two_blocks_stay_a_union() -> None:
    blocks = (block("10.0.0.0/8", "10.1.0.0/16"), block("10.0.0.0/8", "10.1.2.0/24"))
    assert shown(PeerSet("a", frozenset(), blocks)) == {"10.0.0.0/8": ("a",), "10.1.2.0/24": ()}


def test_block_within_anothers_except_opens_it_again() -> None:
    blocks = (block("10.0.0.0/8", "10.1.0.0/16"), block("10.1.2.0/24"))
    assert shown(PeerSet("a", frozenset(), blocks)) == {"10.0.0.0/8": ("a",), "10.1.0.0/16": (), "10.1.2.0/24": ("a",)}


def test_address_within_its_own_block_needs_no_entry() -> None:
    sets = PeerSet("a", frozenset(addresses("10.0.0.1")), (block("10.0.0.0/8"),))
    assert shown(sets) == {"10.0.0.0/8": ("a",)}


def test_address_within_an_except_is_in_the_set_that_lists_it() -> None:
    sets = PeerSet("a", frozenset(addresses("10.1.0.1")), (block("10.0.0.0/8", "10.1.0.0/16"),))
    assert shown(sets) == {"10.0.0.0/8": ("a",), "10.1.0.0/16": (), "10.1.0.1/32": ("a",)}


def test_except_that_is_the_whole_block_leaves_nothing() -> None:
    assert shown(PeerSet("a", frozenset(), (block("10.0.0.0/8", "10.0.0.0/8"),))) == {}


def test_families_do_not_meet() -> None:
    first, second = PeerSet("a", frozenset(), (block("0.0.0.0/0"),)), PeerSet("b", frozenset(), (block("::/0"),))
    assert shown(first, second) == {"0.0.0.0/0": ("a",), "::/0": ("b",)}


def test_shared_addresses_are_an_identity_of_their_own() -> None:
    first = PeerSet("a", frozenset(addresses("10.0.0.1", "10.0.0.2")), ())
    second = PeerSet("b", frozenset(addresses("10.0.0.2", "10.0.0.3")), ())
    assert shown(first, second) == {"10.0.0.1/32": ("a",), "10.0.0.2/32": ("a", "b"), "10.0.0.3/32": ("b",)}


def test_no_sets_need_no_entries() -> None:
    assert identify([]) == ()
    assert identify([PeerSet("empty", frozenset(), ())]) == ()
