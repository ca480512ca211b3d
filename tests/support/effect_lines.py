"""Lines of an effect, read back: whether a line says that a connection is gained or lost."""

from collections.abc import Iterator
from random import Random

from ovsnp.analysis.diff.effect import Effect
from ovsnp.analysis.diff.effect.lines import EffectLine, Who
from ovsnp.analysis.diff.effect.pod_names import PodWords
from ovsnp.analysis.diff.effect.ports import TrafficTerms
from ovsnp.model.address import FAMILIES, family, host_prefix, parse_address
from ovsnp.model.cluster import Cluster
from ovsnp.model.ports import Protocol
from ovsnp.oracle import (
    Endpoint,
    NodeEnd,
    OutsideEnd,
    PodEnd,
    ServingBackend,
    Traffic,
    who,
)
from ovsnp.oracle.judge import exemption
from ovsnp.oracle.peers import block_holds
from tests.support.clusters import Object, interesting_traffic, random_cluster, random_services

PROBES = 1200


def change(seed: int) -> tuple[list[Object], list[Object]]:
    """A cluster's objects before and after a change of policies, pods, Services, and the labels of one pod."""
    random = Random(seed)
    objects = random_cluster(random)
    spaces = {each["metadata"]["name"] for each in objects if each["kind"] == "Namespace"}
    common = [each for each in objects if each["kind"] in ("Namespace", "Node")]
    pods = [each for each in objects if each["kind"] == "Pod"]
    policies = [each for each in objects if each["kind"] == "NetworkPolicy"]
    others = [
        each
        for each in random_cluster(Random(seed + 100_000))
        if each["kind"] == "NetworkPolicy" and each["metadata"]["namespace"] in spaces
    ]
    before = {(each["metadata"]["namespace"], each["metadata"]["name"]): each for each in policies}
    after = {key: each for key, each in before.items() if random.random() < 0.7}
    after |= {(each["metadata"]["namespace"], each["metadata"]["name"]): each for each in others[:2]}
    later = [each for each in pods if random.random() < 0.9]
    if later and random.random() < 0.5:
        moved = random.choice(later)
        labels = random.choice(pods)["metadata"]["labels"]
        later[later.index(moved)] = {**moved, "metadata": {**moved["metadata"], "labels": labels}}
    served = [random_services(Random(seed), objects), random_services(Random(seed + random.choice((0, 1))), objects)]
    return [*common, *pods, *before.values(), *served[0]], [*common, *later, *after.values(), *served[1]]


class Reader:
    """Reads lines back: which ends and which traffic each line means."""

    def __init__(self, old: Cluster, new: Cluster, strict: bool) -> None:
        self.old, self.new, self.strict = old, new, strict
        self.pod_cidrs = [cidr for each in (old, new) for node in each.nodes.values() for cidr in node.pod_cidrs]
        held = {(pod.key, address) for pod in old.pods for address in pod.addresses}
        staying = {
            version: [
                pod
                for pod in new.pods
                for address in pod.addresses
                if family(address) == version and (pod.key, address) in held
            ]
            for version in FAMILIES
        }
        self.names = {version: PodWords(pods, new.namespaces) for version, pods in staying.items()}

    def compared(self, before: Endpoint, after: Endpoint) -> bool:
        match before, after:
            case PodEnd(), PodEnd():
                return before.pod.key == after.pod.key
            case NodeEnd(), NodeEnd():
                return True
            case OutsideEnd(), OutsideEnd():
                return not any(cidr.contains(host_prefix(after.address)) for cidr in self.pod_cidrs)
            case _:
                return False

    def means(self, line: EffectLine, source: Endpoint, destination: Endpoint, traffic: Traffic) -> bool:
        return (
            family(source.address) in line.families
            and exemption(source, destination, strict_nodes=self.strict) is None
            and self.is_one(line.sources, source)
            and self.is_one(line.destinations, destination)
            and in_ports(line.ports, traffic)
        )

    def tells(
        self, effect: Effect, source: Endpoint, backend: ServingBackend, protocol: Protocol, *, gained: bool
    ) -> bool:
        """True if a line says of connections to the endpoint itself that they are gained (or lost)."""
        ends = [who(cluster, backend.address) for cluster in (self.old, self.new)]
        traffic = Traffic(protocol, backend.port)
        return self.compared(*ends) and any(
            line.gained is gained and self.means(line, source, ends[1], traffic) for line in effect.lines
        )

    def is_one(self, meant: Who, end: Endpoint) -> bool:
        if meant.everyone:
            return True
        match end:
            case PodEnd(pod=pod):
                return meant.pods is not None and pod.key in self.names[family(end.address)].meant(meant.pods)
            case NodeEnd(node=node, address=address):
                return meant.all_nodes or any(
                    each.name == node.name and (not each.addresses or address in each.addresses) for each in meant.nodes
                )
            case _:
                return meant.outside or any(block_holds(block, end.address) for block in meant.blocks)


def in_ports(ports: TrafficTerms, traffic: Traffic) -> bool:
    number = traffic.port or 0
    inside = any(each.protocol is traffic.protocol and each.first <= number <= each.last for each in ports.ranges)
    return inside != ports.but


def probes(objects: list[Object]) -> Iterator[tuple[bytes, bytes, Traffic]]:
    for probe in interesting_traffic(objects, PROBES):
        protocol = Protocol(probe.protocol) if probe.protocol in list(Protocol) else None
        traffic = Traffic(protocol, probe.port if protocol else None)
        yield parse_address(probe.source), parse_address(probe.destination), traffic
