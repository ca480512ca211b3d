"""The API objects as the input has them: for each kind, the fields that ovsnp reads.

No other code declares the shape of the input. msgspec reads JSON and YAML with these types; if it cannot,
`ovsnp.yaml_reader.structure` finds the mistakes with the same types. Every field may be absent or null here, and items
of lists may be null, so that one broken part never hides the mistakes of the others: the readers report what is
missing. In a NetworkPolicy, but for its ``metadata`` and ``status``, an unknown field is a mistake (it may be meant as
a restriction). Everywhere else the API has many fields that have nothing to do with policies.

The structs cannot form reference cycles, so the garbage collector need not visit them.
"""

from typing import Any

import msgspec


class _Known(msgspec.Struct, rename="camel", gc=False, omit_defaults=True):
    """An object of which ovsnp reads some fields and ignores the others."""


class _Whole(msgspec.Struct, rename="camel", gc=False, forbid_unknown_fields=True):
    """An object in which an unknown field is a mistake."""


class ApiOwnerReference(_Known):
    kind: str | None = None
    name: str | None = None
    controller: bool | None = None


class ApiMetadata(_Known):
    name: str | None = None
    generate_name: str | None = None
    namespace: str | None = None
    labels: dict[str, str] | None = None
    uid: str | None = None
    deletion_timestamp: str | None = None
    owner_references: list[ApiOwnerReference | None] | None = None


class ApiNamespace(_Known):
    metadata: ApiMetadata | None = None


class ApiNodeSpec(_Known):
    pod_cidrs: list[str | None] | None = msgspec.field(name="podCIDRs", default=None)
    pod_cidr: str | None = msgspec.field(name="podCIDR", default=None)


class ApiNodeAddress(_Known):
    type: str | None = None
    address: str | None = None


class ApiNodeCondition(_Known):
    type: str | None = None
    status: str | None = None


class ApiNodeStatus(_Known):
    addresses: list[ApiNodeAddress | None] | None = None
    conditions: list[ApiNodeCondition | None] | None = None


class ApiNode(_Known):
    metadata: ApiMetadata | None = None
    spec: ApiNodeSpec | None = None
    status: ApiNodeStatus | None = None


class ApiContainerPort(_Known):
    name: str | None = None
    container_port: int | None = None
    protocol: str | None = None


class ApiContainer(_Known):
    ports: list[ApiContainerPort | None] | None = None
    restart_policy: str | None = None


class ApiPodSpec(_Known):
    node_name: str | None = None
    host_network: bool | None = None
    containers: list[ApiContainer | None] | None = None
    init_containers: list[ApiContainer | None] | None = None


class ApiPodIP(_Known):
    ip: str | None = None


class ApiPodStatus(_Known):
    phase: str | None = None
    pod_ip: str | None = msgspec.field(name="podIP", default=None)
    pod_ips: list[ApiPodIP | None] | None = msgspec.field(name="podIPs", default=None)


class ApiPod(_Known):
    metadata: ApiMetadata | None = None
    spec: ApiPodSpec | None = None
    status: ApiPodStatus | None = None


class ApiPodTemplate(_Known):
    metadata: ApiMetadata | None = None
    spec: ApiPodSpec | None = None


class ApiWorkloadSpec(_Known):
    template: ApiPodTemplate | None = None


class ApiWorkloadStatus(_Known):
    completion_time: str | None = None


class ApiWorkload(_Known):
    """A workload with its pod template in ``spec.template``."""

    metadata: ApiMetadata | None = None
    spec: ApiWorkloadSpec | None = None
    status: ApiWorkloadStatus | None = None

    @property
    def pod_template(self) -> ApiPodTemplate | None:
        """The template of the pods; a patch of a workload may have none."""
        return self.spec.template if self.spec else None


class ApiJobTemplate(_Known):
    spec: ApiWorkloadSpec | None = None


class ApiCronJobSpec(_Known):
    job_template: ApiJobTemplate | None = None


class ApiCronJob(_Known):
    metadata: ApiMetadata | None = None
    spec: ApiCronJobSpec | None = None

    @property
    def pod_template(self) -> ApiPodTemplate | None:
        """The template of the pods of all its Jobs."""
        job = self.spec.job_template if self.spec else None
        return job.spec.template if job and job.spec else None


