"""Saves policies: into the manifests of directories (`PolicyFiles`), or to an API server (`ClusterPolicies`).

`ClusterRights` says what the user of the API server may do.
"""

from ovsnp.console.saving.cluster import ClusterPolicies, as_new
from ovsnp.console.saving.failures import ConflictError, NotSavedError, PathMistake, PolicyRefusedError
from ovsnp.console.saving.files import FiledPolicy, PolicyFiles, WrittenPolicy
from ovsnp.console.saving.policy_places import PolicyName
from ovsnp.console.saving.rights import ClusterRights, Verb

__all__ = [
    "ClusterPolicies",
    "ClusterRights",
    "ConflictError",
    "FiledPolicy",
    "NotSavedError",
    "PathMistake",
    "PolicyFiles",
    "PolicyName",
    "PolicyRefusedError",
    "Verb",
    "WrittenPolicy",
    "as_new",
]
