"""The API objects as they are written: of each kind, the fields that ovsnp reads.

This is the only declaration of the input's shape. msgspec reads JSON and YAML by it, and where it cannot,
`ovsnp.yaml_reader.structure` says by the same types what is wrong. Every field may be absent or null here, and items
of lists may be null, so that one broken part never hides mistakes of the others: that something is
missing is for the readers to say. Below a NetworkPolicy's ``spec`` an unknown field is a mistake (it may have been
meant as a restriction); everywhere else the API has many fields that say nothing about policies.

Structs hold no references that could form a cycle, so the garbage collector need not visit them.
"""

from collections.abc import Mapping
from typing import Any

import msgspec


class _Known(msgspec.Struct, rename="camel", gc=False):
    """An object of which only some fields matter."""


class _Whole(msgspec.Struct, rename="camel", gc=False, forbid_unknown_fields=True):
    """An object of which every field matters."""


class OwnerReference(_Known):
    kind: str | None = None
    name: str | None = None
    controller: bool | None = None


class Metadata(_Known):
    name: str | None = None
    generate_name: str | None = None
    namespace: str | None = None
    labels: dict[str, str] | None = None
    uid: str | None = None
    deletion_timestamp: str | None = None
    owner_references: list[OwnerReference | None] | None = None


class Namespace(_Known):
    metadata: Metadata | None = None


class NodeSpec(_Known):
    pod_cidrs: list[str | None] | None = msgspec.field(name="podCIDRs", default=None)
    pod_cidr: str | None = msgspec.field(name="podCIDR", default=None)


class NodeAddress(_Known):
    type: str | None = None
    address: str | None = None


class NodeCondition(_Known):
    type: str | None = None
    status: str | None = None


class NodeStatus(_Known):
    addresses: list[NodeAddress | None] | None = None
    conditions: list[NodeCondition | None] | None = None


class Node(_Known):
    metadata: Metadata | None = None
    spec: NodeSpec | None = None
    status: NodeStatus | None = None


class ContainerPort(_Known):
    name: str | None = None
    container_port: int | None = None
    protocol: str | None = None


class Container(_Known):
    ports: list[ContainerPort | None] | None = None
    restart_policy: str | None = None


class PodSpec(_Known):
    node_name: str | None = None
    host_network: bool | None = None
    containers: list[Container | None] | None = None
    init_containers: list[Container | None] | None = None


class PodIP(_Known):
    ip: str | None = None


class PodStatus(_Known):
    phase: str | None = None
    pod_ip: str | None = msgspec.field(name="podIP", default=None)
    pod_ips: list[PodIP | None] | None = msgspec.field(name="podIPs", default=None)


class Pod(_Known):
    metadata: Metadata | None = None
    spec: PodSpec | None = None
    status: PodStatus | None = None


class PodTemplate(_Known):
    metadata: Metadata | None = None
    spec: PodSpec | None = None


class WorkloadSpec(_Known):
    template: PodTemplate | None = None


class WorkloadStatus(_Known):
    completion_time: str | None = None


class Workload(_Known):
    """A workload with the template of its pods in ``spec.template``."""

    metadata: Metadata | None = None
    spec: WorkloadSpec | None = None
    status: WorkloadStatus | None = None

    @property
    def pod_template(self) -> PodTemplate | None:
        """What the pods are made of; a patch of a workload may have none."""
        return self.spec.template if self.spec else None


class JobTemplate(_Known):
    spec: WorkloadSpec | None = None


class CronJobSpec(_Known):
    job_template: JobTemplate | None = None


class CronJob(_Known):
    metadata: Metadata | None = None
    spec: CronJobSpec | None = None

    @property
    def pod_template(self) -> PodTemplate | None:
        """What the pods of all its Jobs are made of."""
        job = self.spec.job_template if self.spec else None
        return job.spec.template if job and job.spec else None


class Requirement(_Whole):
    key: str | None = None
    operator: str | None = None
    values: list[str | None] | None = None


class LabelSelector(_Whole):
    match_labels: dict[str, str] | None = None
    match_expressions: list[Requirement | None] | None = None


class IPBlock(_Whole):
    cidr: str | None = None
    excepts: list[str | None] | None = msgspec.field(name="except", default=None)


class Peer(_Whole):
    ip_block: IPBlock | None = None
    namespace_selector: LabelSelector | None = None
    pod_selector: LabelSelector | None = None


