"""Reads the output of `ofproto/trace`."""

from ovsnp.analysis.trace.transcript import read_transcript

NESTED = """\
Flow: tcp,in_port=1,nw_src=10.20.1.9,nw_dst=10.96.0.10,tp_src=40000,tp_dst=80,tcp_flags=syn

bridge("br-int")
----------------
 0. priority 0
    goto_table:66
66. tcp,nw_dst=10.96.0.10,tp_dst=80, priority 100, cookie 0xa5e420000000000
    group:193158715
     -> bucket 2733249307: score 6208500
     -> using bucket 2733249307
    bucket 2733249307
            set_field:0xa2ea131b->reg10
            resubmit(,66)
        66. tcp,reg10=0xa2ea131b, priority 200, cookie 0xa5e420000000000
            learn(table=63,idle_timeout=100)
             >> suppressing side effects, so learn action ignored
            nat(dst=10.20.1.9:8080)
             -> A clone of the packet is forked to recirculate. The forked pipeline will be resumed at table 70.

Final flow: unchanged
Megaflow: recirc_id=0,eth,tcp
Datapath actions: ct(commit,zone=2654,nat(dst=10.20.1.9:8080)),recirc(0x5)

===============================================================================
recirc(0x5) - resume conntrack with default ct_state=trk|new (use --ct-next to customize)
Replacing src/dst IP/ports to simulate NAT:
 Initial flow: nw_src=10.20.1.9,tp_src=40000,nw_dst=10.96.0.10,tp_dst=80
 Modified flow: nw_src=10.20.1.9,tp_src=40000,nw_dst=10.20.1.9,tp_dst=8080
===============================================================================

Flow: recirc_id=0x5,ct_state=new|trk,tcp,in_port=1,nw_src=10.20.1.9,nw_dst=10.20.1.9,tp_src=40000,tp_dst=8080

bridge("br-int")
----------------
    thaw
        Resuming from table 120
120. priority 100, cookie 0xa5e780000000000
    resubmit(,130)
    130. No match.
            drop
    resubmit(,140)
    140. ip,nw_src=10.20.1.9, priority 1032, cookie 0xa5e8c0000000000
            set_field:0xe78c8d6e->reg4
    goto_table:180
180. priority 100, cookie 0xa5eb40000000000
    output:NXM_NX_REG7[]
     -> output port is 2654
     -> output to native tunnel
     -> tunneling to 192.168.50.2 via br-phy
     -> neighbor cache miss for 192.168.50.2 on bridge br-phy, sending ARP request

bridge("br-phy")
----------------
 0. priority 0
    NORMAL
     -> no learned MAC for destination, flooding

Final flow: recirc_id=0x5,tcp,tun_dst=192.168.50.2,in_port=1,nw_dst=10.20.1.9
Megaflow: recirc_id=0x5
Datapath actions: drop
"""


def test_passes_start_anew_after_conntrack() -> None:
    first, second = read_transcript(NESTED)
    assert (first.before["nw_dst"], first.before["tp_dst"], first.after) == ("10.96.0.10", "80", first.before)
    assert (second.before["nw_dst"], second.before["tp_dst"]) == ("10.20.1.9", "8080")
    assert second.after["tun_dst"] == "192.168.50.2"


def test_each_table_has_its_own_lines() -> None:
    visits = [visit for each in read_transcript(NESTED) for visit in each.visits]
    assert [(visit.bridge, visit.table, visit.depth, visit.found) for visit in visits] == [
        ("br-int", 0, 0, True),
        ("br-int", 66, 0, True),
        ("br-int", 66, 2, True),
        ("br-int", 120, 0, True),
        ("br-int", 130, 1, False),
        ("br-int", 140, 1, True),
        ("br-int", 180, 0, True),
        ("br-phy", 0, 0, True),
    ]
    plain, group, kept, ingress, nobody, peer, *_ = visits
    assert (plain.match, plain.priority, plain.cookie, plain.actions) == ("", 0, 0, ("goto_table:66",))
    assert group.match == "tcp,nw_dst=10.96.0.10,tp_dst=80"
    assert group.actions == (*("group:193158715", "bucket 2733249307", "set_field:0xa2ea131b->reg10", "resubmit(,66)"),)
    assert kept.actions == ("learn(table=63,idle_timeout=100)", "nat(dst=10.20.1.9:8080)")
    assert ingress.actions == ("resubmit(,130)", "resubmit(,140)", "goto_table:180")
    assert (nobody.actions, peer.actions) == (("drop",), ("set_field:0xe78c8d6e->reg4",))
    assert (peer.priority, peer.cookie) == (1032, 0xA5E8C0000000000)


def test_where_it_was_sent() -> None:
    _, second = read_transcript(NESTED)
    *_, send, underlay = second.visits
    assert (list(send.outputs), send.failure) == (["2654"], None)
    assert send.unknown_neighbor == "neighbor cache miss for 192.168.50.2 on bridge br-phy, sending ARP request"
    assert list(underlay.outputs) == ["NORMAL"]


def sending(*remarks: str) -> str:
    """A transcript of a packet that table 180 sends, with these remarks of Open vSwitch."""
    lines = "".join(f"     {remark}\n" for remark in remarks)
    visit = f"180. priority 100, cookie 0xa5eb40000000000\n    output:NXM_NX_REG7[]\n{lines}"
    return f'Flow: tcp,in_port=1\n\nbridge("br-int")\n----------------\n{visit}\nFinal flow: unchanged\n'


def failure(*remarks: str) -> str | None:
    (only,) = read_transcript(sending(*remarks))
    (visit,) = only.visits
    return visit.failure


def test_what_was_not_sent_after_all() -> None:
    assert failure("-> output port is 7", ">> Nonexistent output port") == "Nonexistent output port"
    assert failure("-> output port is 2654", ">> native tunnel routing failed") == "native tunnel routing failed"
    assert failure("-> output port is 2654", ">> Not tunneling to our own address") is None
    assert failure("-> output port is 2654", ">> suppressing side effects, so learn action ignored") is None


def test_drop_with_a_report_is_a_drop() -> None:
    text = """\
Flow: tcp,in_port=1,nw_src=10.20.1.9,nw_dst=10.20.1.10,tp_src=40000,tp_dst=80,tcp_flags=syn

bridge("br-int")
----------------
 0. priority 0
    goto_table:150
150. reg2=0x641ccf4e, priority 100, cookie 0xa5e960000000000
    controller(max_len=128,userdata=02,meter_id=2654)

Final flow: unchanged
Datapath actions: userspace(pid=0,controller(reason=1,dont_send=1,continuation=0,recirc_id=1))
"""
    (found,) = read_transcript(text)
    first, last = found.visits
    assert (first.drops, first.reports) == (False, False)
    assert (last.drops, last.reports) == (True, True)
    assert not list(last.outputs)
