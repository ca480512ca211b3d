"""Peers, ports and rules that hold all of another one: as a comparison of all pairs finds them, without that."""

from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ovsnp.analysis.lint import LintIndex, holders, pointless
from ovsnp.analysis.lint.covers import peer_within, port_within, possible
from ovsnp.analysis.lint.entries import RuleEntry
from ovsnp.analysis.lint.holders import PeerHolders, RuleHolders, admits_someone
from ovsnp.analysis.lint.pointless import entries_that_another_makes_pointless, rules_that_another_makes_pointless
from ovsnp.analysis.lint.port_holders import PortHolders, PortsInOrder
from ovsnp.errors import Place
from ovsnp.model.address import parse_prefix
from ovsnp.model.policy import Direction, IPBlock, NetworkPolicy, Peer, PodPeer, Rule
from ovsnp.model.ports import PortEntry, Protocol
from ovsnp.model.selector import Operator, Selector
from tests.lint.test_covers import blocks, ports, selectors
from tests.support.model_objects import cluster, expressed, labelled, namespace
from tests.support.model_objects import pods as peer
from tests.support.rule_pairs import around

NAMESPACE = cluster(namespace("default", a="x"))
SELECTORS = st.none() | selectors
PEERS = blocks() | st.builds(PodPeer, SELECTORS, SELECTORS)
NAMED = ports | st.builds(PortEntry, st.sampled_from((Protocol.TCP, Protocol.UDP)), st.sampled_from("ab"))
RULES = st.builds(Rule, st.lists(PEERS, max_size=2).map(tuple), st.lists(NAMED, max_size=2).map(tuple))
RANGES = st.builds(
    lambda first, more: PortEntry(Protocol.TCP, first, first + more), st.integers(1, 6), st.integers(0, 6)
)
FEW_PEERS = st.sampled_from(
    (
        IPBlock(parse_prefix("192.0.2.0/24")),
        IPBlock(parse_prefix("192.0.2.0/25")),
        IPBlock(parse_prefix("192.0.2.0/24"), (parse_prefix("192.0.2.128/25"),)),
        peer(labelled(a="x")),
        peer(labelled(a="x", b="y")),
        peer(expressed("a", Operator.IN, "x", "y")),
        peer(expressed("b", Operator.NOT_IN, "x")),
    )
)
ALIKE = st.tuples(
    st.sampled_from((Selector(), labelled(a="x"), labelled(a="x", b="y"))),
    st.builds(
        Rule,
        st.lists(FEW_PEERS, max_size=2).map(tuple),
        st.lists(RANGES | st.just(PortEntry(Protocol.TCP, "a")), max_size=2).map(tuple),
    ),
)
"""Rules that have many demands in common."""
MANY = 500


def entries(rules: Sequence[tuple[Selector, Rule]]) -> list[RuleEntry]:
    """Each rule as the only rule of a policy, with the policies in order."""
    return [
        RuleEntry(
            NetworkPolicy("default", f"{number:04}", selector, frozenset(), (rule,), (), Place("a.yaml", 0)),
            Direction.INGRESS,
            0,
            rule,
        )
        for number, (selector, rule) in enumerate(rules)
    ]


@given(st.lists(PEERS.filter(possible), min_size=1, max_size=8))
def test_peers_that_hold_one_are_those_of_all_pairs(peers: list[Peer]) -> None:
    index = PeerHolders(NAMESPACE, "default", peers)
    for narrow in peers:
        expected = [
            place
            for place, wide in enumerate(peers)
            if peers.index(wide) == place and peer_within(NAMESPACE, "default", narrow, wide)
        ]
        assert [*index.of(narrow)] == expected


@given(st.lists(NAMED, min_size=1, max_size=8))
def test_port_is_held_where_one_of_all_pairs_holds_it(ports: list[PortEntry]) -> None:
    index = PortHolders(ports)
    for place, narrow in enumerate(ports):
        found = index.of(narrow)
        assert found is not None
        assert port_within(narrow, ports[found])
        wider = [
            other
            for other, wide in enumerate(ports)
            if other != place and port_within(narrow, wide) and (other < place or not port_within(wide, narrow))
        ]
        assert (found != place) == bool(wider)
        assert found == place or found in wider


