"""Commits over an OpenFlow connection to a real Open vSwitch, compared with ``ovs-ofctl bundle``."""

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from random import Random

import pytest

from ovsnp.compiler import Compilation, compile_cluster, local_pods
from ovsnp.errors import SwitchError
from ovsnp.flows import modification as m
from ovsnp.flows.action import SetField, ToGroup
from ovsnp.flows.flow import Flow
from ovsnp.flows.match import Match, exactly
from ovsnp.flows.program import Program
from ovsnp.model.changes import Changes, all_objects, changes_between
from ovsnp.pipeline import fields as f
from ovsnp.pipeline import registers as r
from ovsnp.pipeline.cookies import MASK, cookie
from ovsnp.pipeline.tables import BY_NAME
from ovsnp.render import modification_line, render_changes, render_text
from ovsnp.switch.openflow.commit import commit
from ovsnp.switch.openflow.connection import LostConnectionError, OpenFlow
from tests.property.cluster_changes import moments
from tests.property.cluster_changes import options_of as random_options
from tests.support.checkout import ROOT
from tests.support.golden_cases import CASES, cluster_of, options_of
from tests.support.instance import DummySwitch, own_switch
from tests.support.traced import OPTION_MAP, offline_ports

BRIDGE, TWIN = "wire", "twin"
_OFCTL = ("ovs-ofctl", "-O", "OpenFlow15")

ADD_ONE_AND_WAIT = f"""
import sys, time
from ovsnp.switch.location import Location
from ovsnp.switch.openflow import commit as module
from ovsnp.switch.openflow.connection import OpenFlow
from tests.ovs.test_openflow_commit import peers
from ovsnp.flows.modification import AddFlow

class Slow(OpenFlow):
    def barrier(self, first):
        errors = super().barrier(first)
        print("all messages are in the bundle", flush=True)
        time.sleep(60)
        return errors

module.commit(Slow(Location(*sys.argv[1:]), "{BRIDGE}"), [AddFlow(flow) for flow in peers(10)])
"""


@pytest.fixture
def bridges(dummy_switch: DummySwitch) -> Iterator[DummySwitch]:
    """Two empty bridges with the option map."""
    for bridge in (BRIDGE, TWIN):
        add_bridge(dummy_switch, bridge)
    yield dummy_switch
    for bridge in (BRIDGE, TWIN):
        dummy_switch.delete_bridge(bridge)


@pytest.fixture
def connection(bridges: DummySwitch) -> Iterator[OpenFlow]:
    with OpenFlow(bridges.location, BRIDGE) as opened:
        yield opened


def add_bridge(switch: DummySwitch, bridge: str) -> None:
    switch.add_bridge(bridge, {})
    switch.run([*_OFCTL, "add-tlv-map", bridge, OPTION_MAP])


def peers(count: int) -> list[Flow]:
    """Flows of a peer table, one for each address."""
    return [
        Flow("EgressPeer", 1032, Match("ip", (exactly(f.IPV4_DST, 0x0A000000 + n),)), (SetField(r.EGRESS_PEER, n + 1),))
        for n in range(count)
    ]


def stored(switch: DummySwitch, bridge: str) -> tuple[list[str], list[str]]:
    """The flows and groups of a bridge, as it dumps them without counters."""
    flows = switch.run([*_OFCTL, "--no-names", "--no-stats", "dump-flows", bridge]).splitlines()
    groups = switch.run([*_OFCTL, "--no-names", "dump-groups", bridge]).splitlines()
    return sorted(flows), sorted(line for line in groups if "group_id=" in line)


def added(program: Program) -> list[m.Modification]:
    return [*map(m.AddGroup, program.groups), *map(m.AddFlow, program.flows)]


@pytest.mark.parametrize("case", CASES)
def test_program_is_the_same_as_by_ofctl(case: str, bridges: DummySwitch, connection: OpenFlow) -> None:
    cluster, options = cluster_of(case), options_of(case)
    program = compile_cluster(cluster, offline_ports(local_pods(cluster, "node-1")), options)
    commit(connection, added(program))
    bridges.run([*_OFCTL, "bundle", TWIN, "-"], render_text(program))
    assert stored(bridges, BRIDGE) == stored(bridges, TWIN)
    assert len(stored(bridges, BRIDGE)[0]) == len(program.flows)


