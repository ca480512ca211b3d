"""Saves policies: into the manifests of directories (`PolicyFiles`), or to an API server (`ClusterPolicies`)."""

from ovsnp.console.saving.cluster import ClusterPolicies, PolicyRights, as_new
from ovsnp.console.saving.failures import ConflictError, NotSavedError, PathMistake, PolicyRefusedError
from ovsnp.console.saving.files import ManifestFile, PolicyFiles

__all__ = [
    "ClusterPolicies",
    "ConflictError",
    "ManifestFile",
    "NotSavedError",
    "PathMistake",
    "PolicyFiles",
    "PolicyRefusedError",
    "PolicyRights",
    "as_new",
]
