"""The Services and ServiceCIDRs of a live cluster: which Service has which cluster IP after each change."""

from collections.abc import Iterable

from ovsnp.manifests.kinds import wire
from ovsnp.manifests.kinds.cluster_ips import ClusterIPs
from ovsnp.manifests.kinds.pod_addresses import Addressing, Nodes
from ovsnp.manifests.kinds.service_cidrs import read_service_cidr
from ovsnp.manifests.kinds.services import read_service
from ovsnp.manifests.live.current_objects import CurrentObjects, Name
from ovsnp.manifests.live.findings import LIVE, Findings
from ovsnp.model.address import Address, Prefix, format_address
from ovsnp.model.service import Service
from ovsnp.yaml_reader.report import MistakeReport, Subject


class LiveServices:
    """The Services with valid cluster IPs, and the blocks of the ServiceCIDRs."""

    def __init__(self, addressing: Addressing, report: MistakeReport, findings: Findings) -> None:
        self.services: CurrentObjects[Name, Service] = CurrentObjects()
        self.cidrs: CurrentObjects[Prefix, Prefix] = CurrentObjects()
        self._report = report
        self._findings = findings
        self._nodes = Nodes({}, frozenset())
        self._addressing = addressing
        self._read: dict[Name, Service] = {}
        self._written_cidrs: dict[str, wire.ApiServiceCIDRSpec] = {}
        self._claims = ClusterIPs(addressing, self._nodes, (), report)

    def use_nodes(self, nodes: Nodes, addressing: Addressing) -> list[Name]:
        """Take the nodes, and who has which address; returns the names of the Services that must be settled again."""
        self._nodes, self._addressing = nodes, addressing
        return self.take_cidrs({})

    def take_cidrs(self, changed: dict[Name, wire.ApiServiceCIDR | None]) -> list[Name]:
        """Read ServiceCIDRs (None: gone); returns the names of the Services that must be settled again."""
        for (_, name), written in changed.items():
            if written is None:
                self._written_cidrs.pop(name, None)
                self._findings.take(("ServiceCIDR", name))
            else:
                self._written_cidrs[name] = written.spec or wire.ApiServiceCIDRSpec()
        blocks: set[Prefix] = set()
        for name, spec in self._written_cidrs.items():
            self._report.begin(LIVE, Subject("ServiceCIDR", None, name))
            found = read_service_cidr(spec, self._nodes.usable, self._report)
            if not self._findings.take(("ServiceCIDR", name)):
                blocks.update(found)
        for block in {*self.cidrs.now} | blocks:
            self.cidrs.put(block, block if block in blocks else None)
        self._claims = ClusterIPs(self._addressing, self._nodes, blocks, self._report)
        for service in self._read.values():
            self._claim(service)
        return [*self._read]

    def take(self, name: Name, written: wire.ApiService | None) -> list[Name]:
        """Read a Service (None: it is gone); returns the names of the Services that must be settled again."""
        last = self._read.pop(name, None)
        changed = {name}
        if last:
            changed |= self.claiming(last.cluster_ips)
            self._claims.withdraw(last)
        service = read_service(written.spec or wire.ApiServiceSpec(), *name, LIVE, self._report) if written else None
        if self._findings.take(("Service", *name)) or not service or not service.cluster_ips:
            return [*changed]
        self._read[name] = service
        self._claim(service)
        return [*changed, *self.claiming(service.cluster_ips)]

    def claiming(self, addresses: Iterable[Address]) -> set[Name]:
        """The Services that claim one of these addresses."""
        return {(service.namespace, service.name) for service in self._claims.claimants(addresses)}

    def settle(self, names: Iterable[Name]) -> None:
        """Decide again which cluster IPs these Services have."""
        for name in names:
            service = self._read.get(name)
            self.services.put(name, self._claims.settled(service) if service else None)
            self._findings.take(("cluster IPs", *name))

    def _claim(self, service: Service) -> None:
        texts: list[str | None] = [format_address(address) for address in service.cluster_ips]
        self._claims.add(service, wire.ApiServiceSpec(cluster_ips=texts))
