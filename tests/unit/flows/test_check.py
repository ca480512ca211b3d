"""Every kind of mistake in a flow is refused when the flow is built."""

from collections.abc import Iterable

import msgspec
import pytest

from ovsnp.errors import DeclarationError, Exit
from ovsnp.flows import action as a
from ovsnp.flows.check import check_flow
from ovsnp.flows.flow import Flow
from ovsnp.flows.match import Match, Term, connection, exactly, in_prefix
from ovsnp.flows.store import FlowStore
from ovsnp.flows.units import UnitChanges
from ovsnp.pipeline import datapath, tables
from ovsnp.pipeline import fields as f
from ovsnp.pipeline import registers as r
from ovsnp.pipeline.drop_log import METER
from ovsnp.pipeline.fields import Field
from ovsnp.pipeline.tables import BY_NAME, TABLES

ANY = Match()


def flow(table: str, match: Match = ANY, *actions: a.Action, priority: int = 100) -> Flow:
    return Flow(table, priority, match, actions)


def store(flows: Iterable[Flow]) -> None:
    """Store these flows as all flows of a bridge."""
    FlowStore().update(UnitChanges({("unit", index): (flow,) for index, flow in enumerate(flows)}, {}))


def refused(mistake: Flow, because: str) -> None:
    """Assert that the flow is refused, and that the message names the flow and the reason."""
    with pytest.raises(DeclarationError, match=because) as caught:
        check_flow(mistake)
    assert str(caught.value).startswith(f"{mistake.table}, priority {mistake.priority}, ")
    assert caught.value.exit_code is Exit.INTERNAL


def test_flow_that_the_declaration_allows_is_returned() -> None:
    good = flow("Egress", Match("tcp", (exactly(f.PORT_DST, 80), exactly(r.ORIGIN, 1))), a.Goto("Forward"))
    assert check_flow(good) is good


# Matches


@pytest.mark.parametrize(
    ("table", "kind", "field"),
    [
        ("EgressPeer", "", f.IPV4_DST),
        ("EgressPeer", "ipv6", f.IPV4_DST),
        ("EgressPeer", "ip", f.IPV6_DST),
        ("EgressRule", "", f.PORT_DST),
        ("EgressRule", "ip", f.PORT_DST),
        ("EgressRule", "icmp", f.PORT_DST),
        ("Origin", "", f.ARP_SPA),
        ("Origin", "ip", f.ARP_SPA),
        ("Origin", "ipv6", f.ND_SLL),
        ("Origin", "icmp", f.ICMPV6_TYPE),
    ],
)
def test_field_without_its_prerequisite_is_refused(table: str, kind: str, field: Field) -> None:
    refused(flow(table, Match(kind, (exactly(field, 1),))), f"{field.name} needs one of ")


def test_unknown_kind_of_packet_is_refused() -> None:
    refused(flow("Egress", Match("igmp")), "no such kind of packet: igmp")


@pytest.mark.parametrize(
    ("table", "kind", "field"),
    [("Egress", "ip", f.IPV4_DST), ("EgressPeer", "ip", f.IPV4_SRC), ("Output", "", r.EGRESS_PEER)],
)
def test_field_that_the_table_does_not_match_is_refused(table: str, kind: str, field: Field) -> None:
    refused(flow(table, Match(kind, (exactly(field, 1),))), f"does not match {field.name}")


def test_field_that_is_matched_twice_is_refused() -> None:
    terms = (in_prefix(f.IPV4_DST, 10 << 24, 8), exactly(f.IPV4_DST, 10 << 24 | 1))
    refused(flow("EgressPeer", Match("ip", terms)), "nw_dst is matched twice")


def test_two_fields_of_one_register_are_not_one_field_twice() -> None:
    check_flow(flow("Egress", Match("", (exactly(r.ORIGIN, 1), exactly(r.TO_NODE, 1)))))


@pytest.mark.parametrize(
    ("table", "kind", "term"),
    [
        ("Egress", "", Term(r.ORIGIN, 4, 3)),
        ("Egress", "", Term(r.ORIGIN, 1, 7)),
        ("Egress", "", Term(r.JUDGED, 2, 1)),
        ("Egress", "", Term(r.EGRESS_SUBJECT, 1 << 32, (1 << 32) - 1)),
        ("Egress", "", Term(r.EGRESS_SUBJECT, -1, (1 << 32) - 1)),
        ("Egress", "tcp", Term(f.PORT_DST, 65536, 65535)),
        ("EgressPeer", "ip", Term(f.IPV4_DST, 0x0A000001, 0xFF000000)),
        ("EgressPeer", "ip", Term(f.IPV4_DST, 0, -1)),
    ],
)
def test_value_or_mask_out_of_its_bits_is_refused(table: str, kind: str, term: Term) -> None:
    refused(flow(table, Match(kind, (term,))), f"does not fit {term.field.name}")


