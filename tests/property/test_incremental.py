"""The law of the compiler: after any sequence of changes, the flows are those of a compilation from scratch.

The results of the updates, applied in turn to a dictionary of flows and one of groups, give the same flows.
"""

import os
from random import Random

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ovsnp.compiler import Compilation, compile_cluster, render_json, render_text
from ovsnp.errors import UsageError
from ovsnp.flows.changes import FlowChanges
from ovsnp.flows.flow import Flow, Slot
from ovsnp.flows.group import Group
from ovsnp.lower import rules
from ovsnp.model.changes import Changes, all_objects, changes_between
from ovsnp.model.cluster import Cluster
from ovsnp.model.options import Options
from ovsnp.pipeline import numbers
from tests.property.cluster_changes import NODE, moments, options_of

SEEDS = int(os.environ.get("OVSNP_CLUSTERS", "24"))


class Follower:
    """A bridge that applies the result of each update."""

    def __init__(self) -> None:
        self.flows: dict[Slot, Flow] = {}
        self.groups: dict[int, Group] = {}

    def follow(self, told: FlowChanges) -> None:
        for flow in told.deleted:
            assert self.flows.pop(flow.slot) == flow
        for flow in told.added:
            assert flow.slot not in self.flows
            self.flows[flow.slot] = flow
        for flow in told.changed:
            assert self.flows[flow.slot] != flow
            self.flows[flow.slot] = flow
        for group in told.groups_deleted:
            assert self.groups.pop(group.id) == group
        for group in told.groups_added:
            assert group.id not in self.groups
            self.groups[group.id] = group
        for group in told.groups_changed:
            assert self.groups[group.id] != group
            self.groups[group.id] = group


def hold_the_law(random: Random, count: int) -> None:
    options = options_of(random)
    compilation, bridge = Compilation(options), Follower()
    before: Cluster | None = None
    for cluster, ports in moments(random, options, count):
        changes = changes_between(before, cluster, ports) if before else Changes(all_objects(cluster), ports=ports)
        bridge.follow(compilation.update(changes))
        before = cluster
        followed, expected = compilation.program(), compile_cluster(cluster, ports, options)
        assert render_text(followed) == render_text(expected)
        assert render_json(followed) == render_json(expected)
        assert followed == expected
        assert bridge.flows == {flow.slot: flow for flow in expected.flows}
        assert bridge.groups == {group.id: group for group in expected.groups}


@pytest.mark.parametrize("seed", range(SEEDS))
def test_flows_after_changes_are_those_of_a_compilation_from_nothing(
    monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    if seed % 3 == 2:
        monkeypatch.setattr(rules, "MOST_CLAUSES", 2)
    random = Random(seed)
    hold_the_law(random, random.choice((1, 3, 10, 10, 30)))


@given(st.randoms(use_true_random=False), st.integers(1, 12))
@settings(max_examples=12, deadline=None)
def test_hypothesis_finds_no_changes_after_which_the_flows_are_others(random: Random, count: int) -> None:
    hold_the_law(random, count)


@pytest.mark.parametrize("seed", range(SEEDS, SEEDS + max(1, SEEDS // 20)))
def test_two_hundred_changes(seed: int) -> None:
    hold_the_law(Random(seed), 200)


@pytest.mark.parametrize("seed", range(max(8, SEEDS // 2)))
def test_numbers_that_collide_are_those_of_a_compilation_from_nothing(
    monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    """With a hash of 4 bits most names collide, and move on to the next free number."""
    whole = numbers._hash
    monkeypatch.setattr(numbers, "_hash", lambda name, limit: whole(name, limit) % 16)
    hold_the_law(Random(seed), 20)


@pytest.mark.parametrize("seed", range(max(4, SEEDS // 4)))
def test_changes_of_an_update_that_failed_are_taken_by_the_next(seed: int) -> None:
    """The bridge's own node is removed while other objects change, and is added again."""
    random, options = Random(seed), Options(node=NODE)
    compilation, bridge = Compilation(options), Follower()
    there = Cluster({}, {}, (), ())
    for cluster, ports in moments(random, options, 6):
        nodes = {name: node for name, node in cluster.nodes.items() if name != NODE}
        without = msgspec.structs.replace(cluster, nodes=nodes)
        if nodes:
            with pytest.raises(UsageError, match=f"there is no node {NODE}; there are node-"):
                compilation.update(changes_between(there, without, ports))
            with pytest.raises(UsageError, match=f"there is no node {NODE}"):
                compilation.program()
            there = without
        bridge.follow(compilation.update(changes_between(there, cluster, ports)))
        there = cluster
        expected = compile_cluster(cluster, ports, options)
        assert compilation.program() == expected
        assert bridge.flows == {flow.slot: flow for flow in expected.flows}
        assert bridge.groups == {group.id: group for group in expected.groups}
