"""What happens to flows and connections after a failure, and that `ovsnp apply` repairs everything.

Real packets between two nodes, without root (`tests.ovs.wired`). After each fault, the bridges must be as they were, a
second apply must have nothing to do, and every conversation must be as the policy says.
"""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

import pytest

from ovsnp.model.options import Encap
from ovsnp.switch import ofctl, ovsdb
from ovsnp.switch.lock import exclusive
from tests.ovs.fault_scene import EMPTY, FROM_CLIENT, OPEN, Ground, refused, state, to
from tests.ovs.frames import End, Flag
from tests.ovs.service_scene import BACKENDS, CLUSTER_IP, PODS, ServiceScene, address_of, first, policy
from tests.ovs.wired import BRIDGE, WiredNode

SWITCH, DATABASE = "ovs-vswitchd", "ovsdb-server"
FROM_NOBODY = policy("ingress", "web", "{podSelector: {matchLabels: {app: nobody}}}", "{port: 8080}")


@pytest.fixture(params=[Encap.GENEVE])
def ground(request: pytest.FixtureRequest, own_scene: ServiceScene) -> Ground:
    return Ground(own_scene, request.param)


@pytest.fixture
def node(ground: Ground) -> WiredNode:
    """The node of the client, on which the failures happen."""
    return ground.scene.nodes[0]


both_encapsulations = pytest.mark.parametrize("ground", list(Encap), indirect=True)


# ovs-vswitchd


def restart_switch(node: WiredNode) -> None:
    node.switch.kill(SWITCH)
    node.start_switch()


@both_encapsulations
def test_after_a_restart_of_ovs_vswitchd_apply_brings_everything_back(ground: Ground, node: WiredNode) -> None:
    restart_switch(node)
    assert state(node) != ground.before[0]
    restarted, other = ground.apply()
    assert "first fragments shown with their ports" in restarted.out
    assert ("Geneve options mapped" in restarted.out) == (ground.encap is Encap.GENEVE)
    assert other.out == EMPTY
    assert ground.is_whole()


def test_both_nodes_can_restart_ovs_vswitchd(ground: Ground) -> None:
    for each in ground.scene.nodes:
        restart_switch(each)
    ground.apply()
    assert ground.is_whole()


def test_between_the_restart_of_ovs_vswitchd_and_apply_nothing_passes(ground: Ground, node: WiredNode) -> None:
    scene = ground.scene
    ground.open("web-0")
    ground.open("web-2")
    restart_switch(node)
    for server in ("web-0", "web-2"):
        assert not ground.client_speaks(server)
        assert not ground.server_speaks(server)
        assert scene.send("client", to(server, Flag.SYN)._replace(source=End(address_of("client", 4), 1))) == []
    for version in (4, 6):
        assert scene.ask("client", 1, version) == []
        assert scene.send("gateway", first("198.51.100.7", 1, address_of("client", version), 80)) == []
        assert scene.send("web-2", first(address_of("web-2", version), 1, address_of("client", version), 80)) == []
        assert len(scene.tunneled) == 1  # the other node still has its flows


@pytest.mark.parametrize("restarted", [0, 1])
@pytest.mark.parametrize("server", ["web-0", "web-2"])
def test_a_connection_that_is_allowed_goes_on_after_a_restart_of_ovs_vswitchd(
    ground: Ground, restarted: int, server: str
) -> None:
    ground.open(server)
    restart_switch(ground.scene.nodes[restarted])
    ground.apply()
    assert ground.client_speaks(server)
    assert ground.server_speaks(server)


@pytest.mark.parametrize("server", ["web-0", "web-2"])
def test_a_connection_that_is_no_longer_allowed_ends_with_a_restart_of_its_servers_ovs_vswitchd(
    ground: Ground, server: str
) -> None:
    ground.open(server)
    ground.scene.write("policy", FROM_NOBODY)
    ground.apply()
    assert ground.client_speaks(server)  # as promised: open connections go on
    restart_switch(ground.scene.nodes[PODS[server][0] - 1])
    ground.apply()
    assert not ground.client_speaks(server)


@pytest.mark.parametrize("server", ["web-0", "web-2"])
def test_after_a_restart_of_ovs_vswitchd_who_speaks_first_is_taken_for_the_one_who_connects(
    ground: Ground, server: str
) -> None:
    ground.open(server)
    ground.scene.write("policy", FROM_NOBODY)
    for each in ground.scene.nodes:
        restart_switch(each)
    ground.apply()
    assert ground.server_speaks(server)  # as it may: no policy stops its connections to the client
    assert ground.client_speaks(server)


