"""The cluster: namespaces, nodes and the pods that count."""

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
    """A node: where its pods' addresses lie, and its own addresses.

    ``tunnel_address`` is the first InternalIP of the family that all tunnels have; ``addresses`` are all IPs of the
    node (InternalIP and ExternalIP, without the gateways), in the order of the object.
    """

    name: str
    pod_cidrs: tuple[Prefix, ...]
    addresses: tuple[Address, ...]
    tunnel_address: Address | None

    @property
    def gateways(self) -> tuple[Address, ...]:
        """The node's address on the integration bridge, one a pod CIDR."""
        return tuple(cidr.gateway for cidr in self.pod_cidrs)


class Workload(msgspec.Struct, frozen=True, order=True, gc=False):
    """What makes pods of a template: a Deployment, StatefulSet, DaemonSet, Job and so on; ``kind`` is its API kind."""

    kind: str
    namespace: str
    name: str

    @property
    def key(self) -> str:
        """``KIND/NAMESPACE/NAME`` as users write it: ``deployment/shop/cart``."""
        return f"{self.kind.lower()}/{self.namespace}/{self.name}"


class Pod(msgspec.Struct, frozen=True, gc=False):
    """A living pod with an address of its own: not Succeeded or Failed, not hostNetwork.

    ``node`` is None only where the cluster has no Node objects and the pod names no node: the pod is then on every
    node. ``addresses`` has at most one of each family. ``ports`` are the named ports of all containers, sidecars (init
    containers with ``restartPolicy: Always``) included, in the order of the object; unnamed ports mean nothing to
    policies. ``uid`` is ``metadata.uid``, which manifests that people write do not have. ``workload`` is the topmost
    owner; with ``template`` the pod stands for all pods that the workload will have.
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
        """What an answer calls the pod: ``KIND/NAMESPACE/NAME`` of the workload where it stands for all pods of it."""
        return self.workload.key if self.template and self.workload else self.key

    @property
    def holder(self) -> str:
        """What tells the pod from every other that has had its addresses; without ``uid`` its name and node."""
        return self.uid or f"{self.key} {self.node or ''}"

    def is_on(self, node: str | None) -> bool:
        """True if the pod runs on a node; where nobody names a node, every pod does."""
        return node is None or self.node is None or self.node == node


class Cluster(msgspec.Struct, frozen=True):
    """All that the manifests say, checked: every reference resolves, no two living pods share an address.

    Sequences are sorted by namespace and name, so they do not depend on the order of the input. ``idle`` are the keys
    of the Pods that do not count: finished, in their host's network, without an address yet, or without one that can
    be used. ``host_pods`` are the living pods of host networks, with the addresses of their nodes: policies do not know
    them, but a Service without EndpointSlices has them as endpoints. ``ended_pods`` are those that are Succeeded or
    Failed, with their labels alone, which tell why a selector selects nothing. ``planned`` are pods without an address
    yet: one for each workload that has no pod in the input, and the Pods without a status; ``planned_services`` are the
    Services whose cluster IPs nobody has assigned yet. ``unused_nodes`` are the names of the Nodes that are left out.
    ``assumed_namespaces`` are the names of the namespaces that have no object, so that nobody knows their labels, but
    for those that every cluster has.
    ``notes`` say why an object, or a part of an object, is left out.
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
