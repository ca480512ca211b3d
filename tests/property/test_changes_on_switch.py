"""Updates, applied to Open vSwitch one after another, give the flows and groups of a compilation from scratch."""

import os
from random import Random

import pytest

from ovsnp.compiler import Compilation
from ovsnp.flows.program import Program
from ovsnp.model.changes import Changes, all_objects, changes_between
from ovsnp.render import render_changes, render_text
from ovsnp.switch.dump import parse_dump, parse_group
from tests.property.cluster_changes import moments, options_of
from tests.support.instance import DummySwitch
from tests.support.traced import OPTION_MAP

SEEDS = int(os.environ.get("OVSNP_CLUSTERS", "8"))
BRIDGE = "followed"
_OFCTL = ("ovs-ofctl", "-O", "OpenFlow15")


def stored(switch: DummySwitch) -> tuple[set[tuple[object, ...]], dict[int, object]]:
    """The flows and groups of the bridge, without counters."""
    flows = switch.run([*_OFCTL, "--no-names", "--no-stats", "dump-flows", BRIDGE]).splitlines()
    groups = switch.run([*_OFCTL, "--no-names", "dump-groups", BRIDGE]).splitlines()
    found = [parse_group(line.strip()) for line in groups if "group_id=" in line]
    return {parse_dump(line)[:5] for line in flows}, {group.id: group.buckets for group in found}


def written(program: Program) -> tuple[set[tuple[object, ...]], dict[int, object]]:
    """The flows and groups of the program, in the form of `stored`."""
    lines = render_text(program).splitlines()
    groups = [parse_group(line.removeprefix("group add ")) for line in lines if line.startswith("group add ")]
    flows = {parse_dump(line.removeprefix("flow add "))[:5] for line in lines if line.startswith("flow add ")}
    return flows, {group.id: group.buckets for group in groups}


@pytest.mark.parametrize("seed", range(SEEDS))
def test_bridge_follows_changes(seed: int, dummy_switch: DummySwitch) -> None:
    random = Random(seed)
    options = options_of(random)
    compilation, before = Compilation(options), None
    dummy_switch.add_bridge(BRIDGE, {})
    dummy_switch.run([*_OFCTL, "add-tlv-map", BRIDGE, OPTION_MAP])
    try:
        for cluster, ports in moments(random, options, 10):
            changes = changes_between(before, cluster, ports) if before else Changes(all_objects(cluster), ports=ports)
            text = render_changes(compilation.update(changes))
            assert dummy_switch.run([*_OFCTL, "bundle", BRIDGE, "-"], text) == ""
            assert stored(dummy_switch) == written(compilation.program())
            before = cluster
    finally:
        dummy_switch.delete_bridge(BRIDGE)
