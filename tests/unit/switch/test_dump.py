"""Flows as `ovs-ofctl dump-flows` prints them."""

from ovsnp.switch.dump import InstalledFlow, parse_dump


def test_everything_of_a_flow_is_read() -> None:
    found = parse_dump("cookie=0xa5e000000000000, table=5, priority=7,ip,nw_src=10.0.0.1 actions=resubmit(,3),drop")
    assert found == InstalledFlow(
        5,
        7,
        frozenset({"ip", "nw_src=10.0.0.1"}),
        0x0A5E << 48,
        "resubmit(,3),drop",
        "cookie=0xa5e000000000000,table=5,priority=7,ip,nw_src=10.0.0.1 actions=resubmit(,3),drop",
    )
    assert found.slot == (5, 7, frozenset({"ip", "nw_src=10.0.0.1"}))


def test_match_is_in_the_order_of_the_dump() -> None:
    found = parse_dump("cookie=0x1, table=5, priority=7,tcp,nw_src=10.0.0.1,tp_dst=80 actions=ct(table=2),drop")
    assert found.match_text == "tcp,nw_src=10.0.0.1,tp_dst=80"
    assert parse_dump("table=5, idle_timeout=9, priority=7 actions=drop").match_text == ""


def test_what_the_dump_leaves_out_is_0_and_the_default_priority() -> None:
    assert parse_dump(" actions=NORMAL")[:5] == (0, 32768, frozenset(), 0, "NORMAL")
    assert parse_dump("priority=0 actions=NORMAL").text == "priority=0 actions=NORMAL"


def test_actions_may_hold_what_looks_like_a_match() -> None:
    text = "table=1, priority=2 actions=learn(table=9,priority=3,load:0->NXM_OF_IN_PORT[]),ct(commit,exec(actions=1))"
    found = parse_dump(text)
    assert found[:3] == (1, 2, frozenset())
    assert found.actions == text.partition("actions=")[2]


def test_life_and_flags_are_no_part_of_the_match_but_of_the_text() -> None:
    line = (
        "cookie=0x1, table=3, idle_timeout=9, hard_timeout=9, importance=4, send_flow_rem no_byte_counts priority=5,ip"
    )
    found = parse_dump(f"{line} actions=drop")
    assert found.match == {"ip"}
    assert found.text == f"{line.replace(', ', ',').replace(' ', ',')} actions=drop"
