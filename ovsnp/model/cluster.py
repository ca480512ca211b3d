"""A cluster: namespaces, nodes, workloads and pods."""

from collections.abc import Mapping

import msgspec

from ovsnp.errors import Place
from ovsnp.model.address import Address, Prefix
from ovsnp.model.note import Note
from ovsnp.model.policy import NetworkPolicy
from ovsnp.model.ports import ContainerPort
from ovsnp.model.service import EndpointSlice, Service

METADATA_NAME = "kubernetes.io/metadata.name"
"""The label that every namespace has: its value is the namespace's name
(https://kubernetes.io/docs/reference/labels-annotations-taints/#kubernetes-io-metadata-name)."""


class Namespace(msgspec.Struct, frozen=True):
    """A namespace; its labels always hold `METADATA_NAME`."""

    name: str
    labels: Mapping[str, str]


class Node(msgspec.Struct, frozen=True):
    """A node: its pod CIDRs, and its own addresses.

    ``tunnel_address`` is the first InternalIP of the family that all tunnels have; ``addresses`` are all IPs of the
    node (InternalIP and ExternalIP, without the gateways), in the order of the object.
    """

    name: str
    pod_cidrs: tuple[Prefix, ...]
    addresses: tuple[Address, ...]
    tunnel_address: Address | None

    @property
    def gateways(self) -> tuple[Address, ...]:
        """The node's addresses on the integration bridge: one for each pod CIDR."""
        return tuple(cidr.gateway for cidr in self.pod_cidrs)


class Workload(msgspec.Struct, frozen=True, order=True, gc=False):
    """An object that creates pods from a template; ``kind`` is the API kind: Deployment, StatefulSet, Job and so on."""

    kind: str
    namespace: str
    name: str

    @property
    def key(self) -> str:
        """``KIND/NAMESPACE/NAME`` as users write it: ``deployment/shop/cart``."""
        return f"{self.kind.lower()}/{self.namespace}/{self.name}"


class Pod(msgspec.Struct, frozen=True, gc=False):
    """A pod; `Cluster` says which pods live and have an address of their own.

    A pod without ``node`` counts as a pod of every node: its manifest names no node, or the pod is not on a node yet.
    ``addresses`` has at most one address of each family. ``ports`` are the named ports of all containers, sidecars
    (init containers with ``restartPolicy: Always``) included, in the order of the object; unnamed ports mean nothing to
    policies. ``uid`` is ``metadata.uid``, which hand-written manifests do not have. ``workload`` is the topmost owner;
    with ``template`` the pod stands for all pods that the workload will have.
    """

    namespace: str
    name: str
    labels: Mapping[str, str]
    node: str | None
    addresses: tuple[Address, ...]
    ports: tuple[ContainerPort, ...]
    place: Place
    uid: str | None = None
    workload: Workload | None = None
    template: bool = False

    @property
    def key(self) -> str:
        """``NAMESPACE/NAME``."""
        return f"{self.namespace}/{self.name}"

    @property
    def title(self) -> str:
        """The name of the pod in answers: its key, or the key of the workload whose pods it stands for."""
        return self.workload.key if self.template and self.workload else self.key

    @property
    def holder(self) -> str:
        """An identity of the pod among all holders of its addresses: ``uid``, or without it the key and the node."""
        return self.uid or f"{self.key} {self.node or ''}"

    def is_on(self, node: str | None) -> bool:
        """True if the pod runs on the node, or if the node of the question (None) or of the pod is not given."""
        return node is None or self.node is None or self.node == node


class Cluster(msgspec.Struct, frozen=True):
    """The content of the manifests, checked: every reference resolves, no two living pods share an address.

    Sequences are sorted by namespace and name, so they do not depend on the order of the input. ``pods`` are the living
    pods with an address of their own: not Succeeded or Failed, not in the host network. ``idle`` are the keys of all
    other Pods: finished, in the host network, without an address yet, or without a usable address. ``host_pods`` are
    the living pods in the host network, with the addresses of their nodes (none before they run): policies do not
    select them, but a Service without EndpointSlices has them as endpoints. ``ended_pods`` are the Succeeded and Failed
    pods with their labels, which explain why a selector selects nothing. ``planned`` are pods without an address yet:
    one for each workload that has no pod in the input, and the Pods without a status. ``planned_services`` are the
    Services without an assigned cluster IP. ``unused_nodes`` are the names of the Nodes that are left out.
    ``assumed_namespaces`` are the names of the namespaces without an object, whose labels are unknown; the namespaces
    that every cluster has are not among them. ``notes`` say why an object, or a part of an object, is left out.
    """

    namespaces: Mapping[str, Namespace]
    nodes: Mapping[str, Node]
    pods: tuple[Pod, ...]
    policies: tuple[NetworkPolicy, ...]
    services: tuple[Service, ...] = ()
    slices: tuple[EndpointSlice, ...] = ()
    service_cidrs: tuple[Prefix, ...] = ()
    idle: frozenset[str] = frozenset()
    host_pods: tuple[Pod, ...] = ()
    ended_pods: tuple[Pod, ...] = ()
    planned: tuple[Pod, ...] = ()
    planned_services: tuple[Service, ...] = ()
    unused_nodes: frozenset[str] = frozenset()
    assumed_namespaces: frozenset[str] = frozenset()
    notes: tuple[Note, ...] = ()
