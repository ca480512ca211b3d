"""A loop that waits is well however long; one turn may not take for ever."""

import threading
from types import SimpleNamespace

import pytest

from ovsnp.agent.pulse import Pulse


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> None:
    moments = iter([0.0, 301.0])
    monkeypatch.setattr("ovsnp.agent.pulse.time", SimpleNamespace(monotonic=lambda: next(moments)))


def test_loop_that_has_not_begun_is_well() -> None:
    assert Pulse().fault() is None


@pytest.mark.usefixtures("later")
def test_turn_that_takes_long_is_a_fault() -> None:
    pulse = Pulse()
    pulse.waits()
    pulse.works()
    assert pulse.fault() == "the loop of the agent has been at one turn for 301 s; restart the agent"
    pulse.waits()
    assert pulse.fault() is None


def test_thread_that_has_ended_is_a_fault() -> None:
    pulse = Pulse()
    loop = threading.Thread(target=pulse.waits)
    loop.start()
    loop.join()
    assert pulse.fault() == "the loop of the agent has ended"