@given(st.lists(st.tuples(selectors, RULES), min_size=1, max_size=6))
def test_rule_that_holds_one_is_the_first_of_all_pairs(rules: list[tuple[Selector, Rule]]) -> None:
    listed = [entry for entry in entries(rules) if admits_someone(entry)]
    index = RuleHolders(NAMESPACE, listed)
    for narrow in listed:
        expected = around(NAMESPACE, narrow, listed)
        assert index.of(narrow) is (expected[0] if expected else None)


@given(st.lists(ALIKE, min_size=10, max_size=30))
def test_rule_that_holds_one_is_the_first_of_all_pairs_where_many_are_alike(rules: list[tuple[Selector, Rule]]) -> None:
    listed = entries(rules)
    index = RuleHolders(NAMESPACE, listed)
    for narrow in listed:
        expected = around(NAMESPACE, narrow, listed)
        assert index.of(narrow) is (expected[0] if expected else None)


@given(st.lists(st.lists(RANGES | NAMED, max_size=3), min_size=1, max_size=12), st.lists(RANGES | NAMED, max_size=3))
def test_rules_that_hold_ports_are_those_of_which_each_does(
    rules: list[list[PortEntry]], narrow: list[PortEntry]
) -> None:
    def hold(wide: list[PortEntry]) -> bool:
        return bool(narrow) and all(any(port_within(one, other) for other in wide) for one in narrow)

    expected = [place for place, wide in enumerate(rules) if not wide or hold(wide)]
    assert [*PortsInOrder([*enumerate(rules)]).hold(narrow)] == expected


def block(number: int, length: int = 24) -> str:
    return f"{20 + number // 256}.{number % 256}.0.0/{length}"


