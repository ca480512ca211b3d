"""Pods: which of them count, and what policies see of these."""

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache

from ovsnp.errors import Place
from ovsnp.manifests.kinds import wire
from ovsnp.manifests.kinds.blocks import path_of, read_address
from ovsnp.manifests.kinds.labels import read_labels
from ovsnp.manifests.kinds.policies import PROTOCOLS, read_protocol
from ovsnp.manifests.kinds.syntax import port_name_fault, port_number_fault
from ovsnp.manifests.paths import Path
from ovsnp.manifests.report import Report
from ovsnp.manifests.structure import quote
from ovsnp.model.address import Address, Prefix, family, format_address
from ovsnp.model.cluster import Node, Pod
from ovsnp.model.ports import ContainerPort, Protocol

_FINISHED = frozenset({"Succeeded", "Failed"})
_IPS: Path = ("status", "podIPs")
_NODE: Path = ("spec", "nodeName")


class PodReader:
    """Reads pods one by one; equal ports are shared, as thousands of pods have the same.

    Without ``nodes`` every pod is on the one node there is, whatever it says.
    """

    def __init__(self, nodes: Mapping[str, Node], report: Report) -> None:
        self._nodes = nodes
        self._report = report
        self._shared: dict[tuple[ContainerPort, ...], tuple[ContainerPort, ...]] = {(): ()}

    def read(self, pod: wire.Pod, namespace: str, name: str, place: Place) -> Pod | None:
        """The pod as far as it can be read, everything that cannot reported; None if it does not count."""
        labels = read_labels(pod.metadata.labels if pod.metadata else None, ("metadata", "labels"), self._report)
        spec, status = pod.spec or wire.PodSpec(), pod.status or wire.PodStatus()
        if status.phase in _FINISHED or spec.host_network:
            return None
        addresses = self._addresses(status)
        if not addresses:
            return None
        ports = tuple(_named_ports(spec, self._report))
        ports = self._shared.setdefault(ports, ports)
        uid = (pod.metadata and pod.metadata.uid) or None
        return Pod(namespace, name, labels, self._node_of(spec), addresses, ports, place, uid)

    def _node_of(self, spec: wire.PodSpec) -> str | None:
        node = self._nodes.get(spec.node_name or "")
        if node is not None:
            return node.name
        return spec.node_name or None if self._nodes else None

    def _addresses(self, status: wire.PodStatus) -> tuple[Address, ...]:
        found: tuple[Address, ...] = ()
        for path, text in address_texts(status):
            address = read_address(text, path, self._report)
            if address is None:
                continue
            if any(len(address) == len(other) for other in found):
                message = f"{format_address(address)} is the pod's second IPv{family(address)} address"
                self._report.add(path, f"{message}; a pod has one of each family")
            found = (*found, address)
        return found


def address_texts(status: wire.PodStatus) -> list[tuple[Path, str]]:
    """A pod's addresses as they are written, each with its path."""
    if status.pod_ips:
        return [((*_IPS, index, "ip"), entry.ip) for index, entry in enumerate(status.pod_ips) if entry and entry.ip]
    return [(("status", "podIP"), status.pod_ip)] if status.pod_ip else []


def _named_ports(spec: wire.PodSpec, report: Report) -> Iterator[ContainerPort]:
    """The named ports of all containers; init containers that go on beside the others count, too."""
    for field, containers in (("containers", spec.containers), ("initContainers", spec.init_containers)):
        for index, container in enumerate(containers or ()):
            if not container or not container.ports:
                continue
            if field == "containers" or container.restart_policy == "Always":
                yield from _ports_of(container.ports, ("spec", field, index, "ports"), report)


def _ports_of(ports: Sequence[wire.ContainerPort | None], path: Path, report: Report) -> Iterator[ContainerPort]:
    for index, port in enumerate(ports):
        if not port or not port.name:
            continue
        number = port.container_port or 0
        if sound := _sound_port(port.name, port.protocol, number):
            yield sound
            continue
        report.add((*path, index, "name"), port_name_fault(port.name))
        report.add((*path, index, "containerPort"), port_number_fault(number))
        read_protocol(port.protocol, (*path, index, "protocol"), report)


@lru_cache(maxsize=10_000)
def _sound_port(name: str, protocol: str | None, number: int) -> ContainerPort | None:
    """A port if nothing is wrong with it: most containers have the same few."""
    if port_name_fault(name) or port_number_fault(number) or (protocol is not None and protocol not in PROTOCOLS):
        return None
    return ContainerPort(name, PROTOCOLS[protocol or Protocol.TCP], number)


class Addressing:
    """Who has which address, and whether the tunnels would find the pod there.

    ``nodes`` may be empty: then every pod is on the one node there is. ``complete`` says that no file is missing
    in which an unknown node could be.
    """

    def __init__(self, nodes: Mapping[str, Node], complete: bool, report: Report) -> None:
        self._nodes = nodes
        self._complete = complete
        self._report = report
        self._ranges = {name: [_range(cidr) for cidr in node.pod_cidrs] for name, node in nodes.items()}
        self._owners: dict[Address, Node | Pod] = {
            address: node for node in nodes.values() for address in (*node.addresses, *node.gateways)
        }

    def add(self, pod: Pod, status: wire.PodStatus) -> None:
        """Check a pod against the nodes and the pods before it."""
        for address in pod.addresses:
            owner = self._owners.setdefault(address, pod)
            if owner is not pod:
                message = f"{format_address(address)} is the address of {_holder(owner)} too; give each its own"
                self._report.add(path_of(address, address_texts(status)), message)
        if self._nodes:
            self._check_node(pod, status)

    def holder(self, address: Address) -> str | None:
        """Which node or pod has an address, in words; None where none has."""
        owner = self._owners.get(address)
        return _holder(owner) if owner else None

    def _check_node(self, pod: Pod, status: wire.PodStatus) -> None:
        if pod.node is None:
            self._report.add(_NODE, "missing; there are nodes, so say which of them the pod is on")
        elif pod.node not in self._nodes:
            if self._complete:
                self._report.add(_NODE, f"there is no node {quote(pod.node)}; add its Node object, or correct the name")
        elif ranges := self._ranges[pod.node]:
            for address in pod.addresses:
                if not any(low <= address <= high and len(low) == len(address) for low, high in ranges):
                    path = path_of(address, address_texts(status))
                    self._report.add(path, self._stray(address, pod.node))

    def _stray(self, address: Address, name: str) -> str:
        """What becomes of an address that is not in its node's pod CIDRs."""
        text, own = format_address(address), ", ".join(map(str, self._nodes[name].pod_cidrs))
        for other, ranges in self._ranges.items():
            if any(low <= address <= high and len(low) == len(address) for low, high in ranges):
                return f"{text} is in a pod CIDR of node {other}, not in {own} of node {name}; correct one of them"
        return f"{text} is not in a pod CIDR ({own}) of node {name}; correct one of them"


def _holder(owner: Node | Pod) -> str:
    return f"pod {owner.key}" if isinstance(owner, Pod) else f"node {owner.name}"


def _range(cidr: Prefix) -> tuple[Address, Address]:
    """The first and the last address; they compare as bytes."""
    last = cidr.value | ((1 << (cidr.width - cidr.length)) - 1)
    return cidr.first, Address(last.to_bytes(cidr.width // 8, "big"))