# Actions


def test_field_that_the_table_does_not_set_is_refused() -> None:
    refused(flow("EgressPeer", Match("ip"), a.SetField(r.INGRESS_PEER, 1)), "does not set ingress_peer")
    refused(flow("Commit", Match("ip"), a.Commit(1, (a.Move(r.ORIGIN, r.OUT_PORT),))), "does not set out_port")
    refused(flow("AddressResolution", Match("arp"), a.Pop(f.IPV4_SRC)), "does not set nw_src")


@pytest.mark.parametrize(("field", "value"), [(r.EGRESS_PEER, 1 << 32), (r.EGRESS_PEER, -1)])
def test_register_value_out_of_its_bits_is_refused(field: Field, value: int) -> None:
    refused(flow("EgressPeer", Match("ip"), a.SetField(field, value)), "does not fit egress_peer")


def test_value_out_of_a_part_of_a_register_is_refused() -> None:
    refused(flow("ConntrackState", Match(), a.SetField(r.JUDGED, 2)), "0x2 does not fit judged")


def test_action_on_a_field_that_the_packet_lacks_is_refused() -> None:
    refused(flow("AddressResolution", Match("ip"), a.SetField(f.ARP_OP, 2)), "arp_op needs one of arp")
    refused(flow("AddressResolution", Match("ip"), a.Move(f.ARP_SHA, f.ETH_DST)), "arp_sha needs one of arp")
    refused(flow("AddressResolution", Match("icmp6"), a.Push(f.ARP_TPA)), "arp_tpa needs one of arp")
    refused(flow("NeighborAdvertisement", Match("ipv6"), a.SetField(f.ND_TLL, 1)), "nd_tll needs one of icmp6")


def test_move_between_widths_is_refused() -> None:
    refused(flow("Commit", Match("ip"), a.Commit(1, (a.Move(r.ORIGIN, f.CT_MARK),))), "2 bits into 32")


def test_dec_ttl_without_ip_is_refused() -> None:
    for kind in ("", "arp"):
        refused(flow("Forward", Match(kind), a.DecTtl()), "dec_ttl needs an IP packet")
    for kind in ("ip", "ipv6", "tcp", "icmp6"):
        check_flow(flow("Forward", Match(kind), a.DecTtl()))


def test_output_from_a_table_without_is_refused() -> None:
    refused(flow("Forward", Match("ip"), a.Output(r.OUT_PORT)), "does not output")
    refused(flow("Forward", Match("ip"), a.ToInPort()), "does not output")


# The way through the tables


def test_unknown_tables_are_refused() -> None:
    refused(flow("Nowhere"), "Nowhere")
    refused(flow("Egress", Match(), a.Goto("Nowhere")), "does not go on to Nowhere")
    refused(flow("Egress", Match(), a.Lookup("Nowhere")), "does not look up Nowhere")
    refused(flow("Conntrack", Match("ip"), a.Track(1, "Nowhere")), "does not go on to Nowhere")


def test_jump_past_the_declared_next_tables_is_refused() -> None:
    refused(flow("Egress", Match(), a.Goto("Output")), "does not go on to Output")
    refused(flow("Egress", Match(), a.Lookup("IngressPeer")), "does not look up IngressPeer")


def test_jump_backwards_is_refused_also_where_it_is_declared(monkeypatch: pytest.MonkeyPatch) -> None:
    refused(flow("Egress", Match(), a.Goto("Origin")), "does not go on to Origin")
    circular = msgspec.structs.replace(BY_NAME["Egress"], next=("Origin", "Egress"))
    monkeypatch.setitem(tables.BY_NAME, "Egress", circular)
    refused(flow("Egress", Match(), a.Goto("Origin")), "does not go on to Origin")
    refused(flow("Egress", Match(), a.Goto("Egress")), "does not go on to Egress")


def test_declared_tables_rise_and_exist() -> None:
    for table in TABLES:
        assert all(BY_NAME[name].id > table.id for name in table.next)
        assert all(BY_NAME[name].id > table.id for name in table.lookups)


