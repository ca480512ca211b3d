"""Random changes of random clusters: the lines of ``diff --effect`` are exactly the gains and losses."""

import os
from random import Random

import msgspec
import pytest

from ovsnp.analysis.diff.effect import Effect, compare
from ovsnp.analysis.diff.effect.ends import Ends
from ovsnp.analysis.diff.effect.reasons import ChangeReasons, Reason
from ovsnp.analysis.diff.effect.services import ServiceLine
from ovsnp.manifests import load_objects
from ovsnp.model.address import Address, family
from ovsnp.model.cluster import Cluster
from ovsnp.model.policy import Direction
from ovsnp.model.service import ServicePort
from ovsnp.oracle import (
    Traffic,
    Verdict,
    judge,
    judge_service,
    service_at,
    who,
)
from ovsnp.oracle.classes import Classes
from ovsnp.oracle.planned import with_planned
from ovsnp.oracle.relation import Relation
from ovsnp.oracle.rulebook import Partition
from ovsnp.oracle.terms import Terms
from tests.support.clusters import planned
from tests.support.effect_lines import Reader, change, probes

CLUSTERS = int(os.environ.get("OVSNP_CLUSTERS", "40"))


@pytest.mark.parametrize("seed", range(CLUSTERS))
def test_lines_mean_what_is_gained_and_lost_and_nothing_else(seed: int) -> None:
    objects = change(seed)
    old, new = (load_objects(each) for each in objects)
    strict = seed % 2 == 0
    effect, reader = compare(old, new, Terms(strict_nodes=strict)), Reader(old, new, strict)
    for near, far, traffic in [asked for each in objects for asked in probes(each)]:
        ends = [(who(cluster, near), who(cluster, far)) for cluster in (old, new)]
        if not all(reader.compared(*pair) for pair in zip(*ends, strict=True)):
            continue
        was, now = (
            judge(cluster, *pair, traffic, strict_nodes=strict).allowed
            for cluster, pair in zip((old, new), ends, strict=True)
        )
        said = {line.gained for line in effect.lines if reader.means(line, *ends[1], traffic)}
        assert said == ({now} if was != now else set()), (ends[1], traffic)


def planned_change(seed: int) -> tuple[Cluster, Cluster]:
    """The clusters before and after a change; the same pods have no address yet in both."""
    sides = []
    for objects in change(seed):
        others, pods = ([each for each in objects if (each["kind"] == "Pod") is are] for are in (False, True))
        for pod in pods:
            others += planned(Random(f"{seed} {pod['metadata']['name']}"), [pod])
        sides.append(load_objects([each for each in others if each["kind"] != "EndpointSlice"]))
    old, new = with_planned(*sides)
    return old, new


@pytest.mark.parametrize("seed", range(CLUSTERS))
def test_lines_mean_the_same_of_pods_without_an_address(seed: int) -> None:
    (old, new), strict = planned_change(seed), seed % 2 == 0
    effect, reader = compare(old, new, Terms(strict_nodes=strict)), Reader(old, new, strict)
    held = sorted({address for each in (old, new) for pod in each.pods for address in pod.addresses})
    traffics = [each.representative for each in Classes(old, new).traffic]
    for near, far in ((one, other) for one in held for other in held if family(one) == family(other)):
        ends = [(who(cluster, near), who(cluster, far)) for cluster in (old, new)]
        if not all(reader.compared(*pair) for pair in zip(*ends, strict=True)):
            continue
        for traffic in (each for each in traffics if each.protocol is None or each.port):
            was, now = (
                judge(cluster, *pair, traffic, strict_nodes=strict).allowed
                for cluster, pair in zip((old, new), ends, strict=True)
            )
            said = {line.gained for line in effect.lines if reader.means(line, *ends[1], traffic)}
            assert said == ({now} if was != now else set()), (ends[1], traffic)


def reasons_of(was: Verdict, now: Verdict) -> set[Reason]:
    """The rules that admit on one side of the change only, or else the policies that isolate."""
    found = set()
    for direction in Direction:
        sides = [getattr(each, direction.section) for each in (was, now)]
        if sides[0].allowed != sides[1].allowed:
            denying, allowing = sorted(sides, key=lambda each: each.allowed)
            gone = sides[0].allowed
            if allowing.isolated_by:
                found |= {Reason(each.policy.key, direction, each.rule, gone) for each in allowing.admitted_by}
            else:
                found |= {Reason(policy.key, direction, None, not gone) for policy in denying.isolated_by}
    return found


