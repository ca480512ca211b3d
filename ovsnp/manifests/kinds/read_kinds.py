"""The kinds of objects that ovsnp reads, with their types."""

from collections.abc import Mapping

from ovsnp.manifests.kinds import wire

ReadKind = (
    wire.ApiNamespace
    | wire.ApiNode
    | wire.ApiPod
    | wire.ApiWorkload
    | wire.ApiCronJob
    | wire.ApiService
    | wire.ApiEndpointSlice
    | wire.ApiEndpoints
    | wire.ApiServiceCIDR
    | wire.ApiNetworkPolicy
)

WORKLOADS: Mapping[str, type[wire.ApiWorkload | wire.ApiCronJob]] = {
    "Deployment": wire.ApiWorkload,
    "StatefulSet": wire.ApiWorkload,
    "DaemonSet": wire.ApiWorkload,
    "ReplicaSet": wire.ApiWorkload,
    "ReplicationController": wire.ApiWorkload,
    "Job": wire.ApiWorkload,
    "CronJob": wire.ApiCronJob,
    "Rollout": wire.ApiWorkload,
    "DeploymentConfig": wire.ApiWorkload,
}
"""The kinds that make pods from a template, of Kubernetes, Argo and OpenShift."""

KINDS: Mapping[str, type[ReadKind]] = {
    "Namespace": wire.ApiNamespace,
    "Node": wire.ApiNode,
    "Pod": wire.ApiPod,
    **WORKLOADS,
    "Service": wire.ApiService,
    "EndpointSlice": wire.ApiEndpointSlice,
    "Endpoints": wire.ApiEndpoints,
    "ServiceCIDR": wire.ApiServiceCIDR,
    "NetworkPolicy": wire.ApiNetworkPolicy,
}
"""The kinds that ovsnp reads, with their types."""
