"""Selectors are resolved to pods, and rules to variants: isolated pods, peers and ports."""

import pytest

from ovsnp.ir.ruleset import PortRange
from ovsnp.model.address import format_address
from ovsnp.model.cluster import Cluster
from ovsnp.model.options import Options
from ovsnp.model.policy import Direction, IPBlock, PodPeer, Rule
from ovsnp.model.ports import PortEntry, Protocol
from ovsnp.model.selector import Operator, Selector
from ovsnp.resolve import local_pods
from ovsnp.resolve.selection import matches
from tests.support.model_objects import (
    EVERYTHING,
    addresses,
    block,
    cluster,
    expressed,
    labelled,
    namespace,
    node,
    pod,
    pods,
    policy,
)
from tests.support.resolved import ResolvedRule, RuleSet, resolved

TCP, UDP, SCTP = Protocol
HERE, THERE = node("node-0", "172.16.0.10", "10.0.0.0/24"), node("node-1", "172.16.0.11", "10.0.1.0/24")
PARTS = (
    HERE,
    THERE,
    namespace("default"),
    namespace("red", team="red"),
    pod("default/web", "10.0.0.2", ports=[("http", TCP, 8080), ("http", UDP, 8081)], app="web"),
    pod("default/old", "10.0.0.3", ports=[("http", TCP, 80)], app="web"),
    pod("default/mute", "10.0.0.4", app="web"),
    pod("default/db", "10.0.1.5", on="node-1", ports=[("sql", TCP, 5432)], app="db"),
    pod("red/web", "10.0.1.6", on="node-1", ports=[("http", TCP, 8080)], app="web", tier=""),
    pod("red/db", "10.0.0.7", app="db"),
)


def rules(state: Cluster, direction: Direction, *, strict_nodes: bool = False) -> RuleSet:
    """One direction of node-0's rules."""
    return resolved(state, Options(node="node-0", strict_nodes=strict_nodes))[direction]


def into(*given: Rule, selector: Selector = EVERYTHING) -> RuleSet:
    return rules(cluster(*PARTS, policy("default/in", selector, ingress=given)), Direction.INGRESS)


def out_of(*given: Rule, selector: Selector = EVERYTHING) -> RuleSet:
    return rules(cluster(*PARTS, policy("default/out", selector, egress=given)), Direction.EGRESS)


def peers_of(rule: ResolvedRule) -> list[str]:
    assert rule.peers
    return sorted(format_address(address) for address in rule.peers.addresses)


# Selectors


@pytest.mark.parametrize(
    ("selector", "labels", "holds"),
    [
        (EVERYTHING, {}, True),
        (labelled(app="web"), {"app": "web", "tier": "x"}, True),
        (labelled(app="web"), {"app": "db"}, False),
        (labelled(app="web"), {}, False),
        (labelled(app="web", tier="x"), {"app": "web"}, False),
        (expressed("app", Operator.IN, "a", "web"), {"app": "web"}, True),
        (expressed("app", Operator.IN, "a", "b"), {"app": "web"}, False),
        (expressed("tier", Operator.IN, ""), {"tier": ""}, True),
        (expressed("tier", Operator.IN, ""), {}, False),
        (expressed("app", Operator.NOT_IN, "a"), {"app": "web"}, True),
        (expressed("app", Operator.NOT_IN, "web"), {"app": "web"}, False),
        (expressed("app", Operator.NOT_IN, "web"), {}, True),
        (expressed("tier", Operator.EXISTS), {"tier": ""}, True),
        (expressed("tier", Operator.EXISTS), {}, False),
        (expressed("tier", Operator.DOES_NOT_EXIST), {}, True),
        (expressed("tier", Operator.DOES_NOT_EXIST), {"tier": ""}, False),
    ],
)
def test_selector_holds_as_the_api_says(selector: Selector, labels: dict[str, str], holds: bool) -> None:
    assert matches(selector, labels) is holds


def test_only_pods_of_the_policys_namespace_and_this_node_are_subjects() -> None:
    found = into(Rule(), selector=labelled(app="db"))
    assert found.isolated == ()
    assert found.rules == ()
    found = into(Rule())
    assert list(found.isolated) == ["default/mute", "default/old", "default/web"]
    assert list(found.rules[0].subjects) == ["default/mute", "default/old", "default/web"]


