"""Where the page saves policies: files of the console's directories, or the live cluster."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from ovsnp.console.form import yaml_of
from ovsnp.console.saving import ClusterPolicies, ConflictError, NotSavedError, PolicyFiles
from ovsnp.console.workspace.snapshot import WorkspaceSnapshot
from ovsnp.errors import OvsnpError
from ovsnp.kubernetes.connection import ApiConnection
from ovsnp.model.policy import NetworkPolicy


class OpenedPolicy(NamedTuple):
    """A policy to edit: the object, its text, and the version on which an edit is based (may be empty)."""

    policy: Mapping[str, Any]
    text: str
    version: str


class SaveTarget(NamedTuple):
    """A place where a new policy may be saved: a path, or empty for a new file; and the words for it."""

    path: str
    words: str


class PolicyStore(Protocol):
    """Reads and writes single policies; all methods raise OvsnpError, with nothing written."""

    def open(self, policy: NetworkPolicy, snapshot: WorkspaceSnapshot) -> OpenedPolicy:
        """The policy as it is now."""

    def targets(self, snapshot: WorkspaceSnapshot) -> Sequence[SaveTarget]:
        """Where a new policy may be saved; empty if there is only one place."""

    def obstacle(self, namespace: str, *, new: bool) -> str:
        """Why the user may not save in a namespace; empty: the user may."""

    def create(self, policy: Mapping[str, Any], path: str) -> None:
        """Save a new policy; ``path`` is that of a file, where there are targets."""

    def replace(self, before: NetworkPolicy, policy: Mapping[str, Any], version: str) -> None:
        """Save a policy in the place of ``before``, which must still be of that version."""

    def delete(self, policy: NetworkPolicy, snapshot: WorkspaceSnapshot) -> None:
        """Delete a policy."""


class FileStore:
    """The manifests of the console's directories."""

    def __init__(self, paths: Sequence[str]) -> None:
        self._files = PolicyFiles(paths)

    def open(self, policy: NetworkPolicy, snapshot: WorkspaceSnapshot) -> OpenedPolicy:
        """The policy as it stands in its file."""
        file = self._files.read(policy.place.file)
        found = file.object_at(policy.place)
        text = snapshot.texts.text(policy)
        return OpenedPolicy(found, text.text if text else yaml_of(found), file.version)

    def targets(self, snapshot: WorkspaceSnapshot) -> Sequence[SaveTarget]:
        """A new file, and the files that have policies."""
        files = sorted({policy.place.file for policy in snapshot.policies.values()})
        return [SaveTarget("", "a new file"), *(SaveTarget(file, file) for file in files)]

    def obstacle(self, namespace: str, *, new: bool) -> str:
        """None: whether a file can be written shows when it is written."""
        return ""

    def create(self, policy: Mapping[str, Any], path: str) -> None:
        """Append to the file, or make it."""
        try:
            version = self._files.read(path).version
        except OvsnpError:
            self._files.create(path, policy)
        else:
            self._files.append(path, policy, version)

    def replace(self, before: NetworkPolicy, policy: Mapping[str, Any], version: str) -> None:
        """Edit the file of the policy."""
        self._files.replace(before.place, policy, version)

    def delete(self, policy: NetworkPolicy, snapshot: WorkspaceSnapshot) -> None:
        """Take the policy out of its file."""
        self._files.delete(policy.place, self._files.read(policy.place.file).version)


class ClusterStore:
    """The NetworkPolicies of the live cluster."""

    def __init__(self, connection: ApiConnection) -> None:
        self._policies = ClusterPolicies(connection)

    def open(self, policy: NetworkPolicy, snapshot: WorkspaceSnapshot) -> OpenedPolicy:
        """The policy as the API server has it now."""
        found = self._policies.read(policy.namespace, policy.name)
        return OpenedPolicy(found, "", str(found["metadata"]["resourceVersion"]))

    def targets(self, snapshot: WorkspaceSnapshot) -> Sequence[SaveTarget]:
        """None: there is only the cluster."""
        return []

    def obstacle(self, namespace: str, *, new: bool) -> str:
        """The verb that the user's role lacks."""
        rights = self._policies.rights(namespace)
        if rights.create if new else rights.update:
            return ""
        verb = "create" if new else "update"
        return f"You may not {verb} NetworkPolicies in the namespace {namespace}; ask for a Role with that verb."

    def create(self, policy: Mapping[str, Any], path: str) -> None:
        """Create the policy, after a dry run."""
        self._policies.create(policy)

    def replace(self, before: NetworkPolicy, policy: Mapping[str, Any], version: str) -> None:
        """Update the policy, after a dry run; a policy of another name is not the same object."""
        metadata = policy.get("metadata") or {}
        if (metadata.get("namespace") or "default", metadata.get("name")) != (before.namespace, before.name):
            raise NotSavedError(f"the API server renames no objects; keep {before.key}, or copy it and delete it then")
        if metadata.get("resourceVersion") != version:
            raise ConflictError(f"the resourceVersion is not {version!r}; load {before.key} again")
        self._policies.update(policy)

    def delete(self, policy: NetworkPolicy, snapshot: WorkspaceSnapshot) -> None:
        """Delete the policy, if it is the one that was read."""
        self._policies.delete(self._policies.read(policy.namespace, policy.name))
