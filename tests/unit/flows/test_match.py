"""Matches and actions in the notation in which Open vSwitch stores them."""

import pytest

from ovsnp.flows import action as a
from ovsnp.flows.flow import Flow
from ovsnp.flows.match import Match, Term, connection, exactly, format_hex, in_prefix
from ovsnp.model.address import parse_address
from ovsnp.pipeline import fields as f
from ovsnp.pipeline import registers as r


def value(address: str) -> int:
    return int.from_bytes(parse_address(address), "big")


@pytest.mark.parametrize(
    ("kind", "terms", "text"),
    [
        ("", (), ""),
        ("ip", (), "ip"),
        ("", (exactly(f.IN_PORT, 3),), "in_port=3"),
        ("", (exactly(f.ETH_SRC, 0x0A5800000001),), "dl_src=0a:58:00:00:00:01"),
        ("", (Term(f.ETH_DST, 1 << 40, 1 << 40),), "dl_dst=01:00:00:00:00:00/01:00:00:00:00:00"),
        ("ip", (exactly(f.IPV4_SRC, value("10.0.0.1")),), "ip,nw_src=10.0.0.1"),
        ("ip", (in_prefix(f.IPV4_DST, value("10.0.0.0"), 8),), "ip,nw_dst=10.0.0.0/8"),
        ("ip", (in_prefix(f.IPV4_DST, value("10.0.0.1"), 32),), "ip,nw_dst=10.0.0.1"),
        ("ip", (in_prefix(f.IPV4_DST, 0, 0),), "ip"),
        ("ipv6", (exactly(f.IPV6_SRC, value("fd00::1")),), "ipv6,ipv6_src=fd00::1"),
        ("ipv6", (in_prefix(f.IPV6_DST, value("fd00::"), 8),), "ipv6,ipv6_dst=fd00::/8"),
        ("ipv6", (in_prefix(f.IPV6_DST, 0, 0),), "ipv6"),
        ("tcp", (exactly(f.PORT_DST, 80),), "tcp,tp_dst=80"),
        ("udp6", (Term(f.PORT_DST, 0x2000, 0xE000),), "udp6,tp_dst=0x2000/0xe000"),
        ("tcp", (Term(f.PORT_DST, 0, 0xFFF8),), "tcp,tp_dst=0/0xfff8"),
        ("", (exactly(r.EGRESS_SUBJECT, 255),), "reg1=0xff"),
        ("", (exactly(r.EGRESS_SUBJECT, 0),), "reg1=0"),
        ("", (exactly(r.ORIGIN, 1),), "reg0=0x1/0x3"),
        ("", (exactly(r.JUDGED, 0),), "reg0=0/0x4"),
        ("", (exactly(r.ORIGIN, 1), exactly(r.TO_NODE, 1)), "reg0=0x9/0xb"),
        ("", (exactly(f.CONJ_ID, 4000000000),), "conj_id=4000000000"),
        ("", (exactly(f.CT_MARK, 16),), "ct_mark=0x10"),
        ("arp", (exactly(f.ARP_OP, 1), exactly(f.ARP_SPA, 1)), "arp,arp_op=1,arp_spa=0.0.0.1"),
    ],
)
def test_match_as_text(kind: str, terms: tuple[Term, ...], text: str) -> None:
    assert str(Match(kind, terms)) == text


def test_connection_state_is_written_in_the_order_of_its_bits() -> None:
    assert str(Match("", (connection("+trk-rpl+est"),))) == "ct_state=+est-rpl+trk"
    assert connection("+new+trk") == Term(f.CT_STATE, 0b100001, 0b100001)
    assert connection("-new+trk") == Term(f.CT_STATE, 0b100000, 0b100001)


def test_zero_has_no_prefix_in_hexadecimal() -> None:
    assert [format_hex(0), format_hex(1), format_hex(255)] == ["0", "0x1", "0xff"]


@pytest.mark.parametrize(
    ("action", "text"),
    [
        (a.SetField(f.IPV4_DST, value("10.0.0.1")), "set_field:10.0.0.1->ip_dst"),
        (a.SetField(f.ETH_DST, 1), "set_field:00:00:00:00:00:01->eth_dst"),
        (a.SetField(r.JUDGED, 1), "set_field:0x4/0x4->reg0"),
        (a.SetField(r.ORIGIN, 0), "set_field:0/0x3->reg0"),
        (a.SetField(r.OUT_PORT, 5), "set_field:0x5->reg7"),
        (a.Move(f.ETH_SRC, f.ETH_DST), "move:NXM_OF_ETH_SRC[]->NXM_OF_ETH_DST[]"),
        (a.Move(r.EGRESS_RULE, r.EGRESS_RULE_LABEL), "move:NXM_NX_REG5[]->NXM_NX_CT_LABEL[32..63]"),
        (a.Track(5, "ConntrackState"), "ct(table=50,zone=5,nat)"),
        (a.Commit(5, (a.Move(r.ORIGIN_NODE, f.CT_MARK),)), None),
        (a.Lookup("EgressPeer"), "resubmit(,90)"),
        (a.Goto("Forward"), "goto_table:110"),
        (a.Conjunction(9, 1, 3), "conjunction(9,1/3)"),
        (a.Output(r.OUT_PORT), "output:NXM_NX_REG7[]"),
        (a.ToInPort(), "IN_PORT"),
        (a.DecTtl(), "dec_ttl"),
    ],
)
def test_action_as_text(action: a.Action, text: str | None) -> None:
    assert str(action) == (text or "ct(commit,zone=5,exec(move:NXM_NX_REG8[]->NXM_NX_CT_MARK[]))")


def test_flow_without_actions_drops() -> None:
    assert Flow("Origin", 1, Match()).actions_text == "drop"


def test_cookie_tells_owner_table_and_rule() -> None:
    assert Flow("EgressRule", 1, Match(), number=0xABCDEF01).cookie == 0x0A5E_64_00_ABCDEF01
    assert Flow("Origin", 1, Match()).cookie == 0x0A5E << 48
