"""The difference between the flows on a bridge and the flows that should be there."""

import pytest

from ovsnp.apply.plan import BridgePlan, plan
from ovsnp.apply.synchronise import bundle_lines
from ovsnp.errors import SwitchError
from ovsnp.flows.action import Goto, SetField
from ovsnp.flows.flow import Flow
from ovsnp.flows.match import Match, in_prefix
from ovsnp.flows.program import Program
from ovsnp.model.options import Options
from ovsnp.pipeline import fields as f
from ovsnp.pipeline import registers as r
from ovsnp.switch.dump import InstalledFlow, parse_dump, parse_group

FOREIGN = "cookie=0x9, table=90, priority=1024,ip,nw_dst=10.0.0.0/24 actions=drop"


def peer(third: int, identity: int, number: int = 0) -> Flow:
    """A flow of EgressPeer for 10.0.THIRD.0/24."""
    match = Match("ip", (in_prefix(f.IPV4_DST, 10 << 24 | third << 8, 24),))
    return Flow("EgressPeer", 1024, match, (SetField(r.EGRESS_PEER, identity),), number=number)


def there(*flows: Flow) -> list[InstalledFlow]:
    """Flows as they are on a bridge."""
    return [
        parse_dump(
            f"cookie={flow.cookie:#x}, table={flow.table_id}, priority={flow.priority},{flow.match}"
            f" actions={flow.actions_text}"
        )
        for flow in flows
    ]


def planned(installed: list[InstalledFlow], wanted: list[Flow]) -> BridgePlan:
    """The plan for flows alone."""
    return plan(installed, [], Program(Options(), (), tuple(wanted)))


def test_empty_bridge_gets_all_flows() -> None:
    found = planned([], [peer(1, 1), peer(2, 2)])
    assert found == BridgePlan((peer(1, 1), peer(2, 2)), (), (), ())
    assert found


def test_same_flows_need_nothing() -> None:
    found = planned(there(peer(1, 1), peer(2, 2)), [peer(2, 2), peer(1, 1)])
    assert found == BridgePlan((), (), (), ())
    assert not found


def test_other_actions_are_a_change() -> None:
    found = planned(there(peer(1, 1), peer(2, 2)), [peer(1, 7), peer(2, 2)])
    assert found == BridgePlan((), (peer(1, 7),), (), ())
    assert found


def test_another_rules_flow_takes_the_place_of_the_old() -> None:
    found = planned(there(peer(1, 1, number=5)), [peer(1, 1, number=6)])
    assert found == BridgePlan((), (), (peer(1, 1, number=6),), ())
    assert found


@pytest.mark.parametrize("life", ["idle_timeout=60, ", "hard_timeout=60, ", "importance=3, ", "send_flow_rem "])
def test_flow_of_ours_with_a_timeout_or_flag_is_replaced(life: str) -> None:
    flow = peer(1, 1)
    dump = f"cookie={flow.cookie:#x}, table=90, {life}priority=1024,{flow.match} actions={flow.actions_text}"
    assert planned([parse_dump(dump)], [flow]) == BridgePlan((), (), (flow,), ())


def test_flow_that_is_not_wanted_is_deleted() -> None:
    found = planned(there(peer(1, 1), peer(2, 2)), [peer(2, 2)])
    assert found == BridgePlan((), (), (), tuple(there(peer(1, 1))))
    assert found


def test_another_priority_or_table_is_another_flow() -> None:
    (installed,) = there(peer(1, 1))
    for moved in (installed._replace(priority=1023), installed._replace(table=91)):
        assert planned([moved], [peer(1, 1)]) == BridgePlan((peer(1, 1),), (), (), (moved,))


def test_order_of_a_matchs_parts_means_nothing() -> None:
    dump = f"cookie={peer(1, 1).cookie:#x}, table=90, priority=1024,nw_dst=10.0.1.0/24,ip actions=set_field:0x1->reg3"
    assert not planned([parse_dump(dump)], [peer(1, 1)])


def test_flows_of_others_are_left_alone() -> None:
    assert not planned([parse_dump(FOREIGN)], [])
    assert planned([parse_dump(FOREIGN)], [peer(1, 1)]) == BridgePlan((peer(1, 1),), (), (), ())


@pytest.mark.parametrize("life", ["", "idle_timeout=60, ", "hard_timeout=60, importance=3, send_flow_rem "])
def test_flow_of_another_in_the_place_of_one_of_ours_is_an_error(life: str) -> None:
    foreign = FOREIGN.replace("priority", f"{life}priority")
    with pytest.raises(SwitchError, match=r"not ovsnp's.*cookie=0x9,table=90"):
        planned([parse_dump(foreign)], [peer(0, 1)])


def test_each_kind_of_change_has_its_line() -> None:
    change = BridgePlan((peer(1, 1),), (peer(2, 2),), (peer(3, 3, number=9),), tuple(there(peer(4, 4))))
    assert bundle_lines(change) == [
        "flow delete_strict cookie=0xa5e5a0000000000/0xffffff00ffffffff,table=90,priority=1024,ip,nw_dst=10.0.4.0/24",
        "flow modify_strict cookie=0x0a5e5a0000000000,table=90,priority=1024,ip,nw_dst=10.0.2.0/24"
        " actions=set_field:0x2->reg3",
        "flow add cookie=0x0a5e5a0000000009,table=90,priority=1024,ip,nw_dst=10.0.3.0/24 actions=set_field:0x3->reg3",
        "flow add cookie=0x0a5e5a0000000000,table=90,priority=1024,ip,nw_dst=10.0.1.0/24 actions=set_field:0x1->reg3",
    ]


def test_flow_without_match_has_no_loose_comma() -> None:
    last = Flow("Forward", 1, Match(), (Goto("Ingress"),))
    (gone,) = planned([parse_dump(f"cookie={last.cookie:#x}, table=110, priority=1 actions=drop")], []).deleted
    assert bundle_lines(BridgePlan((last,), (), (), (gone,))) == [
        "flow delete_strict cookie=0xa5e6e0000000000/0xffffff00ffffffff,table=110,priority=1",
        "flow add cookie=0x0a5e6e0000000000,table=110,priority=1 actions=goto_table:120",
    ]


def test_group_that_is_gone_is_not_deleted_again() -> None:
    flow = Flow("Forward", 1, Match(), (Goto("Ingress"),))
    to_group = f"cookie={flow.cookie:#x}, table=40, priority=1 actions=group:7"
    empty = Program(Options(), (), ())
    assert plan([parse_dump(to_group)], [], empty).groups_deleted == ()
    group = parse_group("group_id=7,type=select,bucket=bucket_id:1,actions=drop")
    assert plan([parse_dump(to_group)], [group], empty).groups_deleted == (7,)
