"""Random clusters: explanations agree with the oracle, and their advice has the stated effect."""

import copy
import os
from collections.abc import Iterator
from random import Random

import pytest

from ovsnp.analysis.explain.needs import Change, Holder, InNamespace, Label, Need, PortName, RulePort, ToPort
from ovsnp.analysis.explain.query import Query
from ovsnp.analysis.explain.reasons import BackendVerdict, Explanation, Reasons, explain_connection
from ovsnp.analysis.naming.ends import ClusterIPEnd
from ovsnp.analysis.naming.questions import Connection
from ovsnp.manifests import load_objects
from ovsnp.model.address import family, parse_address
from ovsnp.model.cluster import Cluster
from ovsnp.model.policy import Direction
from ovsnp.model.ports import Protocol
from ovsnp.oracle import Traffic, Verdict, judge, judge_service, who
from ovsnp.oracle.peers import peer_matches
from ovsnp.oracle.terms import Terms
from ovsnp.oracle.traffic import port_matches
from tests.support.clusters import Object, interesting_traffic, random_cluster, random_services

CLUSTERS = int(os.environ.get("OVSNP_CLUSTERS", "40"))
PROBES = 150
HINTS = 25


def scene(seed: int) -> tuple[list[Object], list[Connection], Terms]:
    """The objects of a random cluster with Services, connections worth explaining, and the oracle's terms."""
    random = Random(seed)
    objects = random_cluster(random)
    probes = interesting_traffic(objects, PROBES)
    objects += random_services(random, objects)
    cluster = load_objects(objects)
    connections = []
    for probe in probes:
        protocol = Protocol(probe.protocol) if probe.protocol in list(Protocol) else None
        ends = (who(cluster, parse_address(end)) for end in (probe.source, probe.destination))
        connections.append(Connection(*ends, Traffic(protocol, probe.port if protocol else None)))
    return objects, [*connections, *to_services(cluster)], Terms(strict_nodes=seed % 3 == 0)


def to_services(cluster: Cluster) -> Iterator[Connection]:
    """Connections from every pod to every port of every cluster IP of its address families."""
    for pod in cluster.pods:
        for own in pod.addresses:
            for service in cluster.services:
                for address in service.cluster_ips:
                    if family(own) == family(address):
                        for port in service.ports:
                            end = ClusterIPEnd(address, service)
                            yield Connection(who(cluster, own), end, Traffic(port.protocol, port.number))


def judged(cluster: Cluster, connection: Connection, terms: Terms) -> list[Verdict]:
    source, destination, traffic = connection.source, connection.destination, connection.traffic
    if isinstance(destination, ClusterIPEnd):
        found = judge_service(cluster, source, destination.address, traffic, strict_nodes=terms.strict_nodes)
        return list(found.values())
    return [judge(cluster, source, destination, traffic, strict_nodes=terms.strict_nodes)]


def sides(answer: Explanation) -> Iterator[tuple[BackendVerdict, Direction, Reasons]]:
    for way in answer.ways:
        yield way, Direction.EGRESS, way.egress
        yield way, Direction.INGRESS, way.ingress


def to_itself(way: BackendVerdict) -> bool:
    """True if a pod is its own backend: a change of its labels may isolate it by other policies, too."""
    return way.query.source == way.query.destination


@pytest.mark.parametrize("seed", range(CLUSTERS))
def test_verdicts_are_the_oracles(seed: int) -> None:
    objects, connections, terms = scene(seed)
    cluster = load_objects(objects)
    for connection in connections:
        answer = explain_connection(cluster, connection, terms)
        assert [way.verdict for way in answer.ways] == judged(cluster, connection, terms)
        assert (answer.nobody is None) == bool(answer.ways)
        for _, _, reasons in sides(answer):
            assert [each.admission for each in reasons.admitting] == list(reasons.side.admitted_by)