def test_a_server_that_may_not_connect_waits_for_its_client_after_a_restart_of_ovs_vswitchd(
    ground: Ground, node: WiredNode
) -> None:
    ground.scene.write("more", policy("egress", "web", "", "{port: 1}").replace("only", "more"))
    ground.apply()
    ground.open("web-0")
    restart_switch(node)
    ground.apply()
    assert not ground.server_speaks("web-0")
    assert ground.client_speaks("web-0")
    assert ground.server_speaks("web-0")


def test_a_connection_that_is_half_open_is_opened_by_its_client_after_a_restart_of_ovs_vswitchd(
    ground: Ground, node: WiredNode
) -> None:
    (there,) = ground.scene.send("client", to("web-0", Flag.SYN))
    restart_switch(node)
    ground.apply()
    answer = there.packet.answer(Flag.SYN | Flag.ACK)
    assert ground.scene.send("web-0", answer) == []
    ground.open("web-0")


@pytest.mark.parametrize("version", [4, 6])
def test_a_connection_to_a_service_goes_on_with_its_endpoint_after_a_restart_where_the_client_speaks_first(
    ground: Ground, node: WiredNode, version: int
) -> None:
    opened = {port: ground.scene.converse("client", port, version) for port in range(OPEN, OPEN + 12)}
    assert {there.at for there in opened.values()} == set(BACKENDS)
    restart_switch(node)
    ground.apply()
    for port, there in opened.items():
        assert ground.scene.goes_on("client", port, version) == there.at
        (back,) = ground.scene.send(there.at, there.packet.answer(Flag.ACK))
        assert (back.at, back.packet.source) == ("client", End(CLUSTER_IP[version], 80))


def test_a_connection_to_a_service_is_lost_in_a_restart_where_its_endpoint_speaks_first(
    ground: Ground, node: WiredNode
) -> None:
    there = ground.scene.converse("client", OPEN)
    restart_switch(node)
    ground.apply()
    (back,) = ground.scene.send(there.at, there.packet.answer(Flag.ACK))
    assert back.packet.source == there.packet.destination  # not the cluster IP, so the client will reset


def test_a_masqueraded_connection_is_lost_in_a_restart(ground: Ground, node: WiredNode) -> None:
    ground.options.append("--masquerade")
    ground.scene.serve(["web-2"])
    ground.apply()
    opened = {port: ground.scene.converse("client", port) for port in range(OPEN, OPEN + 12)}
    restart_switch(node)
    ground.apply()
    for there in list(opened.values())[:6]:
        (back,) = ground.scene.send("web-2", there.packet.answer(Flag.ACK))
        assert back.at == "gateway"  # the node itself, which has no such connection
    moved = 0
    for port, there in list(opened.items())[6:]:
        sent = first(address_of("client", 4), port, CLUSTER_IP[4], 80)._replace(flags=Flag.ACK)
        (again,) = ground.scene.send("client", sent)
        moved += again.packet.source != there.packet.source
    assert moved >= 5  # of 6: one may get the same port by chance


SAVE = Path("/usr/share/openvswitch/scripts/ovs-save")


@pytest.mark.skipif(not SAVE.exists(), reason="this Open vSwitch comes without ovs-save")
def test_what_open_vswitch_itself_saves_is_all_but_the_handling_of_fragments(ground: Ground, node: WiredNode) -> None:
    """``ovs-ctl restart`` saves and restores so."""
    saved = node.switch.run([str(SAVE), "save-flows", BRIDGE])
    restart_switch(node)
    node.switch.run(["sh", "-c", saved])
    restored, _ = ground.apply()
    assert restored.out == f"{BRIDGE}: first fragments shown with their ports\n{EMPTY}"
    assert ground.is_whole()


def test_apply_works_while_ovs_vswitchd_waits_for_its_flows(ground: Ground, node: WiredNode) -> None:
    node.vsctl("set", "open_vswitch", ".", "other_config:flow-restore-wait=true")
    restart_switch(node)
    assert node.run("apply", ground.scene.manifests, *ground.options).code == 0
    node.vsctl("remove", "open_vswitch", ".", "other_config", "flow-restore-wait")
    assert ground.is_whole()


