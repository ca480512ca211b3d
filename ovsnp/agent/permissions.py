"""What an agent may do in a cluster: the rules of its ClusterRole. It asks for nothing else."""

from collections.abc import Mapping
from typing import NamedTuple

from ovsnp.kubernetes.resources import EVENTS, FOLLOWED, NODE_POLICY_STATUSES, NODES, Resource


class Permission(NamedTuple):
    """Verbs for the objects of a kind, or for a part of each object such as ``status``."""

    resource: Resource
    verbs: tuple[str, ...]
    part: str = ""

    @property
    def rule(self) -> Mapping[str, list[str]]:
        """The rule of a ClusterRole."""
        plural = f"{self.resource.plural}/{self.part}" if self.part else self.resource.plural
        return {"apiGroups": [self.resource.group], "resources": [plural], "verbs": [*self.verbs]}


PERMISSIONS = (
    *(Permission(resource, ("list", "watch")) for resource in FOLLOWED),
    Permission(NODE_POLICY_STATUSES, ("create", "get")),
    Permission(NODE_POLICY_STATUSES, ("patch",), "status"),
    Permission(NODES, ("patch",), "status"),
    Permission(EVENTS, ("create",)),
)