def test_actions_after_the_last_are_refused() -> None:
    judged = a.SetField(r.JUDGED, 1)
    refused(flow("ConntrackState", Match(), a.Goto("Service"), judged), "nothing comes after goto_table")
    refused(flow("Conntrack", Match("ip"), a.Track(1, "ConntrackState"), a.Track(2, "ConntrackState")), "nothing comes")


# Conjunctions


def conjunction(clause: int, *, number: int = 7, clauses: int = 2, match: Match | None = None, at: int = 200) -> Flow:
    """One clause's flow in EgressRule."""
    where = match or Match("", (exactly(r.EGRESS_SUBJECT, clause),))
    return flow("EgressRule", where, a.Conjunction(number, clause, clauses), priority=at)


def end(number: int = 7) -> Flow:
    """The flow that matches when all clauses of a conjunction hold."""
    return flow("EgressRule", Match("", (exactly(f.CONJ_ID, number),)), a.Goto("Forward"), priority=200)


@pytest.mark.parametrize(
    "impossible",
    [a.Conjunction(0, 1, 2), a.Conjunction(1 << 32, 1, 2), a.Conjunction(1, 0, 2), a.Conjunction(1, 3, 2)],
)
def test_impossible_conjunction_is_refused(impossible: a.Conjunction) -> None:
    refused(flow("EgressRule", Match(), impossible), "is impossible here")


def test_conjunction_of_one_clause_is_refused() -> None:
    refused(flow("EgressRule", Match(), a.Conjunction(1, 1, 1)), "is impossible here")


def test_conjunction_in_a_table_without_is_refused() -> None:
    refused(flow("Egress", Match(), a.Conjunction(1, 1, 2)), "is impossible here")


def test_conjunction_beside_another_action_is_refused() -> None:
    refused(flow("EgressRule", Match(), a.Conjunction(1, 1, 2), a.Goto("Forward")), "conjunctions stand alone")


REPORT = a.ToController(b"\1", 128, METER)


def test_drop_with_a_report_is_accepted() -> None:
    for table in ("Egress", "EgressRule", "IngressRule"):
        check_flow(flow(table, Match(), REPORT))


def test_report_in_a_table_without_reports_is_refused() -> None:
    for table in (each.name for each in TABLES if not each.reports):
        refused(flow(table, Match(), REPORT), "is impossible here")


@pytest.mark.parametrize("other", [a.Goto("Forward"), REPORT])
def test_report_beside_another_action_is_refused(other: a.Action) -> None:
    refused(flow("EgressRule", Match(), REPORT, other), "a packet that the bridge reports goes nowhere else")


@pytest.mark.parametrize(
    "report",
    [
        a.ToController(b"", 128, METER),
        a.ToController(b"\1", 0, METER),
        a.ToController(b"\1", 65535, METER),
        a.ToController(b"\1", 128, METER + 1),
    ],
)
def test_impossible_report_is_refused(report: a.ToController) -> None:
    refused(flow("EgressRule", Match(), report), "is impossible here")


def test_whole_conjunctions_are_accepted() -> None:
    store([conjunction(1), conjunction(2), end()])
    shared = flow("EgressRule", Match("tcp"), a.Conjunction(7, 2, 2), a.Conjunction(8, 2, 2), priority=200)
    store([conjunction(1), conjunction(1, number=8, match=Match("udp")), shared, end(), end(8)])


@pytest.mark.parametrize(
    ("flows", "because"),
    [
        ([conjunction(1), end()], "conjunction 7 in EgressRule is not whole"),
        ([conjunction(1), conjunction(3, clauses=3), end()], "is not whole"),
        ([conjunction(1), conjunction(2, clauses=3), end()], "is not whole"),
        ([conjunction(1), conjunction(2, at=199), end()], "is not whole"),
        ([conjunction(1), conjunction(2)], "is not whole"),
        ([conjunction(1), conjunction(2), end(8)], "is not whole"),
        ([end()], "a conj_id has no conjunction"),
        ([conjunction(1), conjunction(2), end(), end(8)], "a conj_id has no conjunction"),
    ],
)
def test_incomplete_or_mixed_conjunction_is_refused(flows: list[Flow], because: str) -> None:
    with pytest.raises(DeclarationError, match=because):
        store(flows)


def test_clauses_of_one_conjunction_stand_in_one_table() -> None:
    elsewhere = flow("IngressRule", Match("tcp"), a.Conjunction(7, 2, 2), priority=200)
    with pytest.raises(DeclarationError, match="is not whole"):
        store([conjunction(1), elsewhere, end()])