# ovsdb-server


def test_a_restart_of_ovsdb_server_changes_nothing(ground: Ground, node: WiredNode) -> None:
    ground.open("web-0")
    node.switch.kill(DATABASE)
    node.switch.start_database()
    assert ground.is_whole()
    assert ground.client_speaks("web-0")


def test_without_ovsdb_server_apply_says_so_and_the_flows_stay(ground: Ground, node: WiredNode) -> None:
    ground.scene.write("policy", FROM_NOBODY)
    node.switch.kill(DATABASE)
    assert "is ovsdb-server running" in refused(node, ground.scene)
    node.switch.start_database()
    assert state(node) == ground.before[0]
    ground.scene.write("policy", FROM_CLIENT)
    assert ground.is_whole()


@contextmanager
def stopped(node: WiredNode, daemon: str) -> Iterator[None]:
    """A daemon that neither answers nor ends."""
    process = node.switch.daemons[daemon]
    process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        process.send_signal(signal.SIGCONT)


@pytest.mark.parametrize("daemon", [SWITCH, DATABASE])
def test_a_daemon_that_does_not_answer_is_an_error_in_time(ground: Ground, node: WiredNode, daemon: str) -> None:
    shorter = mock.patch.object(ofctl, "_TIMEOUT", 1), mock.patch.object(ovsdb, "_TIMEOUT", 1.0)
    with shorter[0], shorter[1], stopped(node, daemon):
        assert "does not answer" in refused(node, ground.scene)
    assert ground.is_whole()


def killing(directory: Path, command: str, number: signal.Signals, process: subprocess.Popen[bytes]) -> dict[str, str]:
    """An environment in which ``ovs-ofctl`` sends a signal to a process after it has carried out a command."""
    directory.mkdir()
    script = directory / "ovs-ofctl"
    real, kill = shutil.which("ovs-ofctl"), f"kill -{number} {process.pid}"
    # A shell reports the end by a signal as an exit status, and must end by the same signal itself.
    deeds = [f'{real} "$@"', "status=$?", f'case "$*" in *" {command} "*) {kill};; esac', "ulimit -c 0"]
    deeds += ["[ $status -gt 128 ] && kill -$((status - 128)) $$", "exit $status"]
    script.write_text("\n".join(["#!/bin/sh", *deeds, ""]))
    script.chmod(0o755)
    return {"PATH": f"{directory}:{os.environ['PATH']}"}


@pytest.mark.parametrize("number", [signal.SIGSTOP, signal.SIGKILL])
@pytest.mark.parametrize("command", ["dump-groups", "dump-flows"])
def test_ovsdb_server_that_is_lost_in_the_middle_of_apply_is_an_error_in_time(
    ground: Ground, node: WiredNode, command: str, number: signal.Signals, tmp_path: Path
) -> None:
    node.vsctl("clear", "Bridge", BRIDGE, "flow_tables")
    server = node.switch.daemons[DATABASE]
    shorter = mock.patch.object(ofctl, "_TIMEOUT", 1), mock.patch.object(ovsdb, "_TIMEOUT", 1.0)
    shim = mock.patch.dict(os.environ, killing(tmp_path / "bin", command, number, server))
    with shorter[0], shorter[1], shim:
        refused(node, ground.scene)
    if number == signal.SIGKILL:
        server.wait()
        node.switch.start_database()
    server.send_signal(signal.SIGCONT)
    ground.apply()
    assert ground.is_whole()


def test_what_others_write_to_the_database_meanwhile_is_no_hindrance(ground: Ground, node: WiredNode) -> None:
    busy = "while :; do for value in 1 2; do ovs-vsctl set open_vswitch . external_ids:busy=$value; done; done"
    with subprocess.Popen(["sh", "-c", busy], env=node.switch.environment) as others:
        try:
            for _ in range(10):
                node.vsctl("clear", "Bridge", BRIDGE, "flow_tables")
                assert "tables named" in node.apply(ground.scene.manifests, *ground.options).out
        finally:
            others.kill()
    assert ground.is_whole()


# The bridge and its ports


