"""Parsing flows and groups: what is understood, and how a part that is not is reported."""

import pytest

from ovsnp.analysis.verification.simulator.actions import (
    ParsedGoto,
    ParsedLearn,
    ParsedNat,
    ParsedOutput,
    ParsedReport,
    ParsedSet,
    ParsedTrack,
    UnknownAction,
    read_actions,
)
from ovsnp.analysis.verification.simulator.places import FieldBits
from ovsnp.analysis.verification.simulator.reading import read_bridge, read_flow
from ovsnp.flows.action import ToController
from ovsnp.pipeline.drop_log import MAX_LEN, METER, DropReason


def test_a_line_of_a_dump_reads_as_one_of_a_bundle() -> None:
    dump = " cookie=0xa5e000000000000, duration=7.1s, table=0, n_packets=0, n_bytes=0, idle_age=7, priority=200,"
    bundle = "flow add cookie=0x0a5e000000000000,table=0,priority=200,tcp,nw_src=10.0.0.0/8,tp_dst=80 actions=drop"
    (one,) = read_bridge([f"{dump}tcp,nw_src=10.0.0.0/8,tp_dst=80 actions=drop"]).flows
    (other,) = read_bridge(["NXST_FLOW reply (xid=0x4):", bundle]).flows
    assert (one.table, one.priority, one.terms, one.cookie) == (other.table, other.priority, other.terms, other.cookie)
    assert one.terms == {
        "eth_type": (0x800, 0xFFFF),
        "nw_proto": (6, 0xFFFF),
        "nw_src": (10 << 24, 255 << 24),
        "tp_dst": (80, 0xFFFF),
    }


def test_registers_overlap_as_in_open_vswitch() -> None:
    assert read_actions("set_field:0x2/0x3->reg0") == (ParsedSet("xxreg0", 2 << 96, 3 << 96),)
    assert read_actions("load:0x5->NXM_NX_REG10[]") == (ParsedSet("xxreg2", 5 << 32, 0xFFFFFFFF << 32),)
    assert read_actions("output:NXM_NX_REG7[]") == (ParsedOutput(FieldBits("xxreg1", 0, 32)),)


def test_conntrack_and_learn() -> None:
    text = "ct(commit,table=70,zone=2654,nat(dst=10.20.1.10:6379),exec(set_field:0x2/0x2->ct_label))"
    (track,) = read_actions(text)
    assert isinstance(track, ParsedTrack)
    assert (track.zone, track.table, track.commit) == (2654, 70, True)
    assert track.nat == ParsedNat("dst", b"\x0a\x14\x01\x0a", (6379, 6379))
    (learn,) = read_actions(
        "learn(table=63,idle_timeout=600,priority=200,cookie=0xa5e3f0000000000,limit=65536,eth_type=0x800,nw_proto=6,"
        "NXM_OF_IP_SRC[],ip_dst=10.96.0.11,tcp_dst=80,load:0x7->NXM_NX_REG10[])"
    )
    assert isinstance(learn, ParsedLearn)
    assert learn.same == ("nw_src",)
    assert dict(learn.terms) == {"eth_type": 0x800, "nw_proto": 6, "nw_dst": 0x0A60000B, "tp_dst": 80}


def test_reports_of_the_drop_log() -> None:
    for reason in DropReason:
        assert read_actions(str(ToController(bytes([reason]), MAX_LEN, METER))) == (ParsedReport(),)


@pytest.mark.parametrize(
    "action",
    [
        "NORMAL",
        "controller(max_len=128)",
        "controller(max_len=128,userdata=01,meter_id=1)",
        "controller(max_len=128,userdata=04,meter_id=2654)",
        "controller(max_len=128,userdata=01.02,meter_id=2654)",
        "controller(max_len=128,userdata=01,pause,meter_id=2654)",
        "ct(commit,force,zone=1)",
        "ct(nat(src),zone=1)",
        "resubmit(1,2)",
        "clone(drop)",
    ],
)
def test_an_action_that_is_not_known_stays_as_it_is(action: str) -> None:
    assert read_actions(f"{action},goto_table:10") == (UnknownAction(action), ParsedGoto(10))


@pytest.mark.parametrize(
    ("match", "unknown"),
    [
        ("tcp,tp_src=5", ""),
        ("dl_vlan=5", "dl_vlan=5"),
        ("ip,nw_ttl=64", "nw_ttl=64"),
        ("nw_src=10.0.0.1", "nw_src without eth_type"),
        ("ip,tp_dst=80", "tp_dst without nw_proto"),
        ("ip,nw_src=10.0.0.1/0.85.85.85", "a mask of nw_src with holes"),
    ],
)
def test_a_match_that_would_be_widened_or_is_not_known_is_told(match: str, unknown: str) -> None:
    assert read_flow(f"table=0,{match} actions=drop").unknown == unknown


def test_the_last_of_two_flows_with_one_match_counts() -> None:
    lines = [f"flow add table=1,priority=5,ip actions={actions}" for actions in ("drop", "goto_table:2")]
    assert [flow.actions for flow in read_bridge(lines).flows] == [(ParsedGoto(2),)]


def test_names_are_refused_with_what_to_do() -> None:
    with pytest.raises(ValueError, match="line 1: table=Origin is no number; dump with --no-names"):
        read_bridge(["table=Origin,priority=1 actions=drop"])
