"""Random clusters: the answer about several pods agrees with the verdicts on all pairs."""

import os
from collections import Counter
from collections.abc import Iterator
from random import Random

import pytest

from ovsnp.analysis.explain.explainer import Explainer
from ovsnp.analysis.explain.openings.openings import openings
from ovsnp.analysis.explain.reasons import Outcome, outcome
from ovsnp.analysis.naming.questions import Pairs, Written, read_pairs, read_question
from ovsnp.analysis.naming.roster import Roster
from ovsnp.errors import UsageError
from ovsnp.manifests import load_objects
from ovsnp.oracle import Traffic, judge
from ovsnp.oracle.terms import Terms
from tests.property.test_matrix import replicas
from tests.property.test_openings import TRAFFIC, holds
from tests.support.clusters import LABELS, random_cluster

CLUSTERS = int(os.environ.get("OVSNP_CLUSTERS", "40"))
SELECTORS = [f"{key}{sign}{value}" for key, values in LABELS.items() for value in values for sign in ("=", "!=")]


def asked(random: Random, roster: Roster) -> Iterator[tuple[Written, Pairs]]:
    """Pairs of selectors, and of selectors with nodes or outside addresses, where they select pods."""
    spaces = [*roster.cluster.namespaces]
    for _ in range(20):
        source, other = (f"{random.choice(spaces)}/{random.choice((*SELECTORS, '*'))}" for _ in range(2))
        written = Written(source, random.choice((other, other, "nodes", "outside/0.0.0.0/0")))
        try:
            yield written, read_pairs(roster, written)
        except UsageError:
            continue


def verdicts(roster: Roster, pairs: Pairs, traffic: Traffic, *, strict_nodes: bool) -> Counter[bool]:
    found = Counter[bool]()
    for source, destination in pairs.pairs:
        verdict = judge(roster.cluster, source, destination, traffic, strict_nodes=strict_nodes)  # type: ignore[arg-type]
        found[verdict.allowed] += 1
    return found


@pytest.mark.parametrize("seed", range(CLUSTERS))
def test_answer_is_that_of_all_pairs(seed: int) -> None:
    random = Random(seed)
    objects = random_cluster(random)
    cluster, strict_nodes = load_objects([*objects, *replicas(random, objects)]), seed % 2 == 0
    roster, oracle = Roster(cluster, strict_nodes=strict_nodes), Explainer(cluster, Terms(strict_nodes))
    for written, pairs in asked(random, roster):
        found = openings(cluster, pairs.pairs, strict_nodes=strict_nodes)
        for traffic in random.sample(TRAFFIC, 8):
            expected = verdicts(roster, pairs, traffic, strict_nodes=strict_nodes)
            said = Counter[bool]()
            for each in found:
                said[holds(each.ranges.allowed, traffic)] += each.alike
            assert said == expected
            question = read_question(roster, written._replace(port=f"{traffic.port}/{traffic.protocol}"))
            answers = oracle.answers(question)
            alone = Outcome.ALLOWED if expected[True] else Outcome.DENIED
            assert outcome([each.outcome for each in answers]) is (Outcome.MIXED if len(expected) > 1 else alone)
            assert any(answer.alike < answer.asked for answer in answers) is (pairs.several and len(expected) > 1)


def test_random_clusters_have_pods_that_differ() -> None:
    differing = several = 0
    for seed in range(CLUSTERS):
        random = Random(seed)
        objects = random_cluster(random)
        roster = Roster(load_objects([*objects, *replicas(random, objects)]))
        for _, pairs in asked(random, roster):
            several += pairs.several
            differing += len(verdicts(roster, pairs, random.choice(TRAFFIC), strict_nodes=False)) > 1
    assert several > CLUSTERS
    assert differing > CLUSTERS // 4
