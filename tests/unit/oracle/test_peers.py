"""The endpoints that ``from`` and ``to`` name (docs/semantics.md)."""

import pytest

from ovsnp.model.policy import Direction, Peer, Rule
from ovsnp.oracle import ICMP, NodeEnd, OutsideEnd, who
from tests.support.model_objects import (
    EVERYTHING,
    Part,
    addresses,
    allowed,
    block,
    cluster,
    labelled,
    namespace,
    node,
    pod,
    pods,
    policy,
)

NODE = node("node-0", "172.16.0.10", "10.0.0.0/24", "fd00:10::/64")
OTHER_NODE = node("node-1", "172.16.0.11", "10.0.1.0/24", "fd00:11::/64")
SUBJECT = pod("default/db", "10.0.0.2", "fd00:10::2", role="db")
PEERS = {
    "own-client": pod("default/own-client", "10.0.1.2", "fd00:11::2", on="node-1", role="client"),
    "own-other": pod("default/own-other", "10.0.1.3", "fd00:11::3", on="node-1", role="other"),
    "alice-client": pod("alice/alice-client", "10.0.1.4", "fd00:11::4", on="node-1", role="client"),
    "alice-other": pod("alice/alice-other", "10.0.1.5", "fd00:11::5", on="node-1", role="other"),
    "bob-client": pod("bob/bob-client", "10.0.1.6", "fd00:11::6", on="node-1", role="client"),
}
PARTS: tuple[Part, ...] = (
    NODE,
    OTHER_NODE,
    namespace("alice", user="alice"),
    namespace("bob", user="bob"),
    SUBJECT,
    *PEERS.values(),
)
EVERY_POD = set(PEERS)
DB, WORLD, OTHER_NODE_ADDRESS = "10.0.0.2", "192.0.2.1", "172.16.0.11"
ADDRESSES = {
    "own-client": "10.0.1.2",
    "own-other": "10.0.1.3",
    "alice-client": "10.0.1.4",
    "alice-other": "10.0.1.5",
    "bob-client": "10.0.1.6",
    "node": OTHER_NODE_ADDRESS,
    "world": WORLD,
}


def admitted(*peers: Peer) -> set[str]:
    """The ends that an ingress rule with these peers admits; asserts the same for egress. Nodes are judged, too."""
    state = cluster(
        *PARTS,
        policy("default/in", labelled(role="db"), types=[Direction.INGRESS], ingress=[Rule(peers=peers)]),
        policy("default/out", labelled(role="db"), types=[Direction.EGRESS], egress=[Rule(peers=peers)]),
    )
    into = {name for name, address in ADDRESSES.items() if allowed(state, address, DB, strict_nodes=True)}
    out = {name for name, address in ADDRESSES.items() if allowed(state, DB, address, strict_nodes=True)}
    assert into == out
    return into


def test_no_peers_means_everyone_nodes_and_world_included() -> None:
    assert admitted() == EVERY_POD | {"node", "world"}


def test_an_empty_rule_admits_everything() -> None:
    state = cluster(*PARTS, policy("default/in", ingress=[Rule()]))
    assert allowed(state, WORLD, DB)
    assert allowed(state, WORLD, DB, ICMP)


def test_no_rules_admit_nothing() -> None:
    state = cluster(*PARTS, policy("default/in", ingress=[]))
    assert not any(allowed(state, ADDRESSES[name], DB) for name in [*PEERS, "world"])


def test_a_pod_selector_alone_is_about_the_policys_own_namespace() -> None:
    assert admitted(pods(labelled(role="client"))) == {"own-client"}


def test_an_empty_pod_selector_alone_is_every_pod_of_the_policys_own_namespace() -> None:
    assert admitted(pods(EVERYTHING)) == {"own-client", "own-other"}


def test_a_namespace_selector_alone_is_every_pod_of_the_namespaces() -> None:
    assert admitted(pods(namespaces=labelled(user="alice"))) == {"alice-client", "alice-other"}


def test_namespaces_can_be_selected_by_name() -> None:
    assert admitted(pods(namespaces=labelled(**{"kubernetes.io/metadata.name": "bob"}))) == {"bob-client"}


def test_an_empty_namespace_selector_is_all_pods_but_not_nodes_nor_the_world() -> None:
    assert admitted(pods(namespaces=EVERYTHING)) == EVERY_POD


def test_both_selectors_in_one_peer_are_and() -> None:
    assert admitted(pods(labelled(role="client"), namespaces=labelled(user="alice"))) == {"alice-client"}


def test_selectors_in_two_peers_are_or() -> None:
    both = admitted(pods(namespaces=labelled(user="alice")), pods(labelled(role="client")))
    assert both == {"alice-client", "alice-other", "own-client"}


