"""Traced packets that do otherwise than the oracle says."""

from collections.abc import Iterable

from ovsnp.model.address import parse_address
from ovsnp.model.cluster import Cluster
from ovsnp.model.options import Options
from ovsnp.model.ports import Protocol
from ovsnp.oracle import PodEnd, Traffic, judge, who
from tests.support.clusters import Probe
from tests.support.traced import TracedCluster


def disagreements(
    traced: TracedCluster, cluster: Cluster, probes: Iterable[Probe], options: Options
) -> list[tuple[Probe, bool]]:
    """The probes for which flows and oracle disagree, each with the answer of the oracle.

    Packets of a pod to itself never reach the bridge, and no policy applies to connections without a pod.
    """
    wrong = []
    for probe in probes:
        source, destination = (who(cluster, parse_address(end)) for end in (probe.source, probe.destination))
        if source == destination or not (isinstance(source, PodEnd) or isinstance(destination, PodEnd)):
            continue
        protocol = Protocol(probe.protocol) if probe.protocol in list(Protocol) else None
        traffic = Traffic(protocol, probe.port if protocol else None)
        expected = judge(cluster, source, destination, traffic, strict_nodes=options.strict_nodes).allowed
        if traced.connects(source, destination, traffic) != expected:
            wrong.append((probe, expected))
    return wrong