# Slots


def test_two_flows_in_one_slot_are_refused() -> None:
    match = Match("ip", (in_prefix(f.IPV4_DST, 10 << 24, 8),))
    first, second = (flow("EgressPeer", match, a.SetField(r.EGRESS_PEER, peer)) for peer in (1, 2))
    with pytest.raises(DeclarationError, match=r"two flows share .*nw_dst=10\.0\.0\.0/8"):
        store([first, second])


def test_same_match_at_another_priority_or_in_another_table_is_another_slot() -> None:
    match = Match("", (connection("+trk"),))
    store([flow("Forward", match), flow("Forward", match, priority=99), flow("ConntrackState", match)])


# Datapaths


def test_set_field_that_the_kernel_datapath_lacks_is_refused() -> None:
    advertisement = Match("icmp6", (exactly(f.ICMPV6_TYPE, 136),))
    for field in (f.ND_OPTIONS_TYPE, f.ND_RESERVED):
        mistake = flow("NeighborAdvertisement", advertisement, a.SetField(field, 2))
        refused(mistake, f"not every datapath sets {field.name}: IPv6 ND Extension")
    written = flow("NeighborAdvertisement", advertisement, a.Move(r.ADVERTISED_FLAGS, f.ND_RESERVED.part(29, 3)))
    assert check_flow(written) is written


@pytest.mark.parametrize(
    ("feature", "match", "action"),
    [
        (datapath.Feature.CT_STATE, Match("", (connection("+new+trk"),)), a.Goto("Service")),
        (datapath.Feature.CT_LABEL, Match("", (exactly(r.ADMITTED, 1),)), a.Goto("Service")),
    ],
)
def test_match_that_the_oldest_datapath_lacks_is_refused(
    monkeypatch: pytest.MonkeyPatch, feature: datapath.Feature, match: Match, action: a.Action
) -> None:
    monkeypatch.setattr("ovsnp.flows.check.OLDEST", datapath.OLDEST - {feature})
    refused(flow("ConntrackState", match, action), f"not every datapath .*: {feature} ")


def test_tracking_that_the_oldest_datapath_lacks_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ovsnp.flows.check.OLDEST", datapath.OLDEST - {datapath.Feature.CT_STATE_NAT})
    refused(flow("Conntrack", Match("ip"), a.Track(1, "ConntrackState")), "not every datapath tracks connections")


TUNNEL = exactly(f.IN_PORT, 2654)
OPTION = in_prefix(f.TUN_METADATA[4], 0x0A140200, 24)
CARRIED = flow("Origin", Match("ip", (TUNNEL, exactly(f.TUN_ID, 1), OPTION)), a.Goto("SnatConntrack"))


@pytest.mark.parametrize(
    "other",
    [
        flow("Origin", Match("", (TUNNEL, exactly(f.TUN_ID, 0))), a.Goto("SnatConntrack")),
        flow("Origin", Match("", (exactly(f.IN_PORT, 7),)), a.Goto("SnatConntrack")),
        flow("Origin", Match("", (TUNNEL,))),
        flow("Conntrack", Match("ip"), a.Track(1, "ConntrackState")),
    ],
)
def test_flows_that_the_witness_tells_apart_are_accepted(other: Flow) -> None:
    store([CARRIED, other])


@pytest.mark.parametrize(
    "other",
    [
        flow("Origin", Match("", (TUNNEL,)), a.Goto("SnatConntrack"), priority=1),
        flow("Origin", Match("ip"), a.Goto("SnatConntrack")),
        flow("Origin", Match("", (TUNNEL, exactly(f.TUN_ID, 1))), a.Goto("SnatConntrack"), priority=300),
        flow("Origin", Match("", (TUNNEL, Term(f.TUN_ID, 0, 2))), a.Goto("SnatConntrack")),
    ],
)
def test_flow_that_takes_packets_by_the_absence_of_an_option_is_refused(other: Flow) -> None:
    with pytest.raises(DeclarationError, match="takes a packet where a field is absent"):
        store([CARRIED, other])


@pytest.mark.parametrize("witness", [(), (exactly(f.TUN_ID, 0),), (Term(f.TUN_ID, 1, 1),)])
def test_option_without_its_witness_is_refused(witness: tuple[Term, ...]) -> None:
    with pytest.raises(DeclarationError, match="matches tun_metadata0 without tun_id=1"):
        store([flow("Origin", Match("ip", (TUNNEL, *witness, OPTION)), a.Goto("SnatConntrack"))])
