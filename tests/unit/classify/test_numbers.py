"""Numbers derived from names: they stay the same when other names come and go."""

from random import Random

import pytest

from ovsnp.pipeline import numbers
from ovsnp.pipeline.numbers import number


class Digest:
    """A weak hash for tests: the digest is the last two characters of the text, as a number."""

    def __init__(self, text: bytes, digest_size: int) -> None:
        self._value, self._size = int(text[-2:]), digest_size

    def digest(self) -> bytes:
        return self._value.to_bytes(self._size, "big")


@pytest.fixture
def weak_hash(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make names collide that end in the same two digits."""
    monkeypatch.setattr(numbers, "blake2b", Digest)


def test_numbers_stay_when_names_are_added() -> None:
    names = [f"name-{index}" for index in range(1000)]
    few, many = number(names[:100]), number(names)
    assert {name: many[name] for name in few} == few


def test_numbers_do_not_depend_on_order_or_repetition() -> None:
    names = [f"name-{index}" for index in range(100)]
    assert number(Random(1).sample(names, 100)) == number([*names, *names])


def test_numbers_are_the_same_on_every_machine() -> None:
    assert number(["default/to-db ingress[0]"]) == {"default/to-db ingress[0]": 0x31B02661}


def test_numbers_are_32_bits_and_never_0() -> None:
    assert all(0 < each < 1 << 32 for each in number(f"name-{index}" for index in range(10000)).values())


@pytest.mark.usefixtures("weak_hash")
def test_the_later_of_two_that_collide_takes_the_next_free_number() -> None:
    assert number(["c-05", "a-05", "b-05", "z-06"]) == {"a-05": 5, "b-05": 6, "c-05": 7, "z-06": 8}


@pytest.mark.usefixtures("weak_hash")
def test_a_name_that_collides_with_none_keeps_its_number() -> None:
    assert number(["a-05", "b-05", "b-90"])["b-90"] == 90


@pytest.mark.usefixtures("weak_hash")
def test_0_is_given_to_nobody() -> None:
    assert number(["a-00", "b-00"]) == {"a-00": 1, "b-00": 2}


def test_the_last_number_is_followed_by_the_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Digest, "digest", lambda self: b"\xff" * 4)
    monkeypatch.setattr(numbers, "blake2b", Digest)
    assert number(["a-01", "b-02"]) == {"a-01": (1 << 32) - 1, "b-02": 1}


# Names that come and go


@pytest.fixture
def hash_of_4_bits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hash names to 4 bits: two names collide in one case of 16."""
    monkeypatch.setattr(numbers, "_hash", lambda name, limit: sum(name.encode()) % 16 % limit)


@pytest.mark.usefixtures("hash_of_4_bits")
@pytest.mark.parametrize("limit", [1 << 32, 64, 20])
@pytest.mark.parametrize("seed", range(40))
def test_numbers_of_names_that_come_and_go_are_those_of_the_names_that_are_there(seed: int, limit: int) -> None:
    random, there, kept, known = Random(seed), set[str](), numbers.Numbers(limit), dict[str, int]()
    for _ in range(60):
        went = set(random.sample(sorted(there), random.randint(0, min(3, len(there)))))
        free = sorted({f"name-{index}" for index in range(40)} - (there - went))
        came = set(random.sample(free, min(random.randint(0, 3), 18 - len(there - went))))
        told = kept.update(went, came)
        there = (there - went) | came
        expected = number(there, limit)
        assert {name: kept[name] for name in there} == expected
        assert told == {name for name in there if known.get(name) != expected[name]}
        known = expected


def test_name_that_collides_with_none_is_the_only_one_that_gets_a_number() -> None:
    kept = numbers.Numbers()
    kept.update((), [f"name-{index}" for index in range(1000)])
    assert kept.update(["name-7"], ["another"]) == {"another"}