def test_without_nodes_every_pod_is_local() -> None:
    state = cluster(pod("default/a", "10.0.0.1", on=None), pod("default/b", "10.0.0.2", on=None))
    assert [each.key for each in local_pods(state, None)] == ["default/a", "default/b"]


@pytest.mark.parametrize(
    ("peer", "expected"),
    [
        (pods(labelled(app="db")), ["10.0.1.5"]),
        (pods(EVERYTHING), ["10.0.0.2", "10.0.0.3", "10.0.0.4", "10.0.1.5"]),
        (pods(namespaces=labelled(team="red")), ["10.0.0.7", "10.0.1.6"]),
        (pods(labelled(app="db"), namespaces=EVERYTHING), ["10.0.0.7", "10.0.1.5"]),
        (pods(labelled(app="db"), namespaces=labelled(team="red")), ["10.0.0.7"]),
        (pods(expressed("tier", Operator.EXISTS), namespaces=EVERYTHING), ["10.0.1.6"]),
        (pods(labelled(app="none")), []),
    ],
)
def test_peer_selects_pods_by_both_of_its_selectors(peer: PodPeer, expected: list[str]) -> None:
    (rule,) = into(Rule((peer,))).rules
    assert peers_of(rule) == expected
    assert rule.peers is not None
    assert rule.peers.blocks == ()


def test_peers_are_a_union_whose_name_has_no_order() -> None:
    first, second, third = pods(labelled(app="db")), block("10.9.0.0/16"), pods(namespaces=labelled(team="red"))
    one, other = (into(Rule(peers)).rules[0].peers for peers in ((first, second, third), (third, first, first, second)))
    assert one == other
    assert one is not None
    assert one.name == "10.9.0.0/16 | default/{app=db} | {team=red}/{}"
    assert one.addresses == frozenset(addresses("10.0.1.5", "10.0.0.7", "10.0.1.6"))
    assert one.blocks == (second,)


def test_name_of_a_peer_set_tells_namespaces_apart() -> None:
    state = cluster(
        *PARTS,
        policy("default/in", ingress=[Rule((pods(labelled(app="db")),))]),
        policy("red/in", ingress=[Rule((pods(labelled(app="db")),))]),
    )
    names = [rule.peers.name for rule in rules(state, Direction.INGRESS).rules if rule.peers]
    assert names == ["default/{app=db}", "red/{app=db}"]


def test_every_pod_is_the_pod_cidrs_without_gateways_that_are_judged() -> None:
    everyone = PodPeer(None, EVERYTHING)
    state = cluster(*PARTS, policy("default/in", ingress=[Rule((everyone,))]))
    (rule,) = rules(state, Direction.INGRESS, strict_nodes=True).rules
    assert rule.peers is not None
    assert rule.peers.addresses == frozenset()
    assert rule.peers.blocks == (IPBlock(block("10.0.0.0/23").cidr, (block("10.0.1.1/32").cidr,)),)


def test_no_peers_are_everyone() -> None:
    (rule,) = into(Rule()).rules
    assert rule.peers is None
    assert rule.ports is None


def test_rules_are_known_by_policy_section_and_place() -> None:
    found = into(Rule(), Rule((block("10.0.0.0/8"),)))
    assert [rule.key for rule in found.rules] == ["default/in ingress[0]", "default/in ingress[1]"]


# Isolation


@pytest.mark.parametrize(
    ("types", "egress", "isolated"),
    [
        ((), (), {Direction.INGRESS}),
        ((), (Rule(),), {Direction.INGRESS, Direction.EGRESS}),
        ((Direction.EGRESS,), (), {Direction.EGRESS}),
        ((Direction.INGRESS,), (Rule(),), {Direction.INGRESS}),
        (tuple(Direction), (), set(Direction)),
    ],
)
def test_policy_isolates_in_the_directions_it_is_of(
    types: tuple[Direction, ...], egress: tuple[Rule, ...], isolated: set[Direction]
) -> None:
    state = cluster(*PARTS, policy("default/p", types=types, egress=egress))
    found = {direction for direction in Direction if rules(state, direction).isolated}
    assert found == isolated
    assert bool(rules(state, Direction.EGRESS).rules) == (bool(egress) and Direction.EGRESS in isolated)