@pytest.mark.parametrize("seed", range(4))
def test_changes_are_the_same_as_by_ofctl(seed: int, bridges: DummySwitch, connection: OpenFlow) -> None:
    random = Random(seed)
    options = random_options(random)
    compilation, before = Compilation(options), None
    for cluster, ports in moments(random, options, 10):
        objects = changes_between(before, cluster, ports) if before else Changes(all_objects(cluster), ports=ports)
        changes = compilation.update(objects)
        commit(connection, m.modifications(changes))
        bridges.run([*_OFCTL, "bundle", TWIN, "-"], render_changes(changes))
        assert stored(bridges, BRIDGE) == stored(bridges, TWIN)
        before = cluster


def test_modified_flow_keeps_its_counters(bridges: DummySwitch, connection: OpenFlow) -> None:
    (flow,) = peers(1)
    commit(connection, [m.AddFlow(flow)])
    time.sleep(1.1)
    commit(connection, [m.ModifyFlow(Flow(flow.table, flow.priority, flow.match))])
    line = bridges.run([*_OFCTL, "dump-flows", BRIDGE])
    assert "actions=drop" in line
    assert "duration=0" not in line


@pytest.mark.parametrize(
    "other", [0, 0x9, cookie(BY_NAME["EgressPeer"].id, 5), cookie(BY_NAME["EgressPeer"].id) ^ MASK]
)
def test_deletion_leaves_a_flow_with_another_cookie(other: int, bridges: DummySwitch, connection: OpenFlow) -> None:
    (flow,) = peers(1)
    own = [m.AddFlow(flow), m.DeleteFlow(flow)]
    commit(connection, own)
    assert stored(bridges, BRIDGE) == ([], [])
    line = modification_line(own[0]).removeprefix("flow add ").replace(f"{flow.cookie:#018x}", f"{other:#x}")
    bridges.run([*_OFCTL, "add-flow", BRIDGE, line])
    before = stored(bridges, BRIDGE)
    commit(connection, own[1:])
    bridges.run([*_OFCTL, "bundle", BRIDGE, "-"], modification_line(own[1]))
    assert stored(bridges, BRIDGE) == before
    assert len(before[0]) == 1


@pytest.mark.parametrize(
    ("bad", "error", "line"),
    [
        # Open vSwitch refuses the first when the bundle gets it, the second only when it commits the bundle.
        (Flow("Service", 1, Match("", (exactly(f.IPV4_DST, 1),))), "OFPBMC_BAD_PREREQ", ",nw_dst=0.0.0.1 actions=drop"),
        (Flow("Service", 1, Match(), (ToGroup(77),)), "OFPBAC_BAD_OUT_GROUP", " actions=group:77"),
    ],
)
def test_refused_flow_is_named_and_nothing_is_changed(
    bad: Flow, error: str, line: str, bridges: DummySwitch, connection: OpenFlow
) -> None:
    commit(connection, map(m.AddFlow, peers(3)))
    before = stored(bridges, BRIDGE)
    with pytest.raises(SwitchError) as refused:
        commit(connection, [m.DeleteFlow(peers(1)[0]), m.AddFlow(bad), *map(m.AddFlow, peers(10))])
    assert str(refused.value) == (
        f"Open vSwitch refused a flow, and nothing was changed: {error}:"
        f" flow add cookie=0x0a5e3c0000000000,table=60,priority=1{line}"
    )
    assert stored(bridges, BRIDGE) == before
    commit(connection, map(m.AddFlow, peers(10)))  # the connection serves on
    assert len(stored(bridges, BRIDGE)[0]) == 10


def test_refusal_at_the_commit_is_named_too(bridges: DummySwitch, connection: OpenFlow) -> None:
    with pytest.raises(SwitchError, match="refused a group, and nothing was changed: OFPGMFC_UNKNOWN_GROUP: group ins"):
        commit(connection, [*map(m.AddFlow, peers(2)), m.InsertBuckets(5, ())])
    assert stored(bridges, BRIDGE) == ([], [])


