"""Attempts after errors: the waits double up to a limit, and begin again after a time without an error."""

from types import SimpleNamespace

import pytest

from ovsnp.agent.attempt_pace import AttemptPace


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_waits_double_up_to_a_limit_and_begin_again_after_a_calm(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    monkeypatch.setattr("ovsnp.agent.attempt_pace.time", SimpleNamespace(monotonic=clock))
    monkeypatch.setattr("ovsnp.agent.attempt_pace.random", SimpleNamespace(uniform=lambda least, _: least))
    pace = AttemptPace()
    assert [round(pace.next_attempt() - clock.now, 6) for _ in range(6)] == [0.2, 0.4, 0.8, 1.6, 3.0, 3.0]
    clock.now += 60
    assert pace.next_attempt() - clock.now == 3.0
    clock.now += 61
    assert round(pace.next_attempt() - clock.now, 6) == 0.2
