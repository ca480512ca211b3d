"""The cluster, put together of its objects: nodes and namespaces first, then what refers to them."""

from collections.abc import Iterator, Mapping

from ovsnp.manifests.inventory import Inventory
from ovsnp.manifests.kinds import wire
from ovsnp.manifests.kinds.cluster_ips import ClusterIPs
from ovsnp.manifests.kinds.endpoint_slices import SliceReader
from ovsnp.manifests.kinds.labels import read_labels, read_name
from ovsnp.manifests.kinds.nodes import check_nodes, read_node
from ovsnp.manifests.kinds.pods import Addressing, PodReader
from ovsnp.manifests.kinds.policies import read_policy
from ovsnp.manifests.kinds.service_cidrs import read_service_cidr
from ovsnp.manifests.kinds.services import read_service
from ovsnp.manifests.kinds.syntax import label_name_fault
from ovsnp.manifests.kinds.unique import LeftOut, PlacedNamespace, PlacedNode, PlacedServiceCIDR, Unique
from ovsnp.manifests.objects import ApiObject, read_object
from ovsnp.manifests.report import DEFAULT_NAMESPACE, Report
from ovsnp.manifests.structure import quote
from ovsnp.model.address import Prefix
from ovsnp.model.cluster import Cluster, Namespace, Node, Pod
from ovsnp.model.policy import NetworkPolicy
from ovsnp.model.service import EndpointSlice, Service

METADATA_NAME = "kubernetes.io/metadata.name"


def assemble(inventory: Inventory, report: Report, *, complete: bool) -> Cluster:
    """Read all objects. What is wrong with them is in ``report`` afterwards: only if nothing is, the cluster is good.

    Unless the input is ``complete``, that something is missing may be due to a file that could not be read, and is
    not reported.
    """
    assembly = _Assembly(inventory, report, complete)
    namespaces = assembly.namespaces()
    nodes = assembly.nodes()
    addressing = Addressing(nodes, complete, report)
    pods, idle = assembly.pods(nodes, namespaces, addressing)
    service_cidrs = assembly.service_cidrs(nodes)
    cluster_ips = ClusterIPs(addressing, nodes, service_cidrs if complete else (), report)
    services = assembly.services(namespaces, cluster_ips)
    slices = assembly.slices(nodes, namespaces)
    policies = assembly.policies(namespaces)
    return Cluster(
        namespaces=dict(sorted(namespaces.items())),
        nodes=dict(sorted(nodes.items())),
        pods=tuple(sorted(pods, key=_order)),
        policies=tuple(sorted(policies, key=_order)),
        services=tuple(sorted(services, key=_order)),
        slices=tuple(sorted(slices, key=_order)),
        service_cidrs=tuple(sorted(service_cidrs)),
        idle=frozenset(idle),
    )


def _order(item: Pod | NetworkPolicy | Service | EndpointSlice) -> tuple[str, str]:
    return item.namespace, item.name


