"""Rates are the difference of two readings of the counters."""

from ovsnp.agent.traffic.flow_counts import CountsDocument, DropCount, RuleCount
from ovsnp.agent.traffic.rates import DropRate, RatesDocument, RuleRate, rates

A, B = "default/a ingress[0]", "default/b ingress[0]"


def counts(seconds: float, admitted: dict[str, int], dropped: int) -> CountsDocument:
    rules = [RuleCount(rule, packets) for rule, packets in admitted.items()]
    return CountsDocument(seconds, rules, [DropCount("ingress", ("default/db",), dropped)])


def test_difference_over_time_the_highest_first() -> None:
    found = rates(counts(10, {A: 5, B: 5}, 1), counts(12, {A: 7, B: 15}, 2))
    assert found == RatesDocument(2, [RuleRate(B, 5.0), RuleRate(A, 1.0)], [DropRate("ingress", ("default/db",), 0.5)])


def test_what_did_not_count_is_left_out() -> None:
    assert rates(counts(1, {A: 5}, 3), counts(2, {A: 5}, 3)) == RatesDocument(1, [], [])


def test_counters_that_are_new_or_begin_again_count_from_nothing() -> None:
    found = rates(counts(1, {A: 50}, 30), counts(2, {A: 4, B: 3}, 30))
    assert found.admitted == [RuleRate(A, 4.0), RuleRate(B, 3.0)]
