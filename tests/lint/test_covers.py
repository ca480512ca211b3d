"""A part of a policy holds another one if nothing distinguishes them: the tests try all that could."""

from itertools import product

from hypothesis import given
from hypothesis import strategies as st

from ovsnp.analysis.lint.covers import empty, peer_within, port_within, satisfiable, selector_within
from ovsnp.model.address import Prefix, parse_address
from ovsnp.model.policy import IPBlock
from ovsnp.model.ports import PortEntry, Protocol
from ovsnp.model.selector import Operator, Requirement, Selector
from ovsnp.oracle import OutsideEnd, Traffic, peer_matches, port_matches, selects
from tests.support.model_objects import cluster, expressed, labelled, namespace, pods

VALUES = (None, "", "x", "y", "other")
LABELS = [
    {key: value for key, value in (("a", first), ("b", second)) if value is not None}
    for first, second in product(VALUES, VALUES)
]
BASE = int.from_bytes(parse_address("192.0.2.0"), "big")
ADDRESSES = [OutsideEnd(parse_address(f"192.0.2.{last}")) for last in range(16)]
NUMBERS = (1, 2, 79, 80, 81, 100, 65534, 65535)
NAMESPACE = cluster(namespace("default", team="green"))

requirements = st.builds(
    Requirement,
    st.sampled_from("ab"),
    st.sampled_from(Operator),
    st.lists(st.sampled_from(("", "x", "y")), min_size=1, max_size=2, unique=True).map(
        lambda each: tuple(sorted(each))
    ),
)
selectors = st.lists(requirements, max_size=3).map(lambda each: Selector(tuple(sorted(each))))


@st.composite
def prefixes(draw: st.DrawFn, least: int = 28) -> Prefix:
    length = draw(st.integers(least, 32))
    return Prefix(4, BASE + (draw(st.integers(0, 15)) >> (32 - length) << (32 - length)), length)


@st.composite
def blocks(draw: st.DrawFn) -> IPBlock:
    cidr = draw(prefixes())
    inside = draw(st.lists(prefixes(29), max_size=3))
    return IPBlock(cidr, tuple(sorted(part for part in inside if cidr.contains(part) and part != cidr)))


ports = st.builds(
    lambda protocol, form, numbers: PortEntry(protocol, *form(*sorted(numbers))),
    st.sampled_from((Protocol.TCP, Protocol.UDP)),
    st.sampled_from((lambda *_: (), lambda one, _: (one,), lambda one, two: (one, two))),
    st.tuples(st.sampled_from(NUMBERS), st.sampled_from(NUMBERS)),
)


@given(selectors, selectors)
def test_selector_is_within_if_no_labels_tell_otherwise(narrow: Selector, wide: Selector) -> None:
    expected = all(selects(wide, labels) for labels in LABELS if selects(narrow, labels))
    assert selector_within(narrow, wide) == expected


@given(selectors)
def test_selector_is_satisfiable_if_some_labels_are_selected(selector: Selector) -> None:
    assert satisfiable(selector) == any(selects(selector, labels) for labels in LABELS)


@given(blocks(), blocks())
def test_block_is_within_if_no_address_tells_otherwise(narrow: IPBlock, wide: IPBlock) -> None:
    held = [peer_matches(NAMESPACE, "default", (wide,), end) for end in ADDRESSES]
    expected = all(held[number] for number, end in enumerate(ADDRESSES) if peer_matches(NAMESPACE, "", (narrow,), end))
    # For an empty block any answer is right; another check finds such blocks.
    assert empty(narrow) or peer_within(NAMESPACE, "default", narrow, wide) == expected


@given(blocks())
def test_block_is_empty_if_it_has_no_address(block: IPBlock) -> None:
    assert empty(block) == (not any(peer_matches(NAMESPACE, "", (block,), end) for end in ADDRESSES))


@given(ports, ports)
def test_port_is_within_if_no_number_tells_otherwise(narrow: PortEntry, wide: PortEntry) -> None:
    traffic = [Traffic(protocol, number) for protocol in (Protocol.TCP, Protocol.UDP) for number in NUMBERS]
    expected = all(
        port_matches((wide,), each, ADDRESSES[0]) for each in traffic if port_matches((narrow,), each, ADDRESSES[0])
    )
    assert port_within(narrow, wide) == expected


def test_name_is_within_itself_and_all_ports() -> None:
    name = PortEntry(Protocol.TCP, "http")
    assert port_within(name, name)
    assert port_within(name, PortEntry())
    assert port_within(name, PortEntry(Protocol.TCP, 1, 65535))
    assert not port_within(name, PortEntry(Protocol.TCP, 1, 65534))
    assert not port_within(name, PortEntry(Protocol.UDP))
    assert not port_within(name, PortEntry(Protocol.UDP, "http"))
    assert not port_within(PortEntry(Protocol.TCP, 80), name)


def test_own_namespace_is_one_by_name_or_by_its_labels() -> None:
    own, web = pods(labelled()), pods(labelled(app="web"))
    by_name = pods(labelled(), namespaces=expressed("kubernetes.io/metadata.name", Operator.IN, "default"))
    green, every = pods(namespaces=labelled(team="green")), pods(namespaces=Selector())

    def within(narrow: object, wide: object) -> bool:
        return peer_within(NAMESPACE, "default", narrow, wide)  # type: ignore[arg-type]

    assert all(within(web, wide) for wide in (own, by_name, green, every))
    assert all(within(by_name, wide) for wide in (own, every))
    assert not within(green, own)
    assert not within(every, green)
    assert not within(own, web)
    assert not within(web, pods(labelled(app="web"), namespaces=labelled(team="blue")))
