"""The number and rate of tries of a probe, with agents that lose packets."""

from collections.abc import Callable, Sequence
from typing import cast

from ovsnp.lab.pace import Pace
from ovsnp.lab.persistence import persist
from ovsnp.lab.probes import Agents, Probe, Result

PROBES = [Probe("a", "tcp", "10.0.0.1", "10.0.0.2", port) for port in range(1, 101)]
CONNECTED, SILENCE, UNREACHABLE = Result("connected"), Result("silence"), Result("unreachable", "No route to host")


class Network:
    """Answers a probe by its port and the number of the try; stores the number of probes, timeout and rate of tries."""

    def __init__(self, answer: Callable[[int, int], Result]) -> None:
        self.answer = answer
        self.tries: list[tuple[int, float, float]] = []

    def run(self, probes: Sequence[Probe], timeout: float, rate: float) -> list[Result]:
        self.tries.append((len(probes), timeout, rate))
        return [self.answer(probe.port, len(self.tries)) for probe in probes]


def tried(network: Network, hoped: bool, pace: Pace) -> list[Result]:
    return persist(cast(Agents, network), PROBES, [hoped] * len(PROBES), pace)


def test_what_answers_as_hoped_is_tried_once() -> None:
    for hoped, result in ((True, CONNECTED), (False, SILENCE)):
        network = Network(lambda _port, _number, result=result: result)  # type: ignore[misc]
        assert tried(network, hoped, Pace()) == [result] * 100
        assert network.tries == [(100, Pace().patience, Pace().rate)]


def test_what_connects_and_should_not_is_believed_at_once() -> None:
    network = Network(lambda port, _: CONNECTED if port == 7 else SILENCE)
    assert tried(network, False, Pace()).count(CONNECTED) == 1
    assert len(network.tries) == 1


def test_what_never_connects_is_tried_with_more_patience_at_the_same_rate() -> None:
    network = Network(lambda port, _: CONNECTED if port <= 60 else SILENCE)
    assert tried(network, True, Pace()) == [CONNECTED] * 60 + [SILENCE] * 40
    assert network.tries == [(100, 1.3, 4000), *[(40, patience, 4000) for patience in Pace().tries[1:]]]


def test_where_packets_are_lost_tries_become_slower_until_all_has_connected() -> None:
    network = Network(lambda port, number: CONNECTED if port <= 16 * number else SILENCE)
    assert tried(network, True, Pace()) == [CONNECTED] * 100
    assert [(count, rate) for count, _, rate in network.tries] == [
        (100, 4000), (84, 4000), (68, 1000), (52, 250), (36, 62.5), (20, 62.5), (4, 62.5),
    ]  # fmt: skip
    assert network.tries[-1][1] == Pace().tries[-1]


def test_a_next_hop_that_did_not_answer_is_no_verdict() -> None:
    network = Network(lambda port, number: UNREACHABLE if port == 1 and number == 1 else SILENCE)
    assert tried(network, False, Pace()) == [SILENCE] * 100
    assert [count for count, _, _ in network.tries] == [100, 1]
