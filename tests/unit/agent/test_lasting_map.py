"""Items that are gone are still found for some time."""

import pytest

from ovsnp.agent.traffic.lasting_map import LastingMap


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_removed_item_is_found_for_some_time(clock: Clock) -> None:
    names: LastingMap[int, str] = LastingMap(60, 10, clock)
    names.put(1, "a")
    names.remove(1)
    names.remove(2)
    assert list(names.at(1)) == ["a"]
    assert list(names.values()) == []
    clock.now += 61
    assert list(names.at(1)) == []


def test_replaced_item_is_found_after_the_item_that_replaced_it(clock: Clock) -> None:
    names: LastingMap[int, str] = LastingMap(60, 10, clock)
    names.put(1, "a")
    names.put(1, "a")
    names.put(1, "b")
    assert list(names.at(1)) == ["b", "a"]


def test_old_and_surplus_items_leave_the_memory(clock: Clock) -> None:
    names: LastingMap[int, str] = LastingMap(60, 2, clock)
    for key in range(4):
        names.put(key, "a")
        names.remove(key)
    assert [list(names.at(key)) for key in range(4)] == [[], [], ["a"], ["a"]]
    clock.now += 61
    names.put(9, "a")
    names.remove(9)
    assert len(names._last) == 1


def test_item_that_was_removed_again_lasts_from_the_last_removal(clock: Clock) -> None:
    names: LastingMap[int, str] = LastingMap(60, 10, clock)
    for _ in range(2):
        names.put(1, "a")
        names.remove(1)
        clock.now += 40
    names.put(2, "b")
    names.remove(2)
    assert list(names.at(1)) == ["a"]
