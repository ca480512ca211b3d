"""Pods inside ipBlocks, and the ipBlocks around a pod: as asking every pod about every block says."""

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from ovsnp.model.address import Prefix, host_prefix, parse_prefix
from ovsnp.model.cluster import Pod
from ovsnp.model.policy import IPBlock
from ovsnp.resolve.named_peers import NamedPeers
from ovsnp.resolve.pods import PodClass
from ovsnp.resolve.pods_by_address import PeersByBlock, PodsByAddress
from tests.support.model_objects import pod

CLASS = PodClass({}, ())
PODS = [
    pod("default/a", "192.0.2.0", "2001:db8::1"),
    pod("default/b", "192.0.2.1"),
    pod("default/c", "192.0.2.1", "2001:db8::2"),  # the address is handed on from b
    pod("default/d", "192.0.2.255"),
    pod("default/e", "2001:db8:ffff::1"),
    pod("default/f", "255.255.255.255"),
]
BLOCKS = st.lists(
    st.sampled_from(
        [
            IPBlock(parse_prefix(cidr))
            for cidr in (
                "0.0.0.0/0",
                "192.0.2.0/24",
                "192.0.2.0/31",
                "192.0.2.1/32",
                "192.0.2.255/32",
                "198.51.100.0/24",
            )
        ]
        + [IPBlock(parse_prefix(cidr)) for cidr in ("::/0", "2001:db8::/48", "2001:db8::2/128", "::/64")]
        + [IPBlock(parse_prefix("192.0.2.0/24"), (parse_prefix("192.0.2.0/31"),))]
    ),
    min_size=1,
    max_size=3,
)


def holds(cidr: Prefix, asked: Pod) -> bool:
    return any(cidr.contains(host_prefix(address)) for address in asked.addresses)


def inside(blocks: Sequence[IPBlock], pods: Sequence[Pod]) -> set[str]:
    return {each.key for each in pods if any(holds(block.cidr, each) for block in blocks)}


@given(st.permutations(PODS), st.integers(0, len(PODS)), st.integers(0, len(PODS)), BLOCKS)
def test_pods_inside_blocks_are_those_of_all_that_are_there(
    pods: list[Pod], first: int, gone: int, blocks: list[IPBlock]
) -> None:
    index = PodsByAddress((each, CLASS) for each in pods[:first])
    for each in pods[first:]:
        index.add(each, CLASS)
    for each in pods[:gone]:
        index.remove(each, CLASS)
    found = [each.key for each, _ in index.inside(blocks)]
    assert len(found) == len({*found})
    assert {*found} == inside(blocks, pods[gone:])


@given(st.lists(BLOCKS, max_size=4), st.data())
def test_peers_around_a_pod_are_those_of_all_that_are_there(found: list[list[IPBlock]], data: st.DataObject) -> None:
    index = PeersByBlock()
    peers = [NamedPeers(str(number), (), blocks) for number, blocks in enumerate(found)]
    for each in peers:
        index.add(each)
    gone = data.draw(st.integers(0, len(peers)))
    for each in peers[:gone]:
        index.remove(each)
    assert bool(index) == (gone < len(peers))
    for asked in PODS:
        expected = [each for each in peers[gone:] if inside(each.blocks, [asked])]
        around = [*index.around(asked)]
        assert len(around) == len(expected)
        assert {*around} == {*expected}
