"""A random cluster on wired nodes: compares real packets to a Service with the oracle."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from random import Random
from typing import NamedTuple

from ovsnp.manifests import load_objects
from ovsnp.model.address import Prefix, family, format_address, host_prefix, parse_address
from ovsnp.model.cluster import Cluster
from ovsnp.model.ports import Protocol
from ovsnp.oracle import OutsideEnd, PodEnd, ServingBackend, Traffic, Verdict, judge_service, who
from tests.ovs.frames import End, Flag, Packet
from tests.ovs.wired import Arrival, WiredCluster
from tests.support.clusters import Object, random_cluster, random_services
from tests.support.instance import DummySwitch

_TRACKED = re.compile(
    r"orig=\(src=(\S+?),dst=(\S+?),sport=(\d+),dport=(\d+)\),reply=\(src=(\S+?),dst=\S+?,sport=(\d+),"
)


def wired_objects(random: Random) -> list[Object]:
    """A random cluster of two nodes with pods on both, and Services."""
    while True:
        objects = random_cluster(random, ((4,), (4, 6)))
        nodes = {each["metadata"]["name"] for each in objects if each["kind"] == "Node"}
        if len(nodes) == 2 and nodes == {each["spec"]["nodeName"] for each in objects if each["kind"] == "Pod"}:
            return [*objects, *random_services(random, objects), *map(_to_cluster_ips, _namespaces(objects))]


def _namespaces(objects: list[Object]) -> list[str]:
    return sorted({each["metadata"].get("namespace", "default") for each in objects if each["kind"] == "Pod"})


def _to_cluster_ips(namespace: str) -> Object:
    """A policy that lets pods connect to some cluster IPs at some ports, if blocks may hold cluster IPs."""
    blocks = [{"ipBlock": {"cidr": "10.96.0.0/30", "except": ["10.96.0.2/32"]}}, {"ipBlock": {"cidr": "fd00:96::/127"}}]
    ports = [{"port": 1, "endPort": 1023}, {"protocol": "UDP"}]
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"namespace": namespace, "name": "to-cluster-ips"},
        "spec": {"podSelector": {}, "policyTypes": ["Egress"], "egress": [{"to": blocks, "ports": ports}]},
    }


class Question(NamedTuple):
    """A connection from a pod to a cluster IP."""

    sender: PodEnd
    address: str
    traffic: Traffic
    port: int

    def packet(self) -> Packet:
        """The first packet of the connection."""
        assert self.traffic.protocol is not None
        assert self.traffic.port is not None
        flags = Flag.SYN if self.traffic.protocol is Protocol.TCP else Flag.NONE
        source = End(format_address(self.sender.address), self.port)
        return Packet(self.traffic.protocol, source, End(self.address, self.traffic.port), flags)


class RandomScene:
    """The nodes and pods of the objects; at most two nodes, with tunnels over IPv4."""

    def __init__(self, switches: Sequence[DummySwitch], objects: Sequence[Object], manifests: Path) -> None:
        self.cluster: Cluster = load_objects(objects)
        nodes = {name: format_address(node.addresses[0]) for name, node in self.cluster.nodes.items()}
        self.wired = WiredCluster(switches, nodes, manifests)
        for node in self.wired.nodes:
            node.add_pods({pod.key: pod.key for pod in self.cluster.pods if pod.node == node.name})
        self._manifests = manifests
        self.write(objects)

    def write(self, objects: Sequence[Object]) -> None:
        """Set the objects that the next apply takes."""
        (self._manifests / "cluster.json").write_text(
            json.dumps({"kind": "List", "apiVersion": "v1", "items": objects})
        )

    def questions(self) -> Iterator[Question]:
        """Connections from every pod to every TCP and UDP port of every Service."""
        for service in self.cluster.services:
            for address in service.cluster_ips:
                kinds = {(port.protocol, port.number) for port in service.ports if port.protocol is not Protocol.SCTP}
                for protocol, number in sorted(kinds):
                    for pod in self.cluster.pods:
                        for source in (each for each in pod.addresses if family(each) == family(address)):
                            traffic = Traffic(protocol, number)
                            yield Question(PodEnd(pod, source), format_address(address), traffic, 30000 + number % 1000)

    def ask(self, question: Question) -> list[Arrival]:
        """Send the first packet of the connection."""
        return self.wired.send(question.sender.pod.key, question.packet())

    def chosen(self, question: Question) -> ServingBackend | None:
        """The endpoint that the connection got, from the conntrack of its node."""
        (node,) = (node for node in self.wired.nodes if node.holds(question.sender.pod.key))
        asked = (format_address(question.sender.address), question.address, question.port, question.traffic.port)
        protocol = str(question.traffic.protocol).lower()
        for line in node.switch.appctl("dpctl/dump-conntrack").splitlines():
            found = _TRACKED.search(line)
            if line.startswith(f"{protocol},") and found:
                source, destination, sport, dport, chosen, at = found.groups()
                if (source, destination, int(sport), int(dport)) == asked:
                    return ServingBackend(parse_address(chosen), int(at))
        return None

    def expected(
        self, question: Question, *, strict_nodes: bool, service_blocks: bool
    ) -> Mapping[ServingBackend, Verdict]:
        """The verdict of the oracle for each endpoint."""
        return judge_service(
            self.cluster,
            question.sender,
            parse_address(question.address),
            question.traffic,
            strict_nodes=strict_nodes,
            service_blocks=service_blocks,
        )

    def place(self, backend: ServingBackend) -> str | None:
        """Where a packet to an endpoint comes out: at a pod, at a gateway, or nowhere."""
        end = who(self.cluster, backend.address)
        if isinstance(end, PodEnd):
            return end.pod.key
        cidrs: list[Prefix] = [cidr for node in self.cluster.nodes.values() for cidr in node.pod_cidrs]
        nobodys = isinstance(end, OutsideEnd) and any(cidr.contains(host_prefix(backend.address)) for cidr in cidrs)
        return None if nobodys else "gateway"

    def close(self) -> None:
        """Remove the nodes."""
        self.wired.close()
