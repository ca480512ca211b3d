"""The kinds of objects that ovsnp reads from an API server, and where the server has them."""

from typing import NamedTuple

_FINISHED = "status.phase!=Failed,status.phase!=Succeeded"
"""A pod that has finished keeps no address: to a watch with this selector, the end of a pod is its deletion."""


class Resource(NamedTuple):
    """A kind of objects, as requests name it.

    ``group`` is empty for the core group. ``fields`` is the field selector of a watch. A kind that is ``recent`` is
    unknown to older servers, which then have no objects of it.
    """

    kind: str
    group: str
    version: str
    plural: str
    fields: str = ""
    recent: bool = False

    def within(self, namespace: str) -> str:
        """The path of the objects of one namespace."""
        return f"{self._root}/namespaces/{namespace}/{self.plural}"

    @property
    def path(self) -> str:
        """The path of the objects of all namespaces."""
        return f"{self._root}/{self.plural}"

    @property
    def _root(self) -> str:
        return f"/apis/{self.group}/{self.version}" if self.group else f"/api/{self.version}"

    def rule(self, verb: str, part: str = "") -> str:
        """The RBAC rule that allows a verb for the objects, or for a part of them such as ``status``."""
        plural = f"{self.plural}/{part}" if part else self.plural
        return f'apiGroups: ["{self.group}"], resources: ["{plural}"], verbs: ["{verb}"]'


NAMESPACES = Resource("Namespace", "", "v1", "namespaces")
NODES = Resource("Node", "", "v1", "nodes")
PODS = Resource("Pod", "", "v1", "pods", _FINISHED)
SERVICES = Resource("Service", "", "v1", "services")
ENDPOINT_SLICES = Resource("EndpointSlice", "discovery.k8s.io", "v1", "endpointslices")
NETWORK_POLICIES = Resource("NetworkPolicy", "networking.k8s.io", "v1", "networkpolicies")
SERVICE_CIDRS = Resource("ServiceCIDR", "networking.k8s.io", "v1", "servicecidrs", recent=True)

NODE_POLICY_STATUSES = Resource("NodePolicyStatus", "ovsnp.io", "v1alpha1", "nodepolicystatuses")
EVENTS = Resource("Event", "events.k8s.io", "v1", "events")
ACCESS_REVIEWS = Resource("SelfSubjectAccessReview", "authorization.k8s.io", "v1", "selfsubjectaccessreviews")

FOLLOWED = (NAMESPACES, NODES, PODS, SERVICES, ENDPOINT_SLICES, NETWORK_POLICIES, SERVICE_CIDRS)
"""The kinds that decide about connections."""

WORKLOADS = (
    Resource("Deployment", "apps", "v1", "deployments"),
    Resource("StatefulSet", "apps", "v1", "statefulsets"),
    Resource("DaemonSet", "apps", "v1", "daemonsets"),
    Resource("ReplicaSet", "apps", "v1", "replicasets"),
    Resource("ReplicationController", "", "v1", "replicationcontrollers"),
    Resource("Job", "batch", "v1", "jobs"),
    Resource("CronJob", "batch", "v1", "cronjobs"),
)
"""The kinds that make pods from a template: with them, the rows of a matrix are workloads."""