class _Assembly:
    """The steps of `assemble`, over one inventory."""

    def __init__(self, inventory: Inventory, report: Report, complete: bool) -> None:
        self._objects = inventory.objects
        self._report = report
        self._complete = complete

    def namespaces(self) -> dict[str, Namespace]:
        """The namespaces by name, without those that are only implied."""
        found: dict[str, Namespace] = {}
        unique: Unique[PlacedNamespace] = Unique(self._report)
        for item in self._drain("Namespace"):
            metadata = read_object("Namespace", item, self._report).metadata
            name = read_name(metadata, self._report, label_name_fault)
            labels = read_labels(metadata.labels if metadata else None, ("metadata", "labels"), self._report)
            namespace = _namespace(name, labels)
            if unique.add("", name, PlacedNamespace(namespace, item.place)):
                found[name] = namespace
        return found

    def nodes(self) -> dict[str, Node]:
        """The nodes by name, checked against each other."""
        found: dict[str, PlacedNode] = {}
        unique: Unique[PlacedNode] = Unique(self._report)
        for item in self._drain("Node"):
            node = read_node(read_object("Node", item, self._report), self._report)
            placed = PlacedNode(node, item.place)
            if unique.add("", node.name, placed):
                found[node.name] = placed
        check_nodes(found, self._report)
        return {name: placed.node for name, placed in found.items()}

    def pods(
        self, nodes: dict[str, Node], namespaces: dict[str, Namespace], addressing: Addressing
    ) -> tuple[list[Pod], set[str]]:
        """The pods that count, in the order of the input, and the keys of the others; implied namespaces are added."""
        found: list[Pod] = []
        idle: set[str] = set()
        unique: Unique[Pod | LeftOut] = Unique(self._report)
        reader = PodReader(nodes, self._report)
        for item in self._drain("Pod"):
            written: wire.Pod = read_object("Pod", item, self._report)
            namespace = self._namespace_of(written.metadata, namespaces)
            name = read_name(written.metadata, self._report)
            pod = reader.read(written, namespace, name, item.place)
            if not unique.add(namespace, name, pod or LeftOut(item.place)):
                continue
            if pod is None:
                idle.add(f"{namespace}/{name}")
            else:
                found.append(pod)
                addressing.add(pod, written.status or wire.PodStatus())
        return found, idle

    def service_cidrs(self, nodes: dict[str, Node]) -> set[Prefix]:
        """The blocks of all ServiceCIDRs, which may overlap and repeat each other."""
        found: set[Prefix] = set()
        unique: Unique[PlacedServiceCIDR] = Unique(self._report)
        for item in self._drain("ServiceCIDR"):
            written: wire.ServiceCIDR = read_object("ServiceCIDR", item, self._report)
            name = read_name(written.metadata, self._report)
            cidrs = read_service_cidr(written.spec or wire.ServiceCIDRSpec(), nodes, self._report)
            unique.add("", name, PlacedServiceCIDR(cidrs, item.place))
            found.update(cidrs)
        return found

    def services(self, namespaces: dict[str, Namespace], cluster_ips: ClusterIPs) -> list[Service]:
        """The Services with cluster IPs, in the order of the input; namespaces that are implied are added."""
        found: list[Service] = []
        unique: Unique[Service | LeftOut] = Unique(self._report)
        for item in self._drain("Service"):
            written: wire.Service = read_object("Service", item, self._report)
            spec = written.spec or wire.ServiceSpec()
            namespace = self._namespace_of(written.metadata, namespaces)
            # A DNS label, without the older rule that it begins with a letter, which newer API servers have dropped.
            name = read_name(written.metadata, self._report, label_name_fault)
            service = read_service(spec, namespace, name, item.place, self._report)
            if unique.add(namespace, name, service or LeftOut(item.place)) and service is not None:
                found.append(service)
                cluster_ips.add(service, spec)
        return found

    def slices(self, nodes: dict[str, Node], namespaces: dict[str, Namespace]) -> list[EndpointSlice]:
        """The Services' EndpointSlices, in the order of the input; namespaces that are implied are added."""
        found: list[EndpointSlice] = []
        unique: Unique[EndpointSlice | LeftOut] = Unique(self._report)
        reader = SliceReader(nodes, self._report)
        for item in self._drain("EndpointSlice"):
            written: wire.EndpointSlice = read_object("EndpointSlice", item, self._report)
            namespace = self._namespace_of(written.metadata, namespaces)
            name = read_name(written.metadata, self._report)
            endpoint_slice = reader.read(written, namespace, name, item.place)
            if unique.add(namespace, name, endpoint_slice or LeftOut(item.place)) and endpoint_slice is not None:
                found.append(endpoint_slice)
        return found

    def policies(self, namespaces: dict[str, Namespace]) -> list[NetworkPolicy]:
        """The policies in the order of the input; namespaces that are implied are added."""
        found: list[NetworkPolicy] = []
        unique: Unique[NetworkPolicy] = Unique(self._report)
        for item in self._drain("NetworkPolicy"):
            written: wire.NetworkPolicy = read_object("NetworkPolicy", item, self._report)
            namespace = self._namespace_of(written.metadata, namespaces)
            name = read_name(written.metadata, self._report)
            policy = read_policy(written.spec or wire.PolicySpec(), namespace, name, item.place, self._report)
            if unique.add(namespace, name, policy):
                found.append(policy)
        return found

    def _drain(self, kind: str) -> Iterator[ApiObject]:
        """The objects of a kind, in the order of the input; what has been read is let go, as its text is large."""
        objects = self._objects[kind]
        objects.reverse()
        while objects:
            yield objects.pop()

    def _namespace_of(self, metadata: wire.Metadata | None, namespaces: dict[str, Namespace]) -> str:
        """The namespace that an object is in; it must be there, by its object or by its name."""
        name = (metadata and metadata.namespace) or DEFAULT_NAMESPACE
        if namespace := namespaces.get(name):
            return namespace.name
        path = ("metadata", "namespace")
        if fault := label_name_fault(name):
            self._report.add(path, fault)
        elif name == DEFAULT_NAMESPACE or name.startswith("kube-"):
            namespaces[name] = _namespace(name, {})
        elif self._complete:
            self._report.add(
                path, f"there is no namespace {quote(name)}; add its Namespace object, or correct the name"
            )
        return name


def _namespace(name: str, labels: Mapping[str, str]) -> Namespace:
    """A namespace as the API server keeps it: its name is a label too."""
    return Namespace(name, {**labels, METADATA_NAME: name})
