"""The counters of flows add up to counters of policies; tests/ovs/test_drops.py does this with a real bridge."""

from unittest import mock

import pytest

from ovsnp.agent.traffic import policy_counts
from ovsnp.agent.traffic.flow_counts import FlowCount
from ovsnp.agent.traffic.flow_names import Numbered
from ovsnp.agent.traffic.policy_counts import PolicyCounts
from ovsnp.ir.ruleset import RuleRef
from ovsnp.model.policy import Direction

RULES = {
    1: (RuleRef("shop", "a", Direction.INGRESS, 0),),
    2: (RuleRef("shop", "a", Direction.INGRESS, 1), RuleRef("shop", "b", Direction.INGRESS, 0)),
    3: (RuleRef("shop", "c", Direction.INGRESS, 0),),
}


class Flows:
    """The flows of a bridge, by the number of the rule; each number is the count of packets of a flow."""

    def __init__(self) -> None:
        self.now: dict[int, list[int]] = {}
        names, objects = mock.Mock(), mock.Mock()
        names.subjects.return_value = {}
        names.rules.side_effect = lambda number: RULES[number.number]
        self.counts = PolicyCounts(self, names, objects)  # type: ignore[arg-type]

    def flows(self, _: object) -> list[FlowCount]:
        return [
            FlowCount(Numbered(Direction.INGRESS, number), True, bytes([index]), packets)
            for number, flows in self.now.items()
            for index, packets in enumerate(flows)
        ]

    def read(self, **now: list[int]) -> dict[str, int]:
        """The packets by policy, when the flows have these counters."""
        self.now = {int(number.removeprefix("rule")): packets for number, packets in now.items()}
        return {each.policy: packets for each, packets in self.counts.read().packets.items()}


def test_what_the_flows_counted_before_is_left_out() -> None:
    flows = Flows()
    assert flows.read(rule1=[5]) == {"a": 0}
    assert flows.read(rule1=[7], rule3=[2]) == {"a": 2, "c": 2}


def test_packets_of_a_shared_flow_count_for_each_policy() -> None:
    flows = Flows()
    flows.read(rule1=[0], rule2=[0])
    assert flows.read(rule1=[1], rule2=[10]) == {"a": 11, "b": 10}


def test_a_counter_that_begins_again_and_a_flow_that_goes_take_nothing_away() -> None:
    flows = Flows()
    flows.read(rule1=[0, 0])
    assert flows.read(rule1=[100, 50]) == {"a": 150}
    assert flows.read(rule1=[100]) == {"a": 150}
    assert flows.read(rule1=[3]) == {"a": 153}


def test_a_policy_without_flows_has_no_counter() -> None:
    flows = Flows()
    flows.read(rule1=[0], rule3=[0])
    assert flows.read(rule1=[1]) == {"a": 1}


def test_policies_that_are_counted_stay_and_the_others_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(policy_counts, "MOST_POLICIES", 1)
    flows = Flows()
    assert flows.read(rule3=[0]) == {"c": 0}
    assert flows.read(rule1=[4], rule3=[1]) == {"c": 1}
    assert flows.counts.read().left_out == 1