@pytest.mark.parametrize("seed", range(CLUSTERS))
def test_what_is_said_to_match_matches_and_what_is_said_to_lack_does_not(seed: int) -> None:
    objects, connections, terms = scene(seed)
    cluster = load_objects(objects)
    for connection in connections:
        for way, direction, reasons in sides(explain_connection(cluster, connection, terms)):
            _, far = way.query.ends(direction)
            for each in reasons.admitting:
                rule = each.admission.policy.rules(direction)[each.admission.rule]
                assert bool(each.peers) == bool(rule.peers)
                assert bool(each.ports) == bool(rule.ports)
                for item in each.peers:
                    assert peer_matches(cluster, each.admission.policy.namespace, rule.peers[item : item + 1], far)
                for item in each.ports:
                    assert port_matches(rule.ports[item : item + 1], way.query.traffic, way.query.destination)
            if any(policy.rules(direction) for policy in reasons.side.isolated_by) and not to_itself(way):
                assert bool(reasons.nearest) != reasons.side.allowed
            for miss in reasons.nearest:
                assert not reasons.side.allowed
                rule = miss.policy.rules(direction)[miss.rule]
                assert (miss.peer is None) == peer_matches(cluster, miss.policy.namespace, rule.peers, far)
                assert (miss.port is None) == port_matches(rule.ports, way.query.traffic, way.query.destination)
                assert miss.needs


@pytest.mark.parametrize("seed", range(CLUSTERS))
def test_who_does_what_is_needed_is_let_pass_by_that_side(seed: int) -> None:
    """The needed changes are made to the objects, which are loaded and judged again."""
    objects, connections, terms = scene(seed)
    cluster, done = load_objects(objects), set()
    for connection in connections:
        for way, direction, reasons in sides(explain_connection(cluster, connection, terms)):
            for miss in reasons.nearest:
                doable = all(isinstance(need, Change) for need in miss.needs)
                assert (miss.then is None) != doable
                case = (way.query.source.address, way.query.destination.address, direction, miss.needs)
                if doable and case not in done and len(done) < HINTS:
                    done.add(case)
                    then = rejudged(objects, way.query, miss.needs)
                    assert (then.egress if direction is Direction.EGRESS else then.ingress).allowed
                    assert then.allowed is miss.then


def rejudged(objects: list[Object], given: Query, needs: tuple[Need, ...]) -> Verdict:
    """The oracle's verdict after these changes of the objects."""
    altered, traffic = copy.deepcopy(objects), given.traffic
    for need in sorted(needs, key=lambda each: isinstance(each, InNamespace)):
        match need:
            case Label(holder=Holder.POD):
                relabel(named(altered, "Pod", need.name), need)
            case Label():
                relabel(named(altered, "Namespace", need.name), need)
            case InNamespace():
                named(altered, "Pod", need.pod)["metadata"]["namespace"] = need.namespace
            case PortName():
                port = {"name": need.name, "protocol": need.protocol.value, "containerPort": need.number}
                spec = named(altered, "Pod", need.pod)["spec"]
                spec["containers"].append({"name": "named", "ports": [port]})
            case RulePort():
                rule = named(altered, "NetworkPolicy", need.policy)["spec"][need.direction.section][need.rule]
                rule["ports"].append({"protocol": need.protocol.value, "port": need.number})
            case ToPort():
                kept = traffic.port if traffic.port and need.first <= traffic.port <= need.last else need.first
                traffic = Traffic(need.protocol, kept)
    cluster = load_objects(altered)
    ends = (who(cluster, end.address) for end in (given.source, given.destination))
    return judge(cluster, *ends, traffic, strict_nodes=given.strict_nodes, via=given.via)


def named(objects: list[Object], kind: str, key: str) -> Object:
    space, _, name = key.rpartition("/")
    return next(
        each
        for each in objects
        if (each["kind"], each["metadata"]["name"], each["metadata"].get("namespace", "")) == (kind, name, space)
    )


def relabel(labelled: Object, need: Label) -> None:
    labels = labelled["metadata"]["labels"]
    assert labels.get(need.key) == need.now
    if need.value is None:
        del labels[need.key]
    else:
        labels[need.key] = need.value


def test_random_clusters_lack_something_of_every_kind() -> None:
    seen: set[str] = set()
    for seed in range(60):
        objects, connections, terms = scene(seed)
        cluster = load_objects(objects)
        for connection in connections:
            for _, _, reasons in sides(explain_connection(cluster, connection, terms)):
                seen |= {type(need).__name__ for miss in reasons.nearest for need in miss.needs}
    assert seen == {"Label", "InNamespace", "ToPort", "PortName", "RulePort", "OtherAddress", "OtherEnd"}