SHAPES: dict[str, Callable[[int], Peer]] = {
    "blocks apart": lambda number: IPBlock(parse_prefix(block(number))),
    "blocks of IPv6": lambda number: IPBlock(parse_prefix(f"fd00:{number:x}::/32")),
    "one block with other exceptions": lambda number: IPBlock(
        parse_prefix("0.0.0.0/0"), (parse_prefix(block(number)),)
    ),
    "blocks in blocks": lambda number: IPBlock(parse_prefix(block(number // 8, 16 + number % 8))),
    "one block": lambda _: IPBlock(parse_prefix("10.0.0.0/8")),
    "a label's values": lambda number: peer(labelled(app=f"a{number}")),
    "two labels, one of them shared": lambda number: peer(labelled(app="shop", tier=f"t{number}")),
    "labels": lambda number: peer(expressed(f"k{number}", Operator.EXISTS)),
    "labels that are absent": lambda number: peer(expressed(f"k{number}", Operator.DOES_NOT_EXIST)),
    "values that are not wanted": lambda number: peer(expressed("app", Operator.NOT_IN, f"a{number}")),
    "values that are wanted, or not": lambda number: PodPeer(
        expressed("app", (Operator.IN, Operator.NOT_IN)[number % 2], f"a{number}"), None
    ),
    "namespaces": lambda number: peer(namespaces=labelled(team=f"t{number}")),
    "other namespaces": lambda number: peer(namespaces=expressed("team", Operator.NOT_IN, f"t{number}")),
    "pods, or namespaces with a label": lambda number: (
        peer(namespaces=expressed(f"k{number}", Operator.EXISTS)) if number % 2 else peer(labelled(app=f"a{number}"))
    ),
}


class Comparisons:
    """Counts the comparisons of two peers, and of two rules."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.peers = self.rules = 0
        rule_within = RuleHolders._within

        def counted_peers(*compared: Any) -> bool:
            self.peers += 1
            return peer_within(*compared)

        def counted_rules(*compared: Any) -> bool:
            self.rules += 1
            return rule_within(*compared)

        monkeypatch.setattr(holders, "peer_within", counted_peers)
        monkeypatch.setattr(pointless, "peer_within", counted_peers)
        monkeypatch.setattr(RuleHolders, "_within", counted_rules)


@pytest.fixture
def comparisons(monkeypatch: pytest.MonkeyPatch) -> Comparisons:
    return Comparisons(monkeypatch)


def index_of(*policies: tuple[Rule, ...], selected: Callable[[int], Selector] = lambda _: Selector()) -> LintIndex:
    """The index of a cluster whose policies have these rules."""
    found = tuple(
        NetworkPolicy("default", f"{number:04}", selected(number), frozenset(), rules, (), Place("a.yaml", 0))
        for number, rules in enumerate(policies)
    )
    return LintIndex(msgspec.structs.replace(NAMESPACE, policies=found))


@pytest.mark.parametrize("shape", SHAPES)
def test_comparisons_of_peers_grow_with_their_number(shape: str, comparisons: Comparisons) -> None:
    peers = tuple(SHAPES[shape](number) for number in range(MANY))
    list(entries_that_another_makes_pointless(index_of((Rule(peers),))))
    assert MANY <= comparisons.peers <= 20 * MANY


@pytest.mark.parametrize("together", [True, False])
@pytest.mark.parametrize("shape", SHAPES)
def test_comparisons_of_rules_grow_with_their_number(shape: str, together: bool, comparisons: Comparisons) -> None:
    rules = [Rule((SHAPES[shape](number),), (PortEntry(Protocol.TCP, 80),)) for number in range(MANY)]
    list(
        rules_that_another_makes_pointless(
            index_of(tuple(rules)) if together else index_of(*((rule,) for rule in rules))
        )
    )
    assert comparisons.rules <= 20 * MANY
    assert comparisons.peers <= 20 * MANY


PORTS: dict[str, Callable[[int], tuple[PortEntry, ...]]] = {
    "numbers": lambda number: (PortEntry(Protocol.TCP, 1 + number),),
    "ranges that overlap": lambda number: (PortEntry(Protocol.TCP, 1 + number, 1 + number + MANY // 2),),
    "a name and ranges that overlap": lambda number: (
        PortEntry(Protocol.TCP, "http"),
        PortEntry(Protocol.TCP, 1 + number, 1 + number + MANY // 2),
    ),
    "ranges that cross": lambda number: (
        PortEntry(Protocol.TCP, 1 + number, 20_000 + number),
        PortEntry(Protocol.UDP, 40_000 - number, 60_000 - number),
    ),
}


@pytest.mark.parametrize("ports", PORTS)
def test_comparisons_of_rules_that_differ_by_ports_grow_with_their_number(ports: str, comparisons: Comparisons) -> None:
    rules = tuple(Rule((peer(labelled(app="shop")),), PORTS[ports](number)) for number in range(MANY))
    assert not list(rules_that_another_makes_pointless(index_of(rules)))
    assert comparisons.rules <= 2 * MANY


def test_comparisons_of_rules_that_two_parts_together_tell_apart_grow_with_their_number(
    comparisons: Comparisons,
) -> None:
    side = int(MANY**0.5)
    labels = [labelled(app=f"a{number // side}", tier=f"t{number % side}") for number in range(MANY)]
    blocks = [IPBlock(parse_prefix(block(number % 8, 8 + number % 8))) for number in range(MANY)]
    rules = [
        *(Rule((peer(each),)) for each in labels),
        *(Rule((blocks[number],), PORTS["ranges that overlap"](number)) for number in range(MANY)),
        *(Rule((IPBlock(parse_prefix("10.0.0.0/8")), peer(labelled(k=f"{number}")))) for number in range(MANY)),
    ]
    assert not list(rules_that_another_makes_pointless(index_of(tuple(rules))))
    assert comparisons.rules <= 10 * len(rules)


@pytest.mark.parametrize("shape", [shape for shape in SHAPES if isinstance(SHAPES[shape](0), PodPeer)])
def test_comparisons_of_rules_that_differ_by_their_pods_grow_with_their_number(
    shape: str, comparisons: Comparisons
) -> None:
    def selected(number: int) -> Selector:
        found = SHAPES[shape](number)
        assert isinstance(found, PodPeer)
        return found.pod_selector or found.namespace_selector or Selector()

    list(rules_that_another_makes_pointless(index_of(*[(Rule(),)] * MANY, selected=selected)))
    assert comparisons.rules <= 20 * MANY