def test_refusal_is_in_the_words_of_ofctl(bridges: DummySwitch, connection: OpenFlow) -> None:
    unmapped = Flow("Origin", 1, Match("", (exactly(f.TUN_METADATA[4], 1),)))
    bridges.run([*_OFCTL, "del-tlv-map", BRIDGE])
    with pytest.raises(SwitchError) as refused:
        commit(connection, [m.AddFlow(unmapped)])
    with pytest.raises(SwitchError) as by_ofctl:
        bridges.run([*_OFCTL, "bundle", BRIDGE, "-"], "flow add table=0,tun_metadata0=0x1/0xffffffff actions=drop")
    name = str(refused.value).split(": ")[1]
    assert name == "NXFMFC_INVALID_TLV_FIELD"
    assert f"Error {name} " in str(by_ofctl.value)


def test_flow_that_is_too_long_for_a_message(bridges: DummySwitch, connection: OpenFlow) -> None:
    long = Flow("EgressPeer", 1, Match("ip"), tuple(SetField(r.EGRESS_PEER, n) for n in range(5000)))
    with pytest.raises(SwitchError, match=r"flow does not fit into a message of OpenFlow .*: flow add .*\.\.\.$"):
        commit(connection, [*map(m.AddFlow, peers(1000)), m.AddFlow(long)])
    assert stored(bridges, BRIDGE) == ([], [])
    commit(connection, map(m.AddFlow, peers(1)))


def test_many_flows_in_one_bundle(bridges: DummySwitch, connection: OpenFlow) -> None:
    commit(connection, map(m.AddFlow, peers(100_000)))
    assert "flow_count=100000" in bridges.run([*_OFCTL, "dump-aggregate", BRIDGE])


def test_killed_process_leaves_its_bundle_uncommitted(bridges: DummySwitch) -> None:
    location = bridges.location
    command = [sys.executable, "-c", ADD_ONE_AND_WAIT, location.database, location.rundir]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT) as process:
        assert process.stdout
        assert process.stdout.readline() == b"all messages are in the bundle\n"
        process.send_signal(signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL
    assert stored(bridges, BRIDGE) == ([], [])
    with OpenFlow(location, BRIDGE) as connection:
        commit(connection, map(m.AddFlow, peers(2)))
    assert len(stored(bridges, BRIDGE)[0]) == 2


def test_bundle_that_waited_too_long(bridges: DummySwitch, monkeypatch: pytest.MonkeyPatch) -> None:
    barrier = OpenFlow.barrier

    def late(connection: OpenFlow, first: int) -> dict[int, str]:
        errors = barrier(connection, first)
        time.sleep(3)
        return errors

    monkeypatch.setattr(OpenFlow, "barrier", late)
    bridges.run(["ovs-vsctl", "--timeout=20", "set", "open_vswitch", ".", "other_config:bundle-idle-timeout=1"])
    try:
        with (
            OpenFlow(bridges.location, BRIDGE) as connection,
            pytest.raises(SwitchError, match="refused, and nothing was changed: OFPBFC_"),
        ):
            commit(connection, map(m.AddFlow, peers(2)))
    finally:
        bridges.run(["ovs-vsctl", "--timeout=20", "remove", "open_vswitch", ".", "other_config", "bundle-idle-timeout"])
    assert stored(bridges, BRIDGE) == ([], [])


@pytest.mark.parametrize("end", ["kill", "terminate"])
def test_restart_in_the_middle(end: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with own_switch() as switch:
        add_bridge(switch, BRIDGE)
        daemon = switch.daemons["ovs-vswitchd"]
        barrier = OpenFlow.barrier

        def ending(connection: OpenFlow, first: int) -> dict[int, str]:
            getattr(daemon, end)()
            daemon.wait()
            return barrier(connection, first)

        with OpenFlow(switch.location, BRIDGE) as connection:
            with monkeypatch.context() as patch:
                patch.setattr(OpenFlow, "barrier", ending)
                with pytest.raises(LostConnectionError, match=f"connection to bridge {BRIDGE} in .* is lost"):
                    commit(connection, map(m.AddFlow, peers(10_000)))
            with pytest.raises(LostConnectionError):
                commit(connection, map(m.AddFlow, peers(1)))
        switch.start_switch()
        switch.run(["ovs-vsctl", "--timeout=20", "set", "open_vswitch", ".", "external_ids:restarted=1"])
        assert stored(switch, BRIDGE) == ([], [])
        with OpenFlow(switch.location, BRIDGE) as connection:
            commit(connection, map(m.AddFlow, peers(2)))
        assert len(stored(switch, BRIDGE)[0]) == 2
