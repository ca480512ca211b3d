"""Requests over an OpenFlow connection to a real Open vSwitch: what is read is what ``ovs-ofctl`` prints, and set."""

import queue
import time
from collections.abc import Callable, Iterator

import pytest

from ovsnp.compiler import compile_cluster, local_pods
from ovsnp.errors import SwitchError
from ovsnp.flows import modification as m
from ovsnp.flows.action import Commit, Lookup, SetField
from ovsnp.flows.flow import Flow
from ovsnp.flows.group import Bucket, Group
from ovsnp.flows.match import Match
from ovsnp.model.address import parse_address
from ovsnp.model.options import Carrier
from ovsnp.pipeline import fields as f
from ovsnp.pipeline import registers as r
from ovsnp.pipeline.carrier import option_map
from ovsnp.pipeline.conntrack import ZONE
from ovsnp.pipeline.cookies import BASE, MASK
from ovsnp.pipeline.drop_log import BURST, METER, RATE
from ovsnp.switch.conntrack import conntrack
from ovsnp.switch.datapath import Datapath
from ovsnp.switch.icmp_error import icmp_error
from ovsnp.switch.openflow.commit import commit
from ovsnp.switch.openflow.configuration import receive_packets, show_fragments, shows_fragments
from ovsnp.switch.openflow.connection import OpenFlow, OpenFlowRefusedError
from ovsnp.switch.openflow.ct_flush import ConnectionTuple, flush_connections, flush_zone
from ovsnp.switch.openflow.forwarded import ForwardedRequest, forwarded_request, watch_requests
from ovsnp.switch.openflow.message import Message, MessageType
from ovsnp.switch.openflow.meter import Meter, delete_meter, meter_statistics, put_meter
from ovsnp.switch.openflow.modifications import DeleteEntry, encode_change
from ovsnp.switch.openflow.monitor import FlowEventKind, flow_events, watch_flows
from ovsnp.switch.openflow.packet_in import decode_packet_in
from ovsnp.switch.openflow.packet_out import encode_packet_out
from ovsnp.switch.openflow.tables import FlowCounters, count_flows, read_flows, read_groups
from ovsnp.switch.openflow.tlv_table import add_options, read_options
from tests.support.golden_cases import CASES, cluster_of, options_of
from tests.support.instance import DummySwitch
from tests.support.traced import offline_ports

BRIDGE, PORT, IN_PORT = "asked", "asked-1", 1
_OFCTL = ("ovs-ofctl", "-O", "OpenFlow15")
PACKET = (
    "in_port(1),eth(src=0a:58:00:00:00:02,dst=0a:58:00:00:00:01),eth_type(0x0800),"
    "ipv4(src=10.0.0.1,dst=10.0.0.2,proto={protocol},tos=0,ttl=64,frag=no),{rest}"
)
UDP = PACKET.format(protocol=17, rest="udp(src=50000,dst=53)")
PING = PACKET.format(protocol=1, rest="icmp(type=8,code=0)")
TCP = PACKET.format(protocol=6, rest="tcp(src=50000,dst=80),tcp_flags(syn)")
GRE = PACKET.format(protocol=47, rest="").rstrip(",")
PACKET6 = (
    "in_port(1),eth(src=0a:58:00:00:00:02,dst=0a:58:00:00:00:01),eth_type(0x86dd),"
    "ipv6(src=fd00::1,dst=fd00::2,label=0,proto={protocol},tclass=0,hlimit=64,frag=no),{rest}"
)
UDP6 = PACKET6.format(protocol=17, rest="udp(src=50000,dst=53)")
PING6 = PACKET6.format(protocol=58, rest="icmpv6(type=128,code=0)")


@pytest.fixture
def bridge(dummy_switch: DummySwitch) -> Iterator[DummySwitch]:
    """A bridge with one port."""
    dummy_switch.add_bridge(BRIDGE, {PORT: IN_PORT})
    yield dummy_switch
    dummy_switch.delete_bridge(BRIDGE)


@pytest.fixture
def connection(bridge: DummySwitch) -> Iterator[OpenFlow]:
    with OpenFlow(bridge.location, BRIDGE) as opened:
        yield opened


def add(switch: DummySwitch, *flows: str) -> None:
    for flow in flows:
        switch.run([*_OFCTL, "add-flow", BRIDGE, flow])