# Ports


def test_numbers_and_ranges_are_ports_of_their_protocol() -> None:
    entries = (PortEntry(), PortEntry(UDP, 53), PortEntry(TCP, 80, 90), PortEntry(SCTP), PortEntry(UDP, 53))
    (rule,) = into(Rule(ports=entries)).rules
    assert rule.ports is not None
    assert set(rule.ports) == {PortRange(TCP), PortRange(UDP, 53, 53), PortRange(TCP, 80, 90), PortRange(SCTP)}
    assert len(rule.ports) == 4


def test_named_port_of_ingress_makes_a_variant_for_each_meaning_at_the_subjects() -> None:
    found = into(Rule(ports=(PortEntry(TCP, "http"),)))
    assert [(rule.key, list(rule.subjects), rule.ports) for rule in found.rules] == [
        ("default/in ingress[0] (TCP 80)", ["default/old"], (PortRange(TCP, 80, 80),)),
        ("default/in ingress[0] (TCP 8080)", ["default/web"], (PortRange(TCP, 8080, 8080),)),
    ]
    assert "default/mute" in found.isolated


def test_number_beside_a_name_of_ingress_stands_in_every_variant() -> None:
    found = into(Rule(ports=(PortEntry(UDP, "http"), PortEntry(TCP, 22))))
    assert [(rule.key, list(rule.subjects), rule.ports) for rule in found.rules] == [
        ("default/in ingress[0]", ["default/mute", "default/old"], (PortRange(TCP, 22, 22),)),
        ("default/in ingress[0] (UDP 8081)", ["default/web"], (PortRange(TCP, 22, 22), PortRange(UDP, 8081, 8081))),
    ]


def test_named_port_of_egress_makes_a_variant_for_each_meaning_at_the_peers() -> None:
    everywhere = pods(labelled(app="web"), namespaces=EVERYTHING)
    found = out_of(Rule((everywhere,), (PortEntry(TCP, "http"),)))
    assert [(rule.key, peers_of(rule), rule.ports) for rule in found.rules] == [
        ("default/out egress[0] (TCP 80)", ["10.0.0.3"], (PortRange(TCP, 80, 80),)),
        ("default/out egress[0] (TCP 8080)", ["10.0.0.2", "10.0.1.6"], (PortRange(TCP, 8080, 8080),)),
    ]
    assert all(list(rule.subjects) == ["default/mute", "default/old", "default/web"] for rule in found.rules)


def test_number_beside_a_name_of_egress_is_a_rule_of_its_own() -> None:
    found = out_of(Rule((pods(labelled(app="db")),), (PortEntry(TCP, "sql"), PortEntry(TCP, 22))))
    assert [(rule.key, rule.ports) for rule in found.rules] == [
        ("default/out egress[0]", (PortRange(TCP, 22, 22),)),
        ("default/out egress[0] (TCP 5432)", (PortRange(TCP, 5432, 5432),)),
    ]


def test_named_port_of_egress_to_a_block_means_the_pods_in_it() -> None:
    found = out_of(Rule((block("10.0.0.0/16", "10.0.0.2/32"),), (PortEntry(TCP, "http"),)))
    assert [peers_of(rule) for rule in found.rules] == [["10.0.0.3"], ["10.0.1.6"]]


def test_named_port_of_egress_to_everyone_means_every_pod_that_has_it() -> None:
    (rule,) = out_of(Rule(ports=(PortEntry(TCP, "sql"),))).rules
    assert peers_of(rule) == ["10.0.1.5"]


def test_named_ports_of_different_protocols_are_different_peer_sets() -> None:
    found = out_of(Rule(ports=(PortEntry(TCP, "http"),)), Rule(ports=(PortEntry(UDP, "http"),)))
    names = [rule.peers.name for rule in found.rules if rule.peers]
    assert len(set(names)) == len(found.rules) == 3


@pytest.mark.parametrize("entry", [PortEntry(TCP, "none"), PortEntry(SCTP, "http"), PortEntry(UDP, "sql")])
def test_name_that_nobody_has_makes_no_rule_but_isolates(entry: PortEntry) -> None:
    for found in (into(Rule(ports=(entry,))), out_of(Rule(ports=(entry,)))):
        assert found.rules == ()
        assert len(found.isolated) == 3
