"""Cluster IPs: each a Service's own, and nobody else's."""

from collections.abc import Collection, Iterable, Mapping

from ovsnp.manifests.kinds import wire
from ovsnp.manifests.kinds.blocks import path_of
from ovsnp.manifests.kinds.pods import Addressing
from ovsnp.manifests.kinds.services import cluster_ip_texts
from ovsnp.manifests.report import Report
from ovsnp.model.address import Address, Prefix, family, format_address
from ovsnp.model.cluster import Node
from ovsnp.model.service import Service


class ClusterIPs:
    """Who has which cluster IP, and whether it is in the right block.

    ``addressing`` knows all nodes and pods. A family without ``service_cidrs`` is not held against any.
    """

    def __init__(
        self, addressing: Addressing, nodes: Mapping[str, Node], service_cidrs: Collection[Prefix], report: Report
    ) -> None:
        self._addressing = addressing
        self._report = report
        self._node_of = {cidr: node.name for node in nodes.values() for cidr in node.pod_cidrs}
        self._pod_cidrs = _Blocks(self._node_of)
        self._service_cidrs = _Blocks(service_cidrs)
        self._services: dict[Address, Service] = {}

    def add(self, service: Service, spec: wire.ServiceSpec) -> None:
        """Check a Service against the pods, the nodes, and the Services before it."""
        for address in service.cluster_ips:
            if message := self._fault(address, service):
                self._report.add(path_of(address, cluster_ip_texts(spec)), message)

    def _fault(self, address: Address, service: Service) -> str | None:
        other = self._services.setdefault(address, service)
        holder = f"Service {other.key}" if other is not service else self._addressing.holder(address)
        if holder:
            return f"{format_address(address)} is the address of {holder} too; give each its own"
        if cidr := self._pod_cidrs.find(address):
            where = f"{format_address(address)} is in {cidr}, where the pods of node {self._node_of[cidr]} are"
            return f"{where}; give the Service an address that is no pod's"
        if self._service_cidrs.find(address):
            return None
        if blocks := ", ".join(map(str, self._service_cidrs.of_family(family(address)))):
            return f"{format_address(address)} is in no ServiceCIDR ({blocks}); correct it, or add its ServiceCIDR"
        return None


class _Blocks:
    """Which of many blocks an address is in, found without a look at each: they have few different lengths."""

    def __init__(self, blocks: Iterable[Prefix]) -> None:
        self._blocks = frozenset(blocks)
        self._lengths = sorted({(block.family, block.width, block.length) for block in self._blocks})

    def of_family(self, number: int) -> list[Prefix]:
        """The blocks of a family, sorted."""
        return sorted(block for block in self._blocks if block.family == number)

    def find(self, address: Address) -> Prefix | None:
        """The widest block that an address is in."""
        value = int.from_bytes(address, "big")
        for number, width, length in self._lengths:
            block = Prefix(number, value >> (width - length) << (width - length), length)
            if width == len(address) * 8 and block in self._blocks:
                return block
        return None
