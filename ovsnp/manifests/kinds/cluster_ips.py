"""Cluster IPs: each belongs to one Service, and to no other Service, node or pod."""

from collections.abc import Collection, Iterable
from typing import NamedTuple

import msgspec

from ovsnp.manifests.kinds import wire
from ovsnp.manifests.kinds.blocks import path_of
from ovsnp.manifests.kinds.pod_addresses import Addressing, Nodes
from ovsnp.manifests.kinds.services import cluster_ip_texts
from ovsnp.model.address import Address, Prefix, family, format_address
from ovsnp.model.service import Service
from ovsnp.yaml_reader.paths import Path
from ovsnp.yaml_reader.report import MistakeReport, Subject


class _Claim(NamedTuple):
    service: Service
    path: Path


class ClusterIPs:
    """Decides which Service has which cluster IP: call `add` for every Service, then `settle` for the result.

    ``addressing`` must know all nodes and pods. If a family has no block in ``service_cidrs``, its cluster IPs are not
    checked against them.
    """

    def __init__(
        self, addressing: Addressing, nodes: Nodes, service_cidrs: Collection[Prefix], report: MistakeReport
    ) -> None:
        self._addressing = addressing
        self._report = report
        self._node_of = {cidr: node.name for node in nodes.usable.values() for cidr in node.pod_cidrs}
        self._pod_cidrs = _Blocks(self._node_of)
        self._service_cidrs = _Blocks(service_cidrs)
        self._claims: dict[Address, list[_Claim]] = {}

    def add(self, service: Service, spec: wire.ApiServiceSpec) -> None:
        """Record the cluster IPs that a Service claims."""
        texts = cluster_ip_texts(spec)
        for address in service.cluster_ips:
            self._claims.setdefault(address, []).append(_Claim(service, path_of(address, texts)))

    def withdraw(self, service: Service) -> None:
        """Forget a Service that was added."""
        for address in service.cluster_ips:
            claims = [claim for claim in self._claims.pop(address) if claim.service is not service]
            if claims:
                self._claims[address] = claims

    def claimants(self, addresses: Iterable[Address]) -> list[Service]:
        """The Services that claim one of these addresses as cluster IP."""
        return [claim.service for address in addresses for claim in self._claims.get(address, ())]

    def settle(self, services: Iterable[Service]) -> list[Service]:
        """The Services that have valid cluster IPs left, with only these; notes each invalid cluster IP."""
        return [settled for service in services if (settled := self.settled(service))]

    def settled(self, service: Service) -> Service | None:
        """A Service that was added, with its valid cluster IPs only; None if there are none. Notes the others."""
        kept = tuple(address for address in service.cluster_ips if self._is_valid(address, service))
        if len(kept) == len(service.cluster_ips):
            return service
        return msgspec.structs.replace(service, cluster_ips=kept) if kept else None

    def _is_valid(self, address: Address, service: Service) -> bool:
        claims = self._claims[address]
        claim = next(claim for claim in claims if claim.service is service)
        if fault := self._fault(address, claim, claims):
            self._note(claim, f"{format_address(address)} {fault}; ovsnp leaves the cluster IP out")
            return False
        if outside := self._outside(address):
            self._note(claim, f"{format_address(address)} {outside}; ovsnp takes the cluster IP all the same")
        return True

    def _fault(self, address: Address, claim: _Claim, claims: list[_Claim]) -> str | None:
        """The reason why an address cannot be the cluster IP of a Service; None if it can."""
        if len(claims) > 1:
            others = sorted(other.service.key for other in claims if other is not claim)
            return f"is the cluster IP of Service {' and of Service '.join(others)} too"
        if holder := self._addressing.holder(address):
            return f"is the address of {holder} too"
        if cidr := self._pod_cidrs.find(address):
            return f"is in {cidr}, where the pods of node {self._node_of[cidr]} are"
        return None

    def _outside(self, address: Address) -> str | None:
        blocks = self._service_cidrs.of_family(family(address))
        if not blocks or self._service_cidrs.find(address):
            return None
        return f"is in no ServiceCIDR ({', '.join(map(str, blocks))})"

    def _note(self, claim: _Claim, message: str) -> None:
        service = claim.service
        self._report.begin(service.place, Subject("Service", service.namespace, service.name))
        self._report.note(claim.path, message)


class _Blocks:
    """Finds the block that an address is in, by one look-up for each prefix length: many blocks have few lengths."""

    def __init__(self, blocks: Iterable[Prefix]) -> None:
        self._blocks = frozenset(blocks)
        self._lengths = sorted({(block.family, block.width, block.length) for block in self._blocks})

    def of_family(self, number: int) -> list[Prefix]:
        """The blocks of a family, sorted."""
        return sorted(block for block in self._blocks if block.family == number)

    def find(self, address: Address) -> Prefix | None:
        """The widest block that contains an address; None if no block does."""
        value = int.from_bytes(address, "big")
        for number, width, length in self._lengths:
            block = Prefix(number, value >> (width - length) << (width - length), length)
            if width == len(address) * 8 and block in self._blocks:
                return block
        return None