@pytest.mark.parametrize("case", CASES)
def test_flows_and_groups_are_read_as_they_are_written(case: str, bridge: DummySwitch, connection: OpenFlow) -> None:
    add_options(connection, option_map(Carrier()))
    put_meter(connection, Meter(METER, RATE, BURST))
    cluster, options = cluster_of(case), options_of(case)
    program = compile_cluster(cluster, offline_ports(local_pods(cluster, "node-1")), options)
    commit(connection, [*map(m.AddGroup, program.groups), *map(m.AddFlow, program.flows)])
    # struct ofp11_flow_mod has 40 bytes before the match, struct ofp15_group_mod 16 before the buckets.
    flows = {encode_change(m.AddFlow(flow)).body[40:] for flow in program.flows}
    groups = {(group.id, encode_change(m.AddGroup(group)).body[16:]) for group in program.groups}
    found = list(read_flows(connection, cookie=BASE, cookie_mask=MASK))
    assert {flow.match + flow.instructions for flow in found} == flows
    assert {(flow.table, flow.priority, flow.cookie) for flow in found} == {
        (flow.table_id, flow.priority, flow.cookie) for flow in program.flows
    }
    assert {(group.id, group.buckets + group.properties) for group in read_groups(connection)} == groups


def test_flows_that_were_read_are_deleted(bridge: DummySwitch, connection: OpenFlow) -> None:
    add(
        bridge,
        "table=1,cookie=0x5,tcp,nw_src=10.0.0.0/8,reg1=7,tun_id=1 actions=drop",
        "table=1,cookie=0x5 actions=drop",
    )
    add(bridge, "table=1,cookie=0x6,udp actions=drop")
    found = list(read_flows(connection, cookie=5, cookie_mask=0xF))
    add(bridge, "table=1,cookie=0x7 actions=drop")  # takes the slot of the second
    commit(connection, map(DeleteEntry, found))
    assert len(found) == 2
    assert sorted(flow.cookie for flow in read_flows(connection)) == [6, 7]


def test_many_flows_are_read(bridge: DummySwitch, connection: OpenFlow) -> None:
    lines = "".join(f"flow add table=1,ip,nw_src=10.0.{n >> 8}.{n & 255} actions=drop\n" for n in range(5000))
    bridge.run([*_OFCTL, "bundle", BRIDGE, "-"], lines)
    assert len({flow.match for flow in read_flows(connection, table=1)}) == 5000
    assert count_flows(connection).flows == 5000


def test_option_map(bridge: DummySwitch, connection: OpenFlow) -> None:
    assert read_options(connection) == []
    add_options(connection, option_map(Carrier()))
    assert set(read_options(connection)) == set(option_map(Carrier()))
    with pytest.raises(OpenFlowRefusedError, match="NXTTMFC_ALREADY_MAPPED"):
        add_options(connection, option_map(Carrier()))


def test_fragments(bridge: DummySwitch, connection: OpenFlow) -> None:
    assert not shows_fragments(connection)
    show_fragments(connection)
    assert shows_fragments(connection)
    assert "nx-match" in bridge.run([*_OFCTL, "get-frags", BRIDGE])


def test_flows_are_counted(bridge: DummySwitch, connection: OpenFlow) -> None:
    add(bridge, "table=0,cookie=0x105,udp actions=goto_table:1", "table=0,cookie=0x206 actions=drop")
    add(bridge, "table=1,cookie=0x105 actions=drop")
    for _ in range(3):
        bridge.appctl("netdev-dummy/receive", PORT, UDP)

    def found() -> dict[tuple[int, int], int]:
        bridge.appctl("revalidator/purge")
        return {(flow.table, flow.cookie): flow.packets for flow in read_flows(connection)}

    _wait_for(lambda: found() == {(0, 0x105): 3, (0, 0x206): 0, (1, 0x105): 3})
    assert [flow.packets for flow in read_flows(connection, table=1)] == [3]
    assert count_flows(connection, cookie=5, cookie_mask=0xFF)[:2] == (2, 6)
    assert count_flows(connection, cookie=0x206, cookie_mask=0xFFFF) == FlowCounters(1, 0, 0)


