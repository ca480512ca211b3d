"""Random changes of policies: the cells that change are those in which the oracle's verdicts change."""

import os
from random import Random

import pytest

from ovsnp.analysis.reach.changes import ReachChange
from ovsnp.manifests import load_objects
from ovsnp.model.address import Address
from ovsnp.oracle import Traffic, judge
from ovsnp.oracle.classes import Classes
from ovsnp.oracle.indexed_oracle import IndexedOracle
from tests.support.clusters import another_policy, random_cluster

CLUSTERS = int(os.environ.get("OVSNP_CLUSTERS", "40"))


@pytest.mark.parametrize("seed", range(CLUSTERS))
def test_changed_cells_are_those_with_other_verdicts(seed: int) -> None:
    random, strict = Random(seed), seed % 2 == 0
    objects = random_cluster(random)
    old = load_objects(objects)
    others = [each for each in objects if each["kind"] != "NetworkPolicy"]
    came = load_objects([*others, another_policy(random, objects)]).policies
    prepared = IndexedOracle(old)
    edited = prepared.with_policies([*old.policies[1:], *came])
    change = ReachChange(Classes(prepared).beside(edited), strict_nodes=strict)
    told = {(each.source.name, each.destination.name) for each in change.cells()}
    classes = change.before.classes
    for source in change.parties:
        for destination in change.parties:
            cell = change.before.cell(source, destination)
            if cell is None or cell.wholly:
                assert (source.name, destination.name) not in told
                continue
            differs = False
            for version in cell.ports:
                near, far = (classes.ends[each.classes[version]].representative for each in (source, destination))
                for each in classes.traffic:
                    was, now = (
                        # Policies alone: an end never reaches itself here by an exemption.
                        _by_policies(known, near, far, each.representative)
                        for known in (prepared, edited)
                    )
                    differs |= was != now
            assert differs == ((source.name, destination.name) in told), (source.name, destination.name)


def _by_policies(known: IndexedOracle, near: Address, far: Address, traffic: Traffic) -> bool:
    verdict = judge(known, known.who(near), known.who(far), traffic, strict_nodes=True)
    return all(not side.isolated_by or bool(side.admitted_by) for side in (verdict.egress, verdict.ingress))
