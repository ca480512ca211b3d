"""The time that counts as waiting."""

import time

from ovs import poller

from ovsnp.switch.patience import Patience


def test_only_waiting_is_counted() -> None:
    patience = Patience(0.01)
    time.sleep(0.02)
    assert not patience.over


def test_it_ends_where_nothing_comes() -> None:
    patience = Patience(0.01)
    while not patience.over:
        patience.block(poller.Poller())
