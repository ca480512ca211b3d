"""Conflicts of pods with nodes and with each other: which pod has which address.

An address that does not clearly belong to one pod belongs to no pod: policies see no pod there, the bridge delivers
nothing to it, and no pod may send from it.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import msgspec

from ovsnp.manifests.kinds import wire
from ovsnp.manifests.kinds.blocks import path_of
from ovsnp.model.address import Address, Prefix, format_address
from ovsnp.model.cluster import Node, Pod
from ovsnp.yaml_reader.paths import Path
from ovsnp.yaml_reader.report import MistakeReport, Subject
from ovsnp.yaml_reader.structure import quote

_IPS: Path = ("status", "podIPs")
_NODE: Path = ("spec", "nodeName")


class Nodes(NamedTuple):
    """The nodes that can be used, and the names of those that cannot. If both are empty, the nodes are unknown."""

    usable: Mapping[str, Node]
    unused: frozenset[str]

    @property
    def known(self) -> bool:
        """True if the input has Node objects."""
        return bool(self.usable or self.unused)


def address_texts(status: wire.ApiPodStatus) -> list[tuple[Path, str]]:
    """The addresses of a pod as the object has them, each with its path."""
    if status.pod_ips:
        return [((*_IPS, index, "ip"), entry.ip) for index, entry in enumerate(status.pod_ips) if entry and entry.ip]
    return [(("status", "podIP"), status.pod_ip)] if status.pod_ip else []


def pod_of(target: wire.ApiTargetRef | None, namespace: str) -> str | None:
    """The pod that an endpoint of a namespace refers to, as NAMESPACE/NAME; None if it refers to no pod."""
    if not target or target.kind != "Pod" or not target.name:
        return None
    return f"{target.namespace or namespace}/{target.name}"


class Addressing:
    """Decides which pod has which address, and checks that the tunnels would find the pod there.

    Call `admit` for every pod, then `settle` for the pods with the addresses that are their own.
    """

    def __init__(self, nodes: Nodes, report: MistakeReport) -> None:
        self._nodes = nodes
        self._report = report
        self._ranges = {name: [_range(cidr) for cidr in node.pod_cidrs] for name, node in nodes.usable.items()}
        self._nodes_at = {
            address: node.name for node in nodes.usable.values() for address in (*node.addresses, *node.gateways)
        }
        self._pods_at: dict[Address, Pod] = {}
        self._doubled: dict[Address, list[Pod]] = {}
        self._ending: set[str] = set()
        self._lost: dict[str, set[Address]] = {}

    def admit(self, pod: Pod, status: wire.ApiPodStatus, *, ending: bool) -> Pod | None:
        """A pod with the addresses that it may have on its node; None if there are none. Notes the other addresses.

        ``status`` has the addresses as the object has them; ``ending`` is true if the pod is terminating.
        """
        if fault := self._node_fault(pod):
            self._report.note(_NODE, f"{fault}; ovsnp leaves the pod out")
            self._lose(pod, pod.addresses)
            return None
        kept = self._on_node(pod, status)
        if not kept:
            return None
        if len(kept) < len(pod.addresses):
            pod = msgspec.structs.replace(pod, addresses=kept)
        if ending:
            self._ending.add(pod.key)
        for address in kept:
            first = self._pods_at.setdefault(address, pod)
            if first is not pod:
                self._doubled.setdefault(address, [first]).append(pod)
        return pod

    def withdraw(self, pod: Pod) -> None:
        """Forget a pod that `admit` returned."""
        for address in pod.addresses:
            claimants = self._doubled.get(address, [pod])
            claimants.remove(pod)
            if claimants:
                self._pods_at[address] = claimants[0]
            else:
                del self._pods_at[address]
            if len(claimants) == 1:
                del self._doubled[address]
        self._ending.discard(pod.key)
        self._lost.pop(pod.key, None)

    def settle(self, pods: Iterable[Pod]) -> list[Pod]:
        """The pods from `admit`, without addresses of another pod or of no pod; leaves out pods that have none left."""
        doubled = {pod.key for claimants in self._doubled.values() for pod in claimants}
        if not doubled:
            return [*pods]
        settled = (self.settled(pod) if pod.key in doubled else pod for pod in pods)
        return [pod for pod in settled if pod]

    def settled(self, pod: Pod) -> Pod | None:
        """A pod from `admit`, without addresses of another pod or of no pod; None if there are none left."""
        if not any(address in self._doubled for address in pod.addresses):
            return pod
        kept = []
        for address in pod.addresses:
            claimants = self._doubled.get(address, [pod])
            holder = self._holder(claimants)
            if holder is pod:
                kept.append(address)
            else:
                self._note_doubled(address, pod, claimants, holder)
                self._lose(pod, [address])
        return msgspec.structs.replace(pod, addresses=tuple(kept)) if kept else None

    def rivals(self, pod: Pod) -> list[Pod]:
        """The other pods that claim an address of this pod."""
        return [other for address in pod.addresses for other in self._doubled.get(address, ()) if other is not pod]

    def holder(self, address: Address) -> str | None:
        """The node or pod that has an address, in words; None if there is none."""
        if node := self._nodes_at.get(address):
            return f"node {node}"
        pod = self._holder(self._doubled[address]) if address in self._doubled else self._pods_at.get(address)
        return f"pod {pod.key}" if pod else None

    def loses(self, pod: str | None) -> bool:
        """True if a pod (NAMESPACE/NAME) claims an address that it does not have."""
        return pod in self._lost

    def disowns(self, address: Address, pod: str | None) -> bool:
        """True if an endpoint refers to a pod (NAMESPACE/NAME) that claims the address but does not have it.

        An endpoint that refers to no pod is kept: a pod with a wrong address must not remove another endpoint.
        """
        return address in self._lost.get(pod or "", ())

    def _node_fault(self, pod: Pod) -> str | None:
        """The reason why the node of a pod is unknown; None if the node is usable, or the input has no nodes."""
        if not self._nodes.known or pod.node in self._nodes.usable:
            return None
        if pod.node is None:
            return "missing, and the input has Node objects"
        if pod.node in self._nodes.unused:
            return f"ovsnp leaves out node {pod.node}"
        return f"there is no node {quote(pod.node)}"

    def _on_node(self, pod: Pod, status: wire.ApiPodStatus) -> tuple[Address, ...]:
        """The addresses that lie in the pod CIDRs of the pod's node, and are not the address of a node."""
        faults = {address: self._address_fault(address, pod.node) for address in pod.addresses}
        for address, fault in faults.items():
            if fault:
                path = path_of(address, address_texts(status))
                self._report.note(path, f"{format_address(address)} {fault}; ovsnp leaves the address out")
                self._lose(pod, [address])
        return tuple(address for address, fault in faults.items() if not fault)

    def _address_fault(self, address: Address, node: str | None) -> str | None:
        if other := self._nodes_at.get(address):
            return f"is the address of node {other} too"
        if not self._nodes.known or _is_in(self._ranges[node or ""], address):
            return None
        for other, ranges in self._ranges.items():
            if _is_in(ranges, address):
                return f"is in a pod CIDR of node {other}, and the pod is on node {node}"
        own = ", ".join(map(str, self._nodes.usable[node or ""].pod_cidrs))
        return f"is not in a pod CIDR ({own}) of node {node}"

    def _holder(self, claimants: list[Pod]) -> Pod | None:
        """The pod that keeps an address: the only one that is not terminating; None if there is no such pod."""
        living = [pod for pod in claimants if pod.key not in self._ending]
        return living[0] if len(living) == 1 else None

    def _note_doubled(self, address: Address, pod: Pod, claimants: list[Pod], holder: Pod | None) -> None:
        others = " and of pod ".join(sorted(other.key for other in claimants if other is not pod))
        end = f"{holder.key}, as this pod is terminating" if holder else "no pod"
        self._report.begin(pod.place, Subject("Pod", pod.namespace, pod.name))
        self._report.note(
            _IPS, f"{format_address(address)} is the address of pod {others} too; ovsnp gives it to {end}"
        )

    def _lose(self, pod: Pod, addresses: Iterable[Address]) -> None:
        self._lost.setdefault(pod.key, set()).update(addresses)


def _range(cidr: Prefix) -> tuple[Address, Address]:
    """The first and the last address of a block; the addresses of one family compare as bytes."""
    last = cidr.value | ((1 << (cidr.width - cidr.length)) - 1)
    return cidr.first, Address(last.to_bytes(cidr.width // 8, "big"))


def _is_in(ranges: list[tuple[Address, Address]], address: Address) -> bool:
    return any(low <= address <= high and len(low) == len(address) for low, high in ranges)
