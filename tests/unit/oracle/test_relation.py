"""The traffic that a side allows is folded from ordered steps: the first matching step decides."""

from itertools import product
from random import Random

import pytest

from ovsnp.manifests import load_objects
from ovsnp.model.address import parse_address
from ovsnp.model.policy import Direction
from ovsnp.oracle import ICMP, judge
from ovsnp.oracle.indexed_oracle import IndexedOracle
from ovsnp.oracle.planned import Reading, with_planned
from ovsnp.oracle.relation import Action, FoldStep, Relation, fold
from ovsnp.oracle.rulebook import Partition

PEERS, TRAFFIC = range(5), range(3)
EVERYTHING = 0b111


def first_match(steps: list[FoldStep], peer: int, traffic: int) -> bool:
    for action, peers, matched in steps:
        if (peers is None or peer in peers) and matched >> traffic & 1:
            return action is Action.ACCEPT
    return True


@pytest.mark.parametrize("seed", range(200))
def test_the_first_step_that_matches_decides(seed: int) -> None:
    random = Random(seed)
    steps = [
        FoldStep(
            random.choice([*Action]),
            random.choice([None, frozenset(random.sample(PEERS, 2)), [random.choice(PEERS)]]),
            random.randrange(EVERYTHING + 1),
        )
        for _ in range(random.randrange(6))
    ]
    allowed = fold(steps, EVERYTHING)
    for peer, traffic in product(PEERS, TRAFFIC):
        assert bool(allowed.of(peer) >> traffic & 1) == first_match(steps, peer, traffic), steps


def test_what_no_step_matches_is_allowed() -> None:
    assert fold([], EVERYTHING).of(0) == EVERYTHING
    assert fold([FoldStep(Action.DENY, [1], 0b010)], EVERYTHING).of(1) == 0b101


def test_a_block_says_of_pods_without_an_address_alone_whether_it_holds_them() -> None:
    """An outside address may lie in the blocks of the placeholders."""
    pod = {"metadata": {"name": "web"}, "spec": {"containers": []}}
    block = {"ipBlock": {"cidr": "0.1.0.0/16"}}
    objects = [
        {"apiVersion": "v1", "kind": "Pod", **pod},
        {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "NetworkPolicy",
            "metadata": {"name": "p"},
            "spec": {"podSelector": {}, "ingress": [{"from": [block]}]},
        },
    ]
    for reading in Reading:
        (cluster,) = with_planned(load_objects(objects), reading=reading)
        oracle = IndexedOracle(cluster)
        (web,) = cluster.pods
        ends = (web.addresses[0], parse_address("0.1.0.1"), parse_address("0.2.0.1"))
        relation = Relation(oracle, Partition(ends, (ICMP,)))
        for number, address in enumerate(ends):
            verdict = judge(cluster, oracle.who(address), oracle.who(ends[0]), ICMP)
            assert bool(relation.side(Direction.INGRESS, 0).of(number)) == bool(verdict.ingress.admitted_by)
