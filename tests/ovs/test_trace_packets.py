"""``ovsnp trace`` and real packets on random clusters: both give a connection the same endpoint and outcome."""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from random import Random

import pytest

from ovsnp.analysis.naming.ends import ClusterIPEnd
from ovsnp.analysis.naming.questions import Connection, Question
from ovsnp.analysis.trace.agreement import Traced
from ovsnp.analysis.trace.nodes import NodeSwitch, TracedNode, read_nodes
from ovsnp.analysis.trace.packet_path import Fate
from ovsnp.analysis.trace.tracing import TraceTerms, trace
from ovsnp.model.address import family, format_address, parse_address
from ovsnp.model.options import Encap, Options
from ovsnp.model.ports import Protocol
from ovsnp.oracle import PodEnd, Traffic, who
from ovsnp.oracle.terms import Terms
from tests.ovs.frames import End, Flag, Packet
from tests.ovs.random_scene import Question as PacketQuestion
from tests.ovs.random_scene import RandomScene
from tests.ovs.test_random_services import wired_objects
from tests.support.instance import DummySwitch

CLUSTERS = int(os.environ.get("OVSNP_TRACED_CLUSTERS", "0"))
SEEDS = range(CLUSTERS) if CLUSTERS else (0, 11, 21, 29)
"""Seeds of clusters that include masqueraded connections to the other node, and cluster IPs that blocks admit."""
PORTS = {Protocol.TCP: (80, 8080), Protocol.UDP: (53,)}
SENDER_PORT = 31000
CHOICES = 256
"""The most hash values that Open vSwitch distinguishes."""


class TracedScene:
    """A random cluster on wired nodes, for real packets and for traces."""

    def __init__(self, switches: tuple[DummySwitch, DummySwitch], seed: int, manifests: Path) -> None:
        self.scene = RandomScene(switches, wired_objects(Random(seed)), manifests)
        self.options = Options(
            encap=tuple(Encap)[seed // 2 % 2],
            strict_nodes=seed % 3 == 0,
            masquerade=seed % 2 == 1,
            service_blocks=seed % 5 < 2,
        )
        words = ["--strict-nodes"] * self.options.strict_nodes + ["--service-blocks"] * self.options.service_blocks
        self.scene.wired.apply("--encap", self.options.encap, *words, *["--masquerade"] * self.options.masquerade)

    def nodes(self) -> dict[str | None, TracedNode]:
        """The bridges, as `trace` sees them."""
        switches = [NodeSwitch(node.switch.location, node.name) for node in self.scene.wired.nodes]
        return read_nodes(self.scene.cluster, switches, self.options)

    def traced(self, nodes: dict[str | None, TracedNode], connection: Connection, port: int) -> Traced:
        """The trace of a connection, which must agree with the policies."""
        terms = Terms(self.options.strict_nodes, self.options.service_blocks)
        question = Question("source", "destination", (connection,))
        (found,) = trace(self.scene.cluster, nodes, question, TraceTerms(terms, port))
        assert found.agrees, (found.against, [stretch.text for stretch in found.way.stretches])
        assert all(step.ours for steps in found.steps for step in steps)
        return found

    def direct(self) -> Iterator[Connection]:
        """Connections from every pod to every other pod by TCP and UDP."""
        for source in self.scene.cluster.pods:
            for destination in self.scene.cluster.pods:
                for one, other in ((a, b) for a in source.addresses for b in destination.addresses):
                    if source is not destination and family(one) == family(other):
                        for protocol, numbers in PORTS.items():
                            traffics = (Traffic(protocol, number) for number in numbers)
                            yield from (
                                Connection(PodEnd(source, one), PodEnd(destination, other), traffic)
                                for traffic in traffics
                            )


@pytest.mark.parametrize("seed", SEEDS)
def test_trace_and_packets_part_nowhere(
    dummy_switch: DummySwitch, other_switch: DummySwitch, tmp_path: Path, seed: int
) -> None:
    there = TracedScene((dummy_switch, other_switch), seed, tmp_path)
    try:
        nodes = there.nodes()
        for question in there.scene.questions():
            to = ClusterIPEnd(parse_address(question.address), None)
            arrived, chosen = there.scene.ask(question), there.scene.chosen(question)
            backend = chosen and (who(there.scene.cluster, chosen.address), chosen.port)
            connection = Connection(question.sender, to, question.traffic)
            ways = (there.traced(nodes, connection, port).way for port in source_ports(question))
            way = next((way for way in ways if way.backend == backend), None)
            assert way is not None, question
            place = there.scene.place(chosen) if chosen and way.fate is Fate.DELIVERED else None
            assert [each.at for each in arrived] == [place] * (place is not None), question
            assert bool(arrived) is (way.fate is Fate.DELIVERED), question
        for connection in there.direct():
            way = there.traced(nodes, connection, SENDER_PORT).way
            arrived = there.scene.wired.send(connection.source.pod.key, first_of(connection))
            assert [each.at for each in arrived] == [connection.destination.pod.key] * (way.fate is Fate.DELIVERED)
    finally:
        there.scene.close()


def source_ports(question: PacketQuestion) -> Iterable[int]:
    """The ports to trace from until the endpoint is the one that the packet got.

    The datapath chooses by its own hash, except for UDP; a trace has one hash for each source port.
    """
    udp = question.traffic.protocol is Protocol.UDP
    return [question.port] if udp else range(question.port, question.port + CHOICES)


def first_of(connection: Connection) -> Packet:
    """The first packet of a connection."""
    protocol, port = connection.traffic.protocol, connection.traffic.port
    assert protocol is not None
    assert port is not None
    ends = (format_address(end.address) for end in (connection.source, connection.destination))
    flags = Flag.SYN if protocol is Protocol.TCP else Flag.NONE
    return Packet(protocol, *map(End, ends, (SENDER_PORT, port)), flags)
