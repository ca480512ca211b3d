"""Random clusters: removing what lint reports as without effect changes no verdict of the oracle."""

import os
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from copy import deepcopy
from itertools import product
from random import Random

import pytest

from ovsnp.analysis.lint import CHECKS, LintIndex
from ovsnp.analysis.lint.dns import _Asking, _asks_elsewhere
from ovsnp.analysis.lint.entries import rules
from ovsnp.analysis.lint.finding import Finding
from ovsnp.analysis.lint.holders import admits_someone
from ovsnp.analysis.lint.resolvers import DnsResolver
from ovsnp.manifests import load_objects
from ovsnp.model.address import parse_address
from ovsnp.model.cluster import Cluster
from ovsnp.model.policy import Direction
from ovsnp.model.ports import Protocol
from ovsnp.oracle import ICMP, PodEnd, Traffic, affects, judge, judge_service, peer_matches, selects, who
from tests.support.clusters import Object, Probe, interesting_traffic, random_cluster, random_services
from tests.support.rule_pairs import around

CLUSTERS = int(os.environ.get("OVSNP_CLUSTERS", "40"))
PROBES = 200


def verdicts(cluster: Cluster, probes: Sequence[Probe]) -> list[bool]:
    found = []
    for probe in probes:
        source, destination = (who(cluster, parse_address(end)) for end in (probe.source, probe.destination))
        protocol = Protocol(probe.protocol) if probe.protocol in list(Protocol) else None
        traffic = Traffic(protocol, probe.port if protocol else None)
        found.append(judge(cluster, source, destination, traffic, strict_nodes=True).allowed)
    return found


def policies_of(objects: Sequence[Object]) -> dict[str, Object]:
    return {
        f"NetworkPolicy {each['metadata']['namespace']}/{each['metadata']['name']}": each
        for each in objects
        if each["kind"] == "NetworkPolicy"
    }


def explicit(objects: Sequence[Object]) -> list[Object]:
    """The same objects with explicit ``policyTypes``, so that no removal changes the directions of a policy."""
    copied = deepcopy([*objects])
    for policy in load_objects(objects).policies:
        types = [direction.value for direction in Direction if affects(policy, direction)]
        policies_of(copied)[f"NetworkPolicy {policy.key}"]["spec"]["policyTypes"] = types
    return copied


def without_policies(objects: list[Object], findings: Sequence[Finding]) -> list[Object]:
    gone = {finding.subject for finding in findings}
    return [each for each in objects if each not in [policies_of(objects)[subject] for subject in gone]]


def without_sections(objects: list[Object], findings: Sequence[Finding]) -> list[Object]:
    for finding in findings:
        del policies_of(objects)[finding.subject]["spec"][finding.path[1]]
    return objects


def without_rules(objects: list[Object], findings: Sequence[Finding]) -> list[Object]:
    for subject, section, index in sorted({(each.subject, *each.path[1:3]) for each in findings}, reverse=True):
        del policies_of(objects)[subject]["spec"][section][index]
    return objects


def without_entries(objects: list[Object], findings: Sequence[Finding]) -> list[Object]:
    """The objects without these list items; a rule goes with its last item, as an empty list would mean everyone."""
    emptied = []
    for subject, *way in sorted({(each.subject, *each.path[1:5]) for each in findings}, reverse=True):
        section, index, field, item = way
        items = policies_of(objects)[subject]["spec"][section][index][field]
        del items[item]
        if not items:
            emptied += [each for each in findings if (each.subject, *each.path[1:5]) == (subject, *way)]
    return without_rules(objects, emptied)


REMOVED: dict[str, Callable[[list[Object], Sequence[Finding]], list[Object]]] = {
    "selects-nothing": without_policies,
    "peer-matches-nothing": without_entries,
    "unknown-port-name": without_entries,
    "ignored-rules": without_sections,
    "pointless-rule": without_rules,
    "pointless-entry": without_entries,
}


def seeded(seed: int) -> tuple[list[Object], LintIndex]:
    objects = explicit(random_cluster(Random(seed)))
    return objects, LintIndex(load_objects(objects))


def found(index: LintIndex) -> Iterator[tuple[str, list[Finding]]]:
    for check in REMOVED:
        if findings := list(CHECKS[check].find(index)):
            yield check, findings


@pytest.mark.parametrize("seed", range(CLUSTERS))
def test_what_is_without_effect_can_go(seed: int) -> None:
    objects, index = seeded(seed)
    probes = interesting_traffic(objects, PROBES)
    before = verdicts(index.cluster, probes)
    for check, findings in found(index):
        left = load_objects(REMOVED[check](deepcopy(objects), findings))
        assert left != index.cluster
        assert verdicts(left, probes) == before, check


@pytest.mark.parametrize("seed", range(CLUSTERS))
def test_rules_without_effect_are_those_that_comparing_every_two_finds(seed: int) -> None:
    _, index = seeded(seed)
    expected = set()
    for policies in index.policies.values():
        entries = [rule for policy in policies for rule in rules(policy) if admits_someone(rule)]
        expected |= {(rule.policy.key, rule.path) for rule in entries if around(index.cluster, rule, entries)}
    findings = CHECKS["pointless-rule"].find(index)
    assert {(found.subject.removeprefix("NetworkPolicy "), found.path) for found in findings} == expected