class ApiRequirement(_Whole):
    key: str | None = None
    operator: str | None = None
    values: list[str | None] | None = None


class ApiLabelSelector(_Whole):
    match_labels: dict[str, str] | None = None
    match_expressions: list[ApiRequirement | None] | None = None


class ApiIPBlock(_Whole):
    cidr: str | None = None
    excepts: list[str | None] | None = msgspec.field(name="except", default=None)


class ApiPeer(_Whole):
    ip_block: ApiIPBlock | None = None
    namespace_selector: ApiLabelSelector | None = None
    pod_selector: ApiLabelSelector | None = None


class ApiPort(_Whole):
    port: int | str | None = None
    end_port: int | None = None
    protocol: str | None = None


class ApiIngressRule(_Whole):
    peers: list[ApiPeer | None] | None = msgspec.field(name="from", default=None)
    ports: list[ApiPort | None] | None = None


class ApiEgressRule(_Whole):
    peers: list[ApiPeer | None] | None = msgspec.field(name="to", default=None)
    ports: list[ApiPort | None] | None = None


class ApiPolicySpec(_Whole):
    pod_selector: ApiLabelSelector | None = None
    policy_types: list[str | None] | None = None
    ingress: list[ApiIngressRule | None] | None = None
    egress: list[ApiEgressRule | None] | None = None


class ApiNetworkPolicy(_Whole):
    """Unknown fields at the top level are mistakes too: a misspelt ``spec`` must not be ignored."""

    api_version: str | None = None
    kind: str | None = None
    metadata: ApiMetadata | None = None
    spec: ApiPolicySpec | None = None
    status: Any = None


class ApiServicePort(_Known):
    name: str | None = None
    protocol: str | None = None
    port: int | None = None
    target_port: int | str | None = None


class ApiClientIPConfig(_Known):
    timeout_seconds: int | None = None


class ApiSessionAffinityConfig(_Known):
    client_ip: ApiClientIPConfig | None = msgspec.field(name="clientIP", default=None)


class ApiServiceSpec(_Known):
    type: str | None = None
    cluster_ip: str | None = msgspec.field(name="clusterIP", default=None)
    cluster_ips: list[str | None] | None = msgspec.field(name="clusterIPs", default=None)
    ports: list[ApiServicePort | None] | None = None
    selector: dict[str, str] | None = None
    session_affinity: str | None = None
    session_affinity_config: ApiSessionAffinityConfig | None = None
    internal_traffic_policy: str | None = None
    publish_not_ready_addresses: bool | None = None


class ApiService(_Known):
    metadata: ApiMetadata | None = None
    spec: ApiServiceSpec | None = None


class ApiEndpointConditions(_Known):
    ready: bool | None = None
    serving: bool | None = None
    terminating: bool | None = None


class ApiTargetRef(_Known):
    kind: str | None = None
    namespace: str | None = None
    name: str | None = None


class ApiEndpoint(_Known):
    addresses: list[str | None] | None = None
    target_ref: ApiTargetRef | None = None
    conditions: ApiEndpointConditions | None = None
    node_name: str | None = None


class ApiEndpointPort(_Known):
    name: str | None = None
    protocol: str | None = None
    port: int | None = None


class ApiEndpointSlice(_Known):
    metadata: ApiMetadata | None = None
    address_type: str | None = None
    endpoints: list[ApiEndpoint | None] | None = None
    ports: list[ApiEndpointPort | None] | None = None


class ApiEndpointsAddress(_Known):
    ip: str | None = None
    node_name: str | None = None
    target_ref: ApiTargetRef | None = None


class ApiEndpointSubset(_Known):
    addresses: list[ApiEndpointsAddress | None] | None = None
    not_ready_addresses: list[ApiEndpointsAddress | None] | None = None
    ports: list[ApiEndpointPort | None] | None = None


class ApiEndpoints(_Known):
    metadata: ApiMetadata | None = None
    subsets: list[ApiEndpointSubset | None] | None = None


class ApiServiceCIDRSpec(_Known):
    cidrs: list[str | None] | None = None


class ApiServiceCIDR(_Known):
    metadata: ApiMetadata | None = None
    spec: ApiServiceCIDRSpec | None = None