def test_packets_come_with_what_the_bridge_knew(bridge: DummySwitch, connection: OpenFlow) -> None:
    messages: queue.SimpleQueue[Message] = queue.SimpleQueue()
    put_meter(connection, Meter(1, 1, 2))
    to_controller = "controller(max_len=40,userdata=01.02,meter_id=1)"
    add(bridge, f"table=0,cookie=0x77,udp actions=set_field:0x5->reg1,set_field:2->reg0,{to_controller}")
    with OpenFlow(bridge.location, BRIDGE, unasked=messages.put) as packets:
        receive_packets(packets)
        for _ in range(20):
            bridge.appctl("netdev-dummy/receive", PORT, UDP)
        first = decode_packet_in(messages.get(timeout=10))
        packets.tell()
    assert (first.table, first.cookie, first.userdata) == (0, 0x77, b"\1\2")
    assert first.full_length >= len(first.packet) >= 40
    assert first.packet[26:34] == parse_address("10.0.0.1") + parse_address("10.0.0.2")
    assert (first.value(f.IN_PORT), first.value(r.EGRESS_SUBJECT), first.value(r.ORIGIN)) == (IN_PORT, 5, 2)
    came = 1 + messages.qsize()
    counted = meter_statistics(connection, 1)
    assert counted.packets == 20
    assert counted.dropped == 20 - came
    assert counted.dropped > 0


def test_meters_come_change_and_go(bridge: DummySwitch, connection: OpenFlow) -> None:
    put_meter(connection, Meter(1, 5, 10))
    assert "rate=5 burst_size=10" in bridge.run([*_OFCTL, "dump-meters", BRIDGE])
    put_meter(connection, Meter(1, 6, 12))
    assert "rate=6 burst_size=12" in bridge.run([*_OFCTL, "dump-meters", BRIDGE])
    delete_meter(connection, 1)
    delete_meter(connection, 1)
    assert "meter=1" not in bridge.run([*_OFCTL, "dump-meters", BRIDGE])
    with pytest.raises(SwitchError, match="OFPMMFC_UNKNOWN_METER"):
        meter_statistics(connection, 1)


def test_changes_by_others_are_told(bridge: DummySwitch) -> None:
    messages: queue.SimpleQueue[Message] = queue.SimpleQueue()

    def told() -> list[tuple[FlowEventKind, int, int, int]]:
        events = flow_events(messages.get(timeout=10))
        return [(event.kind, event.table, event.priority, event.cookie) for event in events]

    own = Flow("Service", 7, Match("ip"))
    with OpenFlow(bridge.location, BRIDGE, unasked=messages.put) as connection:
        watch_flows(connection)
        commit(connection, [m.AddFlow(own)])
        connection.tell()
        while not messages.empty():
            assert flow_events(messages.get()) == []
        add(bridge, "table=3,priority=5,cookie=0x9,ip actions=drop")
        assert told() == [(FlowEventKind.ADDED, 3, 5, 9)]
        bridge.run([*_OFCTL, "mod-flows", BRIDGE, "table=3 actions=goto_table:4"])
        assert told() == [(FlowEventKind.MODIFIED, 3, 5, 9)]
        bridge.run([*_OFCTL, "del-flows", BRIDGE])
        assert sorted(told()) == [(FlowEventKind.REMOVED, 3, 5, 9), (FlowEventKind.REMOVED, 60, 7, own.cookie)]