def test_an_empty_namespace_selector_with_a_pod_selector_reaches_every_namespace() -> None:
    everywhere = admitted(pods(labelled(role="client"), namespaces=EVERYTHING))
    assert everywhere == {"own-client", "alice-client", "bob-client"}


def test_a_selector_that_nothing_matches_admits_nobody() -> None:
    assert admitted(pods(labelled(role="none"))) == set()


def test_a_block_matches_outsiders_nodes_and_pods() -> None:
    assert admitted(block("0.0.0.0/0")) == set(ADDRESSES)
    assert admitted(block("10.0.1.4/30")) == {"alice-client", "alice-other", "bob-client"}
    assert admitted(block(f"{OTHER_NODE_ADDRESS}/32")) == {"node"}


def test_except_takes_away_from_its_block() -> None:
    assert admitted(block("0.0.0.0/0", "10.0.1.4/31", "192.0.2.0/24")) == {
        "own-client",
        "own-other",
        "bob-client",
        "node",
    }


def test_except_takes_nothing_from_other_blocks_of_the_rule() -> None:
    assert admitted(block("10.0.1.0/24", "10.0.1.4/31"), block("10.0.1.4/32")) == EVERY_POD - {"alice-other"}


def test_except_takes_nothing_from_selectors() -> None:
    assert "alice-client" in admitted(block("10.0.1.0/24", "10.0.1.4/31"), pods(namespaces=labelled(user="alice")))


def test_overlapping_excepts_of_two_policies_stay_a_union() -> None:
    first = policy("default/first", ingress=[Rule(peers=(block("10.0.1.0/24", "10.0.1.2/31", "10.0.1.4/31"),))])
    second = policy("default/second", ingress=[Rule(peers=(block("10.0.0.0/16", "10.0.1.4/30"),))])
    state = cluster(*PARTS, first, second)
    into = {name for name in PEERS if allowed(state, ADDRESSES[name], DB)}
    assert into == {"own-client", "own-other", "bob-client"}


def test_host_bits_are_masked_away() -> None:
    assert admitted(block("10.0.1.5/30")) == admitted(block("10.0.1.4/30"))


@pytest.mark.parametrize(("cidr", "four", "six"), [("0.0.0.0/0", True, False), ("::/0", False, True)])
def test_a_block_matches_its_own_family_only(cidr: str, four: bool, six: bool) -> None:
    state = cluster(*PARTS, policy("default/in", ingress=[Rule(peers=(block(cidr),))]))
    assert allowed(state, "10.0.1.2", DB) is four
    assert allowed(state, "fd00:11::2", "fd00:10::2") is six


def test_selectors_match_both_families() -> None:
    state = cluster(*PARTS, policy("default/in", ingress=[Rule(peers=(pods(labelled(role="client")),))]))
    assert allowed(state, "fd00:11::2", "fd00:10::2")
    assert not allowed(state, "fd00:11::3", "fd00:10::2")


def test_except_works_in_ipv6() -> None:
    state = cluster(*PARTS, policy("default/in", ingress=[Rule(peers=(block("fd00::/16", "fd00:11::2/127"),))]))
    assert not allowed(state, "fd00:11::3", "fd00:10::2")
    assert allowed(state, "fd00:11::4", "fd00:10::2")


def test_a_host_network_pod_is_its_node() -> None:
    (address,) = addresses(OTHER_NODE_ADDRESS)
    assert who(cluster(*PARTS), address) == NodeEnd(OTHER_NODE, address)


def test_the_address_of_a_pod_that_is_gone_is_nobodys() -> None:
    (address,) = addresses("10.0.1.9")
    state = cluster(*PARTS, policy("default/in", ingress=[Rule(peers=(pods(namespaces=EVERYTHING),))]))
    assert who(state, address) == OutsideEnd(address)
    assert not allowed(state, "10.0.1.9", DB)


def test_an_address_belongs_to_its_next_holder() -> None:
    heir = pod("bob/heir", "10.0.1.9", on="node-1", role="heir")
    state = cluster(*PARTS, heir, policy("default/in", ingress=[Rule(peers=(pods(namespaces=labelled(user="bob")),))]))
    assert allowed(state, "10.0.1.9", DB)


def test_a_pod_without_an_address_harms_nothing() -> None:
    pending = pod("default/pending", role="client")
    state = cluster(*PARTS, pending, policy("default/in", ingress=[Rule(peers=(pods(labelled(role="client")),))]))
    assert allowed(state, "10.0.1.2", DB)
    assert not allowed(state, "10.0.1.3", DB)