@both_encapsulations
def test_a_bridge_that_was_deleted_and_made_again_is_made_whole(ground: Ground, node: WiredNode) -> None:
    ground.open("web-0")
    ground.open("web-2")
    node.vsctl("del-br", BRIDGE)
    assert f"bridge {BRIDGE} does not exist" in refused(node, ground.scene, *ground.options)
    node.make_bridge_again()
    again, other = ground.apply()
    for words in ("fail_mode set to secure", "OpenFlow15 enabled", "port ovsnp-tun0 made", "port ovsnp-gw0 made"):
        assert words in again.out
    assert other.out == EMPTY
    assert ground.is_whole()
    # Conntrack belongs to the datapath, which exists as long as it has a bridge.
    for server in ("web-0", "web-2"):
        assert ground.client_speaks(server)
        assert ground.server_speaks(server)


@pytest.mark.parametrize("pod", ["client", "web-0"])
def test_a_port_that_goes_and_comes_back_with_another_number(ground: Ground, node: WiredNode, pod: str) -> None:
    ground.open("web-0")
    node.unplug(pod)
    gone = node.apply(ground.scene.manifests, *ground.options)
    assert (
        gone.err == f"default/{pod}: left out: no interface on {BRIDGE} has external_ids:iface-id=default/{pod} yet\n"
    )
    reaches = ground.server_speaks if pod == "client" else ground.client_speaks
    assert not reaches("web-0")
    node.plug(pod, "ofport_request=77")
    assert not reaches("web-0")  # only after apply
    assert ground.apply()[0].err == ""
    assert ground.is_right()
    assert any("in_port=77" in line for line in state(node)[0])
    assert ground.client_speaks("web-0")
    assert ground.server_speaks("web-0")


def test_the_option_map_and_the_handling_of_fragments_come_back_by_themselves(ground: Ground, node: WiredNode) -> None:
    """After somebody cleared the bridge."""
    for words in (["del-flows"], ["del-groups"], ["del-tlv-map"], ["set-frags", "normal"]):
        node.switch.run(["ovs-ofctl", "-O", "OpenFlow15", words[0], BRIDGE, *words[1:]])
    assert state(node)[1:] == ([], [line for line in state(node)[2] if "tun_metadata" not in line], ["normal"])
    ground.apply()
    assert ground.is_whole()


# A node that is gone


def test_a_node_that_leaves_the_manifests_and_comes_back(ground: Ground, node: WiredNode) -> None:
    scene = ground.scene
    ground.open("web-2")
    whole = (scene.manifests / "cluster.yaml").read_text()
    documents = [one for one in whole.split("---") if "name: node-2" not in one and "nodeName: node-2" not in one]
    scene.write("cluster", "---".join(documents))
    scene.serve(["web-0", "web-1"])
    without = node.apply(scene.manifests, *ground.options)
    assert "deleted" in without.out
    assert node.apply(scene.manifests, *ground.options).out == EMPTY
    assert not any("192.168.50.2" in line or "10.20.2" in line for line in state(node)[0])
    assert not ground.client_speaks("web-2")
    assert not ground.server_speaks("web-2")
    assert {scene.converse("client", port).at for port in range(1, 13)} == {"web-0", "web-1"}
    scene.write("cluster", whole)
    scene.serve(BACKENDS)
    ground.apply()
    assert ground.is_whole()
    assert ground.client_speaks("web-2")
    assert ground.server_speaks("web-2")


# ovsnp itself


HOLD = """
import sys, time
from ovsnp.switch.location import Location
from ovsnp.switch.lock import exclusive
with exclusive(Location("", sys.argv[1]), sys.argv[2]):
    print("held", flush=True)
    time.sleep(600)
"""


def test_the_lock_of_a_killed_apply_holds_nobody_up(ground: Ground, node: WiredNode) -> None:
    command = [sys.executable, "-c", HOLD, node.switch.location.rundir, BRIDGE]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        holder.kill()
    assert Path(node.switch.location.rundir, f"ovsnp-{BRIDGE}.lock").exists()
    assert ground.is_whole()


def test_two_applies_at_once_after_a_restart_of_ovs_vswitchd(ground: Ground, node: WiredNode) -> None:
    restart_switch(node)
    where = ["--db", node.switch.location.database, "--bridge", BRIDGE, "--node", node.name]
    command = [sys.executable, "-m", "ovsnp", "apply", *where, "-f", str(ground.scene.manifests), *ground.options]
    with exclusive(node.switch.location, BRIDGE):
        both = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    outs = sorted(process.communicate(timeout=60)[0] for process in both)
    assert [process.returncode for process in both] == [0, 0]
    assert EMPTY in outs
    assert ground.is_whole()