@pytest.mark.parametrize("seed", range(CLUSTERS // 4))
def test_reasons_are_those_of_the_verdicts(seed: int) -> None:
    classes = Classes(*(load_objects(each) for each in change(seed)))
    ends = Ends(classes, strict_nodes=True)
    for family_ends in (each.ends for each in ends.families):
        partition = Partition(tuple(end.representative for end in family_ends), classes.partition.traffic)
        reasons = ChangeReasons(*(Relation(each, partition) for each in classes.clusters))
        pairs = ((near, far, ends.pair(near, far)) for near in family_ends for far in family_ends)
        for near, far, pair in pairs:
            expected = set()
            for traffic in partition.traffic if pair else ():
                verdicts = (judge(each, *map(each.who, pair), traffic, strict_nodes=True) for each in classes.clusters)
                expected |= reasons_of(*verdicts)
            if pair:
                assert set(reasons.of(near, far, classes.traffic)) == expected


@pytest.mark.parametrize("seed", range(CLUSTERS))
def test_lines_of_services_mean_what_the_others_do_not_tell(seed: int) -> None:
    old, new = (load_objects(each) for each in change(seed))
    terms = Terms(strict_nodes=seed % 2 == 0, service_blocks=seed % 3 == 0)
    effect, reader = compare(old, new, terms), Reader(old, new, terms.strict_nodes)
    for pod, address in ((each, address) for each in new.pods for address in each.addresses):
        ends = [who(cluster, address) for cluster in (old, new)]
        if not reader.compared(*ends):
            continue
        for service, port, cluster_ip in frontends(old, new, family(address)):
            question = cluster_ip, Traffic(port.protocol, port.number)
            verdicts = [
                judge_service(cluster, end, *question, **msgspec.structs.asdict(terms))
                if (found := service_at(cluster, *question)) and found[0].key == service
                else {}
                for cluster, end in zip((old, new), ends, strict=True)
            ]
            was, now = ({each for each, verdict in found.items() if verdict.allowed} for found in verdicts)
            for gained, those in ((True, now - was), (False, was - now)):
                told = {
                    each
                    for each in those & verdicts[0].keys() & verdicts[1].keys()
                    if reader.tells(effect, ends[1], each, port.protocol, gained=gained)
                }
                said = {
                    backend
                    for line in effect.services
                    if line.gained is gained and pod.key in line.pods and is_of(line, service, port, cluster_ip)
                    for backend in (those if line.itself else line.endpoints)
                    if (backend.address == address if line.itself else len(backend.address) == len(address))
                }
                assert said == those - told, (pod.key, service, port)
    for line in effect.services:
        meant = [names.meant(line.sources) for version, names in reader.names.items() if version in line.families]
        assert line.pods == frozenset().union(*meant)


def is_of(line: ServiceLine, service: str, port: ServicePort, address: Address) -> bool:
    return any(
        (each.service, each.number, each.protocol, each.address) == (service, port.number, port.protocol, address)
        for each in line.frontends
    )


def frontends(old: Cluster, new: Cluster, version: int) -> set[tuple[str, ServicePort, Address]]:
    return {
        (service.key, msgspec.structs.replace(port, name="", target=0), address)
        for cluster in (old, new)
        for service in cluster.services
        for port in service.ports
        for address in service.cluster_ips
        if family(address) == version
    }


@pytest.mark.parametrize("seed", range(CLUSTERS))
def test_pods_that_come_and_go_are_all_named(seed: int) -> None:
    old, new = (load_objects(each) for each in change(seed))
    effect = compare(old, new, Terms())
    before, after = ({pod.key for pod in cluster.pods} for cluster in (old, new))
    assert set(effect.pods_new.keys if effect.pods_new else ()) == after - before
    assert set(effect.pods_gone.keys if effect.pods_gone else ()) == before - after


def seen() -> list[Effect]:
    return [compare(*(load_objects(each) for each in change(seed)), Terms(strict_nodes=True)) for seed in range(60)]


def test_random_changes_have_lines_of_every_kind() -> None:
    lines = [line for effect in seen() for line in effect.lines]
    ends = [end for line in lines for end in (line.sources, line.destinations)]
    assert {line.gained for line in lines} == {True, False}
    assert {line.families for line in lines} == {(4,), (6,), (4, 6)}
    assert any(end.blocks and any(block.excepts for block in end.blocks) for end in ends)
    assert any(end.nodes for end in ends)
    assert any(end.all_nodes for end in ends)
    assert any(end.outside for end in ends)
    assert any(end.everyone for end in ends)
    assert any(end.pods and end.pods.but for end in ends)
    assert any(line.ports.but for line in lines)
    assert {reason.gone for line in lines for reason in line.reasons} == {True, False}
    assert all(line.reasons for line in lines)


def test_nothing_differs_from_itself() -> None:
    for seed in range(20):
        old, _ = change(seed)
        assert not compare(load_objects(old), load_objects(list(reversed(old))), Terms())
