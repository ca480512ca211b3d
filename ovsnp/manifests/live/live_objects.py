"""The objects of a live cluster, read as they come, and the changes of the model that follow."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any, Protocol

import msgspec

from ovsnp.gc_pause import gc_paused
from ovsnp.manifests.kinds import wire
from ovsnp.manifests.kinds.endpoint_slices import SliceReader, WrittenSlice
from ovsnp.manifests.kinds.labels import read_labels
from ovsnp.manifests.kinds.node_claims import usable_nodes
from ovsnp.manifests.kinds.nodes import read_node
from ovsnp.manifests.kinds.pod_addresses import Nodes
from ovsnp.manifests.kinds.policies import read_policy
from ovsnp.manifests.kinds.unique import PlacedNode
from ovsnp.manifests.live.closed_policy import EFFECT, Misunderstood, closed_policy, misunderstood
from ovsnp.manifests.live.current_objects import CurrentObjects, Name
from ovsnp.manifests.live.findings import LIVE, Findings
from ovsnp.manifests.live.live_pods import LivePods
from ovsnp.manifests.live.live_services import LiveServices
from ovsnp.manifests.objects import ApiObject, read_object
from ovsnp.model.changes import Changes, Objects
from ovsnp.model.cluster import METADATA_NAME, Namespace, Node
from ovsnp.model.note import Note
from ovsnp.model.policy import NetworkPolicy
from ovsnp.model.service import EndpointSlice
from ovsnp.yaml_reader.report import MistakeReport

KINDS = ("Node", "Namespace", "Pod", "ServiceCIDR", "Service", "EndpointSlice", "NetworkPolicy")
"""The kinds that flows depend on, in the order in which the changes of an update are read."""


class ObjectUpdate(Protocol):
    """An object that came or changed, as the API server sent it (``body``), or an object that is gone (None)."""

    @property
    def kind(self) -> str: ...
    @property
    def namespace(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def body(self) -> msgspec.Raw | None: ...


class LiveObjects:
    """All objects of a live cluster that flows depend on.

    After any changes, the model has the objects that `ovsnp.manifests.load_objects` reads from the current objects, but
    for two things. A pod whose Namespace is not known yet is left out. A mistake raises no error: an object with a
    mistake is left out, and a policy with a mistake isolates its pods and allows nothing: ``closed`` has the mistakes
    of these policies.
    """

    def __init__(self) -> None:
        self.closed: dict[Name, Misunderstood] = {}
        self._report = MistakeReport()
        self._findings = Findings(self._report)
        self._namespaces: CurrentObjects[str, Namespace] = CurrentObjects()
        self._nodes: CurrentObjects[str, Node] = CurrentObjects()
        self._claims_of_nodes: dict[str, PlacedNode] = {}
        self._usable = Nodes({}, frozenset())
        self._pods = LivePods(self._namespaces.now, self._report, self._findings)
        self._services = LiveServices(self._pods.addressing, self._report, self._findings)
        self._read_slices: dict[str, dict[str, WrittenSlice]] = defaultdict(dict)
        self._slices: CurrentObjects[Name, EndpointSlice] = CurrentObjects()
        self._policies: CurrentObjects[Name, NetworkPolicy] = CurrentObjects()

    @property
    def notes(self) -> tuple[Note, ...]:
        """The notes about all current objects: which parts are left out, and why."""
        return self._findings.all()

    @gc_paused()
    def update(self, objects: Iterable[ObjectUpdate]) -> Changes:
        """Take objects that came, changed or went, in order; returns what changes in the model."""
        bodies: dict[str, dict[Name, msgspec.Raw | None]] = {kind: {} for kind in KINDS}
        for item in objects:
            bodies[item.kind][item.namespace, item.name] = item.body
        pods, services, slices = set[Name](), set[Name](), set[Name]()
        if bodies["Node"] and self._take_nodes(self._written("Node", bodies)):
            pods.update(self._pods.use_nodes(self._usable))
            services.update(self._services.use_nodes(self._usable, self._pods.addressing))
            slices.update(self._all_slices())
        pods.update(self._take_namespaces(self._written("Namespace", bodies)))
        for name, pod in self._written("Pod", bodies):
            self._pods.take(name, pod)
            pods.add(name)
        self._pods.settle(pods)
        if bodies["ServiceCIDR"]:
            services.update(self._services.take_cidrs(dict(self._written("ServiceCIDR", bodies))))
        for name, service in self._written("Service", bodies):
            services.update(self._services.take(name, service))
        self._services.settle(services | self._services.claiming(self._pods.touched))
        slices.update(self._take_slices(self._written("EndpointSlice", bodies)))
        self._settle_slices(slices | self._disputed_slices())
        for name, policy in self._written("NetworkPolicy", bodies):
            self._take_policy(name, policy, bodies["NetworkPolicy"][name])
        self._pods.touched.clear()
        self._pods.disputed.clear()
        return self._changes()

    def _changes(self) -> Changes:
        current: dict[str, CurrentObjects[Any, Any]] = {
            "namespaces": self._namespaces,
            "nodes": self._nodes,
            "pods": self._pods.pods,
            "host_pods": self._pods.host_pods,
            "policies": self._policies,
            "services": self._services.services,
            "slices": self._slices,
            "service_cidrs": self._services.cidrs,
        }
        taken = {field: items.take() for field, items in current.items()}
        came, went = ({field: pair[side] for field, pair in taken.items()} for side in (0, 1))
        return Changes(Objects(**came), Objects(**went))

    def _written(self, kind: str, bodies: dict[str, dict[Name, msgspec.Raw | None]]) -> Iterator[tuple[Name, Any]]:
        """The objects of one kind as types of `wire`; None for an object that is gone."""
        for name, body in bodies[kind].items():
            yield name, body and read_object(kind, ApiObject(LIVE, body), self._report)

    def _take_nodes(self, written: Iterator[tuple[Name, wire.ApiNode | None]]) -> bool:
        """Take Nodes; returns True if other nodes are usable than before."""
        before = dict(self._claims_of_nodes)
        for (_, name), node in written:
            read = read_node(node, self._report) if node else None
            if self._findings.take(("Node", name)) or read is None:
                self._claims_of_nodes.pop(name, None)
            else:
                self._claims_of_nodes[name] = PlacedNode(read, LIVE)
        if before == self._claims_of_nodes:
            return False
        usable = usable_nodes(self._claims_of_nodes, self._report)
        self._findings.take("claims of nodes")
        nodes = Nodes(usable, frozenset(self._claims_of_nodes.keys() - usable.keys()))
        if nodes == self._usable:
            return False
        self._usable = nodes
        for name in self._nodes.now.keys() | usable.keys():
            self._nodes.put(name, usable.get(name))
        return True

    def _take_namespaces(self, written: Iterator[tuple[Name, wire.ApiNamespace | None]]) -> Iterator[Name]:
        """Take Namespaces; yields the names of pods whose Namespace was unknown, or is unknown now."""
        for (_, name), item in written:
            metadata = item.metadata if item else None
            labels = read_labels(metadata.labels if metadata else None, ("metadata", "labels"), self._report)
            known = not self._findings.take(("Namespace", name)) and item is not None
            was_known = name in self._namespaces.now
            self._namespaces.put(name, Namespace(name, {**labels, METADATA_NAME: name}) if known else None)
            if known != was_known:
                yield from self._pods.in_namespace(name)

    def _take_slices(self, written: Iterator[tuple[Name, wire.ApiEndpointSlice | None]]) -> Iterator[Name]:
        """Take EndpointSlices; yields their names."""
        reader = SliceReader(self._usable.usable, self._report)
        for name, item in written:
            read = reader.read(item, *name, LIVE) if item else None
            if self._findings.take(("EndpointSlice", *name)) or read is None:
                self._read_slices[name[0]].pop(name[1], None)
            else:
                self._read_slices[name[0]][name[1]] = read
            yield name

    def _settle_slices(self, names: Iterable[Name]) -> None:
        for name in names:
            read = self._read_slices[name[0]].get(name[1])
            self._slices.put(name, read.settled(self._pods.addressing) if read else None)

    def _all_slices(self) -> Iterator[Name]:
        return ((namespace, name) for namespace, slices in self._read_slices.items() for name in slices)

    def _disputed_slices(self) -> set[Name]:
        """The slices with an endpoint that refers to a pod which has lost or regained an address."""
        disputed = self._pods.disputed
        if not disputed:
            return set()
        return {
            name for name in self._all_slices() if not disputed.isdisjoint(self._read_slices[name[0]][name[1]].pods)
        }

    def _take_policy(self, name: Name, written: wire.ApiNetworkPolicy | None, body: msgspec.Raw | None) -> None:
        self.closed.pop(name, None)
        policy = None
        if written:
            policy = read_policy(written.spec or wire.ApiPolicySpec(), *name, LIVE, self._report)
        mistakes = self._findings.take(("NetworkPolicy", *name), EFFECT)
        if policy and body and mistakes:
            policy = closed_policy(policy, mistakes)
            self.closed[name] = misunderstood(body, mistakes)
        self._policies.put(name, policy)