def test_only_changes_of_groups_and_meters_by_others_are_told(bridge: DummySwitch) -> None:
    messages: queue.SimpleQueue[Message] = queue.SimpleQueue()
    reports: queue.SimpleQueue[Message] = queue.SimpleQueue()
    group = Group(7, (), (Bucket(1, (Lookup("Endpoint"),)),), "default/web", "80")
    add(bridge, "table=0,udp actions=controller")
    with (
        OpenFlow(bridge.location, BRIDGE, unasked=messages.put) as connection,
        OpenFlow(bridge.location, BRIDGE, unasked=reports.put) as drop_log,
    ):
        watch_requests(connection)
        receive_packets(drop_log)
        commit(connection, [m.AddGroup(group)])
        put_meter(connection, Meter(2, 10, 20))
        bridge.appctl("netdev-dummy/receive", PORT, UDP)
        reports.get(timeout=10)
        connection.tell()
        assert messages.empty()
        for command, argument, told in (
            ("add-group", "group_id=8,type=select,bucket=drop", (MessageType.GROUP_MOD, 8)),
            ("mod-group", "group_id=8,type=select,bucket=output:1", (MessageType.GROUP_MOD, 8)),
            ("remove-buckets", "group_id=7,command_bucket_id=all", (MessageType.GROUP_MOD, 7)),
            ("del-groups", "group_id=8", (MessageType.GROUP_MOD, 8)),
            ("mod-meter", "meter=2,pktps,band=type=drop,rate=1", (MessageType.METER_MOD, 2)),
            ("del-meter", "meter=2", (MessageType.METER_MOD, 2)),
        ):
            bridge.run([*_OFCTL, command, BRIDGE, argument])
            assert forwarded_request(messages.get(timeout=10)) == ForwardedRequest(*told)
        bridge.run([*_OFCTL, "add-groups", "--bundle", BRIDGE, "-"], "group_id=9,type=select,bucket=drop\n")
        assert forwarded_request(messages.get(timeout=10)) == ForwardedRequest(MessageType.GROUP_MOD, 9)


def tracked(switch: DummySwitch, zone: int) -> list[str]:
    return switch.appctl("dpctl/dump-conntrack", f"zone={zone}").splitlines()


def test_connections_are_forgotten(bridge: DummySwitch, connection: OpenFlow) -> None:
    add(bridge, "table=0,ip actions=ct(commit,zone=7),ct(commit,zone=8)")
    for packet in (UDP, UDP.replace("50000", "50001"), PING):
        bridge.appctl("netdev-dummy/receive", PORT, packet)
    _wait_for(lambda: len(tracked(bridge, 7)) == len(tracked(bridge, 8)) == 3)
    source, destination = parse_address("10.0.0.1"), parse_address("10.0.0.2")
    gone = ConnectionTuple(17, source, destination, (50000, 53))
    flush_connections(connection, 7, gone, gone)  # the second finds nothing
    assert len(tracked(bridge, 7)) == 2
    assert not any("50000" in line for line in tracked(bridge, 7))
    (ping,) = (line for line in tracked(bridge, 7) if line.startswith("icmp"))
    number = int(ping.partition("id=")[2].partition(",")[0])
    flush_connections(connection, 7, ConnectionTuple(1, source, destination, icmp=(number, 8, 0)))
    assert [line.partition(",")[0] for line in tracked(bridge, 7)] == ["udp"]
    assert len(tracked(bridge, 8)) == 3
    flush_zone(connection, 8)
    assert tracked(bridge, 8) == []
    assert len(tracked(bridge, 7)) == 1


@pytest.mark.parametrize("packet", [UDP, TCP, PING, GRE, UDP6, PING6])
def test_an_error_changes_the_memory_of_its_connection(bridge: DummySwitch, connection: OpenFlow, packet: str) -> None:
    zone, other = ZONE[6 if "ipv6" in packet else 4], 7
    remember = f"exec(set_field:{0x5 << 64:#x}->ct_label)"
    add(bridge, *(f"table=0,{kind} actions=ct(commit,zone={zone},{remember}),ct(commit,zone={other},{remember})"
                  for kind in ("ip", "ipv6")))  # fmt: skip
    bridge.appctl("netdev-dummy/receive", PORT, packet)
    _wait_for(lambda: len(tracked(bridge, other)) == 1)
    with conntrack(bridge.location, BRIDGE, Datapath("dummy", (3, 1, 0))) as tracker:
        (entry,) = tracker.entries(zone)
        assert entry.label == 0x5 << 64
        forget = Commit(zone, (SetField(r.ADMITTED, 0), SetField(r.ANSWERED, 0)))
        connection.tell(encode_packet_out(icmp_error(entry), (forget,)))
        _wait_for(lambda: [each.label for each in tracker.entries(zone)] == [0])
        assert [each._replace(timeout="") for each in tracker.entries(zone)] == [
            entry._replace(timeout="", hexadecimal="")
        ]
        assert [each.label for each in tracker.entries(other)] == [0x5 << 64]


def _wait_for(reached: Callable[[], bool]) -> None:
    until = time.monotonic() + 10
    while not reached():
        assert time.monotonic() < until
        time.sleep(0.05)
