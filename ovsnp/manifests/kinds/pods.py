"""Pods: which Pod objects count, and the fields that policies see."""

from collections.abc import Iterator, Sequence
from functools import lru_cache

from ovsnp.errors import Place
from ovsnp.manifests.kinds import wire
from ovsnp.manifests.kinds.blocks import note_address
from ovsnp.manifests.kinds.labels import read_labels
from ovsnp.manifests.kinds.pod_addresses import Nodes, address_texts
from ovsnp.manifests.kinds.protocols import PROTOCOLS, known_protocol
from ovsnp.manifests.kinds.syntax import port_name_fault, port_number_fault
from ovsnp.manifests.kinds.workloads import Template
from ovsnp.model.address import Address, family, format_address
from ovsnp.model.cluster import Pod, Workload
from ovsnp.model.ports import ContainerPort, Protocol
from ovsnp.yaml_reader.paths import Path
from ovsnp.yaml_reader.report import MistakeReport
from ovsnp.yaml_reader.structure import quote

_FINISHED = frozenset({"Succeeded", "Failed"})
_LIVING = frozenset({"Pending", "Running", "Unknown"})


class PodReader:
    """Reads pods one by one; shares equal ports and node names, as thousands of pods have the same.

    ``ended`` has the pods so far that have finished (Succeeded or Failed), by namespace and name.
    """

    def __init__(self, nodes: Nodes, report: MistakeReport) -> None:
        self._nodes = nodes
        self._report = report
        self._names: dict[str, str] = {name: name for name in nodes.usable}
        self.ended: dict[tuple[str, str], Pod] = {}
        self._shared: dict[tuple[ContainerPort, ...], tuple[ContainerPort, ...]] = {(): ()}

    def read(self, pod: wire.ApiPod, namespace: str, name: str, place: Place, workload: Workload | None) -> Pod | None:
        """The pod with its addresses, as far as it can be read.

        None if it has ended, if a cluster has seen it but it has no address, or if its phase is unknown. ``workload``
        is the topmost owner. A pod without a status has no address: no cluster has run it yet.
        """
        labels = read_labels(pod.metadata.labels if pod.metadata else None, ("metadata", "labels"), self._report)
        spec, status = pod.spec or wire.ApiPodSpec(), pod.status or wire.ApiPodStatus()
        if status.phase in _FINISHED:
            self.ended[namespace, name] = Pod(namespace, name, labels, None, (), (), place)
            return None
        addresses = self._host_addresses(spec, status) if spec.host_network else self._addresses(status)
        if not addresses and _is_known(status):
            return None
        if status.phase and status.phase not in _LIVING:
            what = f"{quote(status.phase)} is no phase that ovsnp knows"
            self._report.note(("status", "phase"), f"{what}; ovsnp leaves the pod out")
            return None
        ports = self._ports(spec, ("spec",))
        uid = (pod.metadata and pod.metadata.uid) or None
        node = spec.node_name and self._names.setdefault(spec.node_name, spec.node_name)
        return Pod(namespace, name, labels, node or None, addresses, ports, place, uid, workload)

    def read_template(self, template: Template, workload: Workload, name: str) -> Pod:
        """The pod that stands for all pods of a workload; ``name`` must be a name that no other pod has."""
        metadata, spec = template.pod.metadata, template.pod.spec or wire.ApiPodSpec()
        path = (*template.path, "metadata", "labels")
        labels = read_labels(metadata.labels if metadata else None, path, self._report)
        ports = self._ports(spec, (*template.path, "spec"))
        namespace = template.workload.namespace
        return Pod(namespace, name, labels, None, (), ports, template.place, None, workload, template=True)

    def _ports(self, spec: wire.ApiPodSpec, path: Path) -> tuple[ContainerPort, ...]:
        ports = tuple(_named_ports(spec, path, self._report))
        return self._shared.setdefault(ports, ports)

    def _addresses(self, status: wire.ApiPodStatus) -> tuple[Address, ...]:
        found: tuple[Address, ...] = ()
        for path, text in address_texts(status):
            address = note_address(text, path, self._report)
            if address is None:
                continue
            if any(len(address) == len(other) for other in found):
                message = f"{format_address(address)} is the pod's second IPv{family(address)} address"
                self._report.note(path, f"{message}; ovsnp takes the first only")
            else:
                found = (*found, address)
        return found

    def _host_addresses(self, spec: wire.ApiPodSpec, status: wire.ApiPodStatus) -> tuple[Address, ...]:
        """The addresses of a pod in the network of its node: the node must have them too, if nodes are known."""
        addresses = self._addresses(status)
        if not self._nodes.known:
            return addresses
        node = self._nodes.usable.get(spec.node_name or "")
        return tuple(address for address in addresses if node and address in node.addresses)


def is_ending(pod: wire.ApiPod) -> bool:
    """True if the pod is terminating."""
    return bool(pod.metadata and pod.metadata.deletion_timestamp)


def _is_known(status: wire.ApiPodStatus) -> bool:
    """True if the status shows that a cluster has seen the pod."""
    return bool(status.phase or status.pod_ip or status.pod_ips)


def _named_ports(spec: wire.ApiPodSpec, path: Path, report: MistakeReport) -> Iterator[ContainerPort]:
    """The named ports of all containers, and of init containers that keep running (``restartPolicy: Always``)."""
    for field, containers in (("containers", spec.containers), ("initContainers", spec.init_containers)):
        for index, container in enumerate(containers or ()):
            if not container or not container.ports:
                continue
            if field == "containers" or container.restart_policy == "Always":
                yield from _ports_of(container.ports, (*path, field, index, "ports"), report)


def _ports_of(
    ports: Sequence[wire.ApiContainerPort | None], path: Path, report: MistakeReport
) -> Iterator[ContainerPort]:
    for index, port in enumerate(ports):
        if not port or not port.name:
            continue
        if sound := _sound_port(port.name, port.protocol, port.container_port or 0):
            yield sound
            continue
        report.add((*path, index, "name"), port_name_fault(port.name))
        report.add((*path, index, "containerPort"), port_number_fault(port.container_port))
        known_protocol(port.protocol, (*path, index, "protocol"), report)


@lru_cache(maxsize=10_000)
def _sound_port(name: str, protocol: str | None, number: int) -> ContainerPort | None:
    """A port, or None if anything is wrong with it; cached, as most containers have the same few."""
    if port_name_fault(name) or port_number_fault(number) or (protocol is not None and protocol not in PROTOCOLS):
        return None
    return ContainerPort(name, PROTOCOLS[protocol or Protocol.TCP], number)
