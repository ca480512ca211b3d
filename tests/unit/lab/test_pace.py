"""The cells of a sample, and the patience of tries."""

from ovsnp.lab.pace import Pace


def test_without_a_sample_everything_is_tried() -> None:
    assert Pace().of(range(10)) == range(10)
    assert Pace(sample=10).of(range(10)) == range(10)


def test_a_sample_is_spread_evenly_and_the_same_each_time() -> None:
    sample = Pace(sample=100).of(range(7200))
    assert sample == Pace(sample=100).of(range(7200))
    assert [number * 100 // 7200 for number in sample] == list(range(100))


def test_a_sample_is_not_always_of_the_same_port() -> None:
    assert {number % 4 for number in Pace(sample=100).of(range(7200))} == {0, 1, 2, 3}


def test_what_must_connect_is_given_more_time_each_time() -> None:
    tries = Pace(patience=10).tries
    assert tries[0] == 10
    assert list(tries) == sorted(set(tries))
