"""Assembles the `Cluster` from its objects: nodes and namespaces first, then the objects that refer to them."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from ovsnp.errors import Place
from ovsnp.manifests.inventory import Inventory
from ovsnp.manifests.kinds import wire
from ovsnp.manifests.kinds.cluster_ips import ClusterIPs
from ovsnp.manifests.kinds.endpoint_slices import SliceReader
from ovsnp.manifests.kinds.endpoints import as_slices, read_endpoints
from ovsnp.manifests.kinds.labels import read_labels, read_name
from ovsnp.manifests.kinds.node_claims import usable_nodes
from ovsnp.manifests.kinds.nodes import read_node
from ovsnp.manifests.kinds.pod_addresses import Addressing, Nodes
from ovsnp.manifests.kinds.pods import PodReader, is_ending
from ovsnp.manifests.kinds.policies import read_policy
from ovsnp.manifests.kinds.read_kinds import WORKLOADS
from ovsnp.manifests.kinds.service_cidrs import read_service_cidr
from ovsnp.manifests.kinds.services import read_service
from ovsnp.manifests.kinds.syntax import label_name_fault
from ovsnp.manifests.kinds.unique import (
    LeftOut,
    PlacedEndpoints,
    PlacedNamespace,
    PlacedNode,
    PlacedServiceCIDR,
    Unique,
)
from ovsnp.manifests.kinds.workloads import Owners, Template, lasting, read_template
from ovsnp.manifests.objects import ApiObject, read_object
from ovsnp.model.address import Prefix
from ovsnp.model.cluster import METADATA_NAME, Cluster, Namespace, Pod, Workload
from ovsnp.model.policy import NetworkPolicy
from ovsnp.model.service import EndpointSlice, Service
from ovsnp.yaml_reader.report import DEFAULT_NAMESPACE, FEW, MistakeReport, Subject

PolicyJudge = Callable[[NetworkPolicy, MistakeReport], NetworkPolicy]
"""What becomes of a policy as far as it could be read; it is the subject of the report, which has its mistakes."""


def as_read(policy: NetworkPolicy, _: MistakeReport) -> NetworkPolicy:
    """The policy as it is: its mistakes are mistakes of the input."""
    return policy


def assemble(inventory: Inventory, report: MistakeReport, judge: PolicyJudge = as_read) -> Cluster:
    """Read all objects; the cluster is valid only if ``report`` has no mistake afterwards."""
    assembly = _Assembly(inventory, report)
    namespaces = assembly.namespaces()
    nodes = assembly.nodes()
    addressing = Addressing(nodes, report)
    templates = assembly.templates(namespaces)
    pods = assembly.pods(nodes, namespaces, addressing, templates)
    service_cidrs = assembly.service_cidrs(nodes)
    services, planned_services = assembly.services(namespaces, ClusterIPs(addressing, nodes, service_cidrs, report))
    slices = assembly.slices(nodes, namespaces, addressing)
    slices += assembly.endpoints(services, slices, addressing)
    policies = assembly.policies(namespaces, judge)
    assembly.note_implied()
    return Cluster(
        namespaces=dict(sorted(namespaces.items())),
        nodes=dict(sorted(nodes.usable.items())),
        pods=tuple(sorted(pods.counting, key=_order)),
        policies=tuple(sorted(policies, key=_order)),
        services=tuple(sorted(services, key=_order)),
        slices=tuple(sorted(slices, key=_order)),
        service_cidrs=tuple(sorted(service_cidrs)),
        idle=frozenset(pods.idle),
        host_pods=tuple(sorted(pods.of_hosts, key=_order)),
        ended_pods=tuple(sorted(pods.ended, key=_order)),
        planned=tuple(sorted(pods.planned, key=_order)),
        planned_services=tuple(sorted(planned_services, key=_order)),
        unused_nodes=nodes.unused,
        assumed_namespaces=frozenset(assembly.implied_namespaces),
        notes=report.notes(),
    )


def _order(item: Pod | NetworkPolicy | Service | EndpointSlice) -> tuple[str, str]:
    return item.namespace, item.name


class _Pods(NamedTuple):
    """The pods, by what the cluster does with them.

    Pods in ``counting`` have addresses of their own, ``of_hosts`` use the network of their node, ``planned`` have no
    address yet, ``ended`` have finished. ``idle`` has the key (NAMESPACE/NAME) of every Pod object that is not in
    ``counting``.
    """

    counting: list[Pod]
    of_hosts: list[Pod]
    planned: list[Pod]
    ended: list[Pod]
    idle: set[str]


class _Assembly:
    """The steps of `assemble` for one inventory."""

    def __init__(self, inventory: Inventory, report: MistakeReport) -> None:
        self._objects = inventory.objects
        self._report = report
        self.implied_namespaces: dict[str, tuple[Place, Subject | None]] = {}

    def namespaces(self) -> dict[str, Namespace]:
        """The namespaces that have a Namespace object, by name."""
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

    def nodes(self) -> Nodes:
        """The nodes, after conflicts between them are decided."""
        found: dict[str, PlacedNode] = {}
        unique: Unique[PlacedNode] = Unique(self._report)
        for item in self._drain("Node"):
            node = read_node(read_object("Node", item, self._report), self._report)
            placed = PlacedNode(node, item.place)
            if unique.add("", node.name, placed):
                found[node.name] = placed
        usable = usable_nodes(found, self._report)
        return Nodes(usable, frozenset(found.keys() - usable.keys()))

    def templates(self, namespaces: dict[str, Namespace]) -> list[Template]:
        """The pod templates of all workloads, by kind and then in input order; adds the implied namespaces."""
        found: list[Template] = []
        for kind in WORKLOADS:
            for item in self._drain(kind):
                written: wire.ApiWorkload | wire.ApiCronJob = read_object(kind, item, self._report)
                if written.pod_template is None:
                    continue
                namespace = self._namespace_of(written.metadata, namespaces)
                name = read_name(written.metadata, self._report)
                found.append(read_template(Workload(kind, namespace, name), written, item.place))
        return found

    def pods(
        self, nodes: Nodes, namespaces: dict[str, Namespace], addressing: Addressing, templates: list[Template]
    ) -> _Pods:
        """All pods, and one for each workload that has no pods yet; adds the implied namespaces."""
        found, of_hosts, planned = list[Pod](), list[Pod](), list[Pod]()
        keys: set[str] = set()
        with_pods: set[Workload] = set()
        unique: Unique[Pod | LeftOut] = Unique(self._report)
        owners = Owners(templates)
        reader = PodReader(nodes, self._report)
        for item in self._drain("Pod"):
            written: wire.ApiPod = read_object("Pod", item, self._report)
            namespace = self._namespace_of(written.metadata, namespaces)
            name = read_name(written.metadata, self._report)
            owner = owners.of(written.metadata, namespace)
            pod = reader.read(written, namespace, name, item.place, owner)
            of_host = bool(written.spec and written.spec.host_network)
            if not unique.add(namespace, name, LeftOut(item.place) if pod is None or of_host else pod):
                continue
            keys.add(f"{namespace}/{name}")
            if owner:
                with_pods.add(owner)
            if pod is None:
                continue
            if of_host:
                of_hosts.append(pod)
            elif not pod.addresses:
                planned.append(pod)
            elif admitted := addressing.admit(pod, written.status or wire.ApiPodStatus(), ending=is_ending(written)):
                found.append(admitted)
        settled = addressing.settle(found)
        names = {*keys}
        for workload, template in lasting(templates, owners, with_pods, self._report):
            self._report.begin(template.place, Subject(workload.kind, workload.namespace, workload.name))
            pod = reader.read_template(template, workload, _free_name(workload, names))
            names.add(pod.key)
            (of_hosts if template.pod.spec and template.pod.spec.host_network else planned).append(pod)
        return _Pods(settled, of_hosts, planned, [*reader.ended.values()], keys - {pod.key for pod in settled})

    def service_cidrs(self, nodes: Nodes) -> set[Prefix]:
        """The blocks of all ServiceCIDRs; they may overlap or repeat."""
        found: set[Prefix] = set()
        unique: Unique[PlacedServiceCIDR] = Unique(self._report)
        for item in self._drain("ServiceCIDR"):
            written: wire.ApiServiceCIDR = read_object("ServiceCIDR", item, self._report)
            name = read_name(written.metadata, self._report)
            cidrs = read_service_cidr(written.spec or wire.ApiServiceCIDRSpec(), nodes.usable, self._report)
            unique.add("", name, PlacedServiceCIDR(cidrs, item.place))
            found.update(cidrs)
        return found

    def services(
        self, namespaces: dict[str, Namespace], cluster_ips: ClusterIPs
    ) -> tuple[list[Service], list[Service]]:
        """The Services that have cluster IPs, and those that have none yet; adds the implied namespaces."""
        found, planned = list[Service](), list[Service]()
        unique: Unique[Service | LeftOut] = Unique(self._report)
        for item in self._drain("Service"):
            written: wire.ApiService = read_object("Service", item, self._report)
            spec = written.spec or wire.ApiServiceSpec()
            namespace = self._namespace_of(written.metadata, namespaces)
            # A DNS label, without the older rule that it begins with a letter, which newer API servers have dropped.
            name = read_name(written.metadata, self._report, label_name_fault)
            service = read_service(spec, namespace, name, item.place, self._report)
            if not unique.add(namespace, name, service or LeftOut(item.place)) or service is None:
                continue
            if service.cluster_ips:
                found.append(service)
                cluster_ips.add(service, spec)
            else:
                planned.append(service)
        return cluster_ips.settle(found), planned

    def slices(self, nodes: Nodes, namespaces: dict[str, Namespace], addressing: Addressing) -> list[EndpointSlice]:
        """The EndpointSlices of Services, in input order; adds the implied namespaces."""
        found: list[EndpointSlice] = []
        unique: Unique[EndpointSlice | LeftOut] = Unique(self._report)
        reader = SliceReader(nodes.usable, self._report)
        for item in self._drain("EndpointSlice"):
            written: wire.ApiEndpointSlice = read_object("EndpointSlice", item, self._report)
            namespace = self._namespace_of(written.metadata, namespaces)
            name = read_name(written.metadata, self._report)
            read = reader.read(written, namespace, name, item.place)
            if unique.add(namespace, name, read.content if read else LeftOut(item.place)) and read:
                found.append(read.settled(addressing))
        return found

    def endpoints(
        self, services: Iterable[Service], slices: Iterable[EndpointSlice], addressing: Addressing
    ) -> list[EndpointSlice]:
        """The Endpoints of Services that have neither EndpointSlices nor a selector, as EndpointSlices."""
        wanted = {(service.namespace, service.name) for service in services if service.selector is None}
        wanted -= {(each.namespace, each.service) for each in slices}
        found: list[EndpointSlice] = []
        unique: Unique[PlacedEndpoints] = Unique(self._report)
        for item in self._drain("Endpoints"):
            written: wire.ApiEndpoints = read_object("Endpoints", item, self._report)
            metadata = written.metadata or wire.ApiMetadata()
            namespace, name = metadata.namespace or DEFAULT_NAMESPACE, metadata.name or ""
            if (namespace, name) not in wanted:
                continue
            subsets = read_endpoints(written, namespace, addressing, self._report)
            if unique.add(namespace, name, PlacedEndpoints(subsets, item.place)):
                found += as_slices(subsets, namespace, name, item.place)
        return found

    def policies(self, namespaces: dict[str, Namespace], judge: PolicyJudge) -> list[NetworkPolicy]:
        """The policies in input order; adds the implied namespaces."""
        found: list[NetworkPolicy] = []
        unique: Unique[NetworkPolicy] = Unique(self._report)
        for item in self._drain("NetworkPolicy"):
            written: wire.ApiNetworkPolicy = read_object("NetworkPolicy", item, self._report)
            namespace = self._namespace_of(written.metadata, namespaces)
            name = read_name(written.metadata, self._report)
            policy = read_policy(written.spec or wire.ApiPolicySpec(), namespace, name, item.place, self._report)
            policy = judge(policy, self._report)
            if unique.add(namespace, name, policy):
                found.append(policy)
        return found

    def _drain(self, kind: str) -> Iterator[ApiObject]:
        """The objects of a kind, in input order; removes each from the inventory, as its text takes much memory."""
        objects = self._objects[kind]
        objects.reverse()
        while objects:
            yield objects.pop()

    def _namespace_of(self, metadata: wire.ApiMetadata | None, namespaces: dict[str, Namespace]) -> str:
        """The namespace of an object. If it has no Namespace object, ovsnp assumes that it exists, and adds it."""
        name = (metadata and metadata.namespace) or DEFAULT_NAMESPACE
        if namespace := namespaces.get(name):
            return namespace.name
        path = ("metadata", "namespace")
        if fault := label_name_fault(name):
            self._report.add(path, fault)
            return name
        namespaces[name] = _namespace(name, {})
        if name != DEFAULT_NAMESPACE and not name.startswith("kube-"):
            self.implied_namespaces[name] = self._report.about
        return name

    def note_implied(self) -> None:
        """Note each namespace that is only implied, at its first object; one note for all if they are many."""
        names = sorted(self.implied_namespaces)
        groups = [[name] for name in names] if len(names) <= FEW else [names]
        for group in groups:
            self._report.begin(*min((self.implied_namespaces[name] for name in group), key=lambda about: about[0]))
            self._report.note(("metadata", "namespace"), _implied(group))


def _implied(names: Sequence[str]) -> str:
    """The note about namespaces that have no Namespace object."""
    if len(names) == 1:
        what, assumed = f"the input has no Namespace {names[0]}", "it exists"
    else:
        what, assumed = f"the input has no Namespace for {len(names)} namespaces ({', '.join(names)})", "they exist"
    return f"{what}; ovsnp assumes that {assumed}, with the label {METADATA_NAME} only"


def _free_name(workload: Workload, taken: set[str]) -> str:
    """The name for the pod of a workload: the workload's name, with its kind at the end if a pod has that name."""
    names = (workload.name, f"{workload.name}.{workload.kind.lower()}")
    return next((name for name in names if f"{workload.namespace}/{name}" not in taken), names[-1])


def _namespace(name: str, labels: Mapping[str, str]) -> Namespace:
    """A namespace as the API server stores it: its name is a label too."""
    return Namespace(name, {**labels, METADATA_NAME: name})