@pytest.mark.parametrize("seed", range(CLUSTERS))
def test_pods_that_are_named_and_selected_are_those_of_the_oracle(seed: int) -> None:
    _, index = seeded(seed)
    cluster = index.cluster
    for policy in cluster.policies:
        selected = {pod.key for kind in index.selected(policy) for pod in kind.pods}
        inside = {pod.key for pod in cluster.pods if pod.namespace == policy.namespace}
        assert selected == {
            pod.key for pod in cluster.pods if pod.key in inside and selects(policy.pod_selector, pod.labels)
        }
        for rule in rules(policy):
            for _, peer in rule.peers():
                assert {pod.key for pod in index.named(policy, peer)} == {
                    pod.key
                    for pod in cluster.pods
                    for address in pod.addresses
                    if peer_matches(cluster, policy.namespace, (peer,), PodEnd(pod, address))
                }


@pytest.mark.parametrize("seed", range(CLUSTERS))
def test_pods_that_are_isolated_are_those_of_the_oracle(seed: int) -> None:
    _, index = seeded(seed)
    for kinds in index.kinds.values():
        for kind in kinds:
            for pod in kind.pods:
                end = PodEnd(pod, pod.addresses[0])
                verdict = judge(index.cluster, end, end, ICMP)
                assert tuple(index.isolating(kind, Direction.EGRESS)) == verdict.egress.isolated_by
                assert tuple(index.isolating(kind, Direction.INGRESS)) == verdict.ingress.isolated_by


@pytest.mark.parametrize("seed", range(CLUSTERS))
def test_who_may_ask_a_server_is_as_the_oracle_judges(seed: int) -> None:
    _, index = seeded(seed)
    cluster, random = index.cluster, Random(seed)
    ends = [PodEnd(pod, address) for pod in cluster.pods for address in pod.addresses]
    asking = _Asking(index)
    asking.servers = [
        DnsResolver(end, Traffic(Protocol.UDP, random.choice((53, 80, 8080))), "")
        for end in random.sample(ends, min(2, len(ends)))
    ]
    for kinds in index.kinds.values():
        for kind in kinds:
            pod, isolating = kind.pods[0], index.isolating(kind, Direction.EGRESS)
            if any(_asks_elsewhere(rule, Protocol.UDP) for policy in isolating for rule in policy.egress):
                continue
            expected = not isolating or any(
                judge(cluster, PodEnd(pod, address), server.end, server.traffic).egress.allowed
                for server in asking.servers
                for address in pod.addresses
                if len(address) == len(server.end.address)
            )
            assert (not isolating or asking.allowed(pod, isolating, Protocol.UDP)) == expected


def services_of(seed: int) -> tuple[list[Object], Cluster]:
    random = Random(seed)
    objects = random_cluster(random)
    objects += random_services(random, objects)
    return objects, load_objects(objects)


def admissions(cluster: Cluster, policy: str) -> set[tuple[Direction, int, str, str]]:
    """The rules of a policy that admit connections of pods to Services, with the source pod and the backend."""
    found = set()
    for service in cluster.services:
        for port, address in product(service.ports, service.cluster_ips):
            for pod in cluster.pods:
                ends = [PodEnd(pod, each) for each in pod.addresses if len(each) == len(address)]
                for end in ends:
                    judged = judge_service(cluster, end, address, Traffic(port.protocol, port.number))
                    for backend, verdict in judged.items():
                        for each in (*verdict.egress.admitted_by, *verdict.ingress.admitted_by):
                            if each.policy.key == policy:
                                found.add((each.direction, each.rule, end.pod.key, str(backend)))
    return found


def remedied(objects: list[Object], finding: Finding) -> Cluster:
    """The cluster in which the ports of the remedy replace the port that the finding names."""
    copied = deepcopy(objects)
    section, index, field, item, _ = finding.path[1:]
    entries = policies_of(copied)[finding.subject]["spec"][section][index][field]
    entries[item : item + 1] = [
        entries[item] | {"port": int(port)} for port in re.findall(r"port: ([0-9]+)", finding.remedy)
    ]
    return load_objects(copied)


def test_port_of_a_service_admits_more_when_it_is_that_of_the_pods() -> None:
    seen = 0
    for seed in range(3 * CLUSTERS):
        objects, cluster = services_of(seed)
        for finding in CHECKS["port-of-service"].find(LintIndex(cluster)):
            policy = finding.subject.removeprefix("NetworkPolicy ")
            before, after = admissions(cluster, policy), admissions(remedied(objects, finding), policy)
            assert before <= after
            seen += before < after
    assert seen


def test_random_clusters_have_something_for_every_check() -> None:
    seen = Counter(check for seed in range(100) for check, _ in found(seeded(seed)[1]))
    assert {check for check, times in seen.items() if times >= 3} == set(REMOVED)