class Port(_Whole):
    port: int | str | None = None
    end_port: int | None = None
    protocol: str | None = None


class IngressRule(_Whole):
    peers: list[Peer | None] | None = msgspec.field(name="from", default=None)
    ports: list[Port | None] | None = None


class EgressRule(_Whole):
    peers: list[Peer | None] | None = msgspec.field(name="to", default=None)
    ports: list[Port | None] | None = None


class PolicySpec(_Whole):
    pod_selector: LabelSelector | None = None
    policy_types: list[str | None] | None = None
    ingress: list[IngressRule | None] | None = None
    egress: list[EgressRule | None] | None = None


class NetworkPolicy(_Whole):
    """The top level is whole too: a ``spec`` that is misspelt must not vanish."""

    api_version: str | None = None
    kind: str | None = None
    metadata: Metadata | None = None
    spec: PolicySpec | None = None
    status: Any = None


class ServicePort(_Known):
    name: str | None = None
    protocol: str | None = None
    port: int | None = None
    target_port: int | str | None = None


class ClientIPConfig(_Known):
    timeout_seconds: int | None = None


class SessionAffinityConfig(_Known):
    client_ip: ClientIPConfig | None = msgspec.field(name="clientIP", default=None)


class ServiceSpec(_Known):
    type: str | None = None
    cluster_ip: str | None = msgspec.field(name="clusterIP", default=None)
    cluster_ips: list[str | None] | None = msgspec.field(name="clusterIPs", default=None)
    ports: list[ServicePort | None] | None = None
    selector: dict[str, str] | None = None
    session_affinity: str | None = None
    session_affinity_config: SessionAffinityConfig | None = None
    internal_traffic_policy: str | None = None
    publish_not_ready_addresses: bool | None = None


class Service(_Known):
    metadata: Metadata | None = None
    spec: ServiceSpec | None = None


class EndpointConditions(_Known):
    ready: bool | None = None
    serving: bool | None = None
    terminating: bool | None = None


class TargetRef(_Known):
    kind: str | None = None
    namespace: str | None = None
    name: str | None = None


class Endpoint(_Known):
    addresses: list[str | None] | None = None
    target_ref: TargetRef | None = None
    conditions: EndpointConditions | None = None
    node_name: str | None = None


class EndpointPort(_Known):
    name: str | None = None
    protocol: str | None = None
    port: int | None = None


class EndpointSlice(_Known):
    metadata: Metadata | None = None
    address_type: str | None = None
    endpoints: list[Endpoint | None] | None = None
    ports: list[EndpointPort | None] | None = None


class EndpointsAddress(_Known):
    ip: str | None = None
    node_name: str | None = None
    target_ref: TargetRef | None = None


class EndpointSubset(_Known):
    addresses: list[EndpointsAddress | None] | None = None
    not_ready_addresses: list[EndpointsAddress | None] | None = None
    ports: list[EndpointPort | None] | None = None


class Endpoints(_Known):
    metadata: Metadata | None = None
    subsets: list[EndpointSubset | None] | None = None


class ServiceCIDRSpec(_Known):
    cidrs: list[str | None] | None = None


class ServiceCIDR(_Known):
    metadata: Metadata | None = None
    spec: ServiceCIDRSpec | None = None


Wire = Namespace | Node | Pod | Workload | CronJob | Service | EndpointSlice | Endpoints | ServiceCIDR | NetworkPolicy

WORKLOADS: Mapping[str, type[Workload | CronJob]] = {
    "Deployment": Workload,
    "StatefulSet": Workload,
    "DaemonSet": Workload,
    "ReplicaSet": Workload,
    "ReplicationController": Workload,
    "Job": Workload,
    "CronJob": CronJob,
    "Rollout": Workload,
    "DeploymentConfig": Workload,
}
"""The kinds that make pods of a template: Kubernetes' own, Argo's and OpenShift's."""

KINDS: Mapping[str, type[Wire]] = {
    "Namespace": Namespace,
    "Node": Node,
    "Pod": Pod,
    **WORKLOADS,
    "Service": Service,
    "EndpointSlice": EndpointSlice,
    "Endpoints": Endpoints,
    "ServiceCIDR": ServiceCIDR,
    "NetworkPolicy": NetworkPolicy,
}
"""The kinds that are read, with their types."""
