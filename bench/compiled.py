"""The program of node-0, compiled in this process."""

from collections.abc import Iterable
from typing import Any

from bench.inputs import NODE, Inputs
from ovsnp.compiler import compile_cluster, load, local_pods
from ovsnp.flows.program import Program
from ovsnp.manifests import load_objects
from ovsnp.model.bridge import BridgePort, BridgePorts
from ovsnp.model.cluster import Cluster, Pod
from ovsnp.model.mac import derived_mac
from ovsnp.model.options import Encap, Options
from ovsnp.pipeline.ports import FIRST_OFFLINE_OFPORT, GATEWAY_MAC, GATEWAY_OFPORT, TUNNEL_OFPORT

OPTIONS = Options("br-int", NODE, Encap.GENEVE, False)


def cluster_of(inputs: Inputs, size: str) -> Cluster:
    """The generated cluster."""
    return load([str(inputs.file(size, minimal=True))])


def cluster_of_objects(objects: Iterable[Any]) -> Cluster:
    """A cluster from API objects that are already parsed."""
    return load_objects(objects)


def pods_of(cluster: Cluster) -> tuple[Pod, ...]:
    """The pods of node-0."""
    return local_pods(cluster, NODE)


def port_numbers(cluster: Cluster) -> dict[str, int]:
    """An OpenFlow port for each pod of node-0."""
    return {pod.key: FIRST_OFFLINE_OFPORT + index for index, pod in enumerate(pods_of(cluster))}


def ports_of(cluster: Cluster, numbers: dict[str, int]) -> BridgePorts:
    """The ports of a bridge on which the pods have these numbers."""
    ports = {
        pod.key: BridgePort(numbers[pod.key], mac)
        for pod in pods_of(cluster)
        if (mac := derived_mac(pod.addresses)) is not None
    }
    return BridgePorts(TUNNEL_OFPORT, BridgePort(GATEWAY_OFPORT, GATEWAY_MAC), ports)


def program_of(cluster: Cluster, numbers: dict[str, int]) -> Program:
    """Compile for a bridge on which the pods have these ports."""
    return compile_cluster(cluster, ports_of(cluster, numbers), OPTIONS)
