"""Where the page saves policies: files of the console's directories, or the live cluster."""

import os
import time
from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple, Protocol

from ovsnp.console.form import yaml_of
from ovsnp.console.saving import (
    ClusterPolicies,
    ConflictError,
    PathMistake,
    PolicyFiles,
    PolicyRefusedError,
    PolicyRights,
)
from ovsnp.console.workspace.snapshot import WorkspaceSnapshot
from ovsnp.errors import OvsnpError
from ovsnp.kubernetes.connection import ApiConnection
from ovsnp.model.policy import NetworkPolicy
from ovsnp.yaml_reader.report import DEFAULT_NAMESPACE

Verb = Literal["create", "update", "delete"]

_RIGHTS_LAST = 30.0
"""The seconds after which the rights of a user are asked again."""


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

    def new_file(self, namespace: str, name: str) -> str:
        """The path of the new file for a policy, if the user names none; empty if there can be no new file."""

    def obstacle(self, namespace: str, verb: Verb) -> str:
        """Why the user may not do this in a namespace; empty: the user may."""

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
        self._directory = next((path for path in paths if os.path.isdir(path)), None)

    def open(self, policy: NetworkPolicy, snapshot: WorkspaceSnapshot) -> OpenedPolicy:
        """The policy as it stands in its file."""
        file = self._files.read(policy.place.file)
        found = file.object_at(policy.place)
        text = snapshot.texts.text(policy)
        return OpenedPolicy(found, text.text if text else yaml_of(found), file.version)

    def targets(self, snapshot: WorkspaceSnapshot) -> Sequence[SaveTarget]:
        """A new file where there is a directory, and the files that have policies."""
        files = sorted({policy.place.file for policy in snapshot.policies.values()})
        new = [SaveTarget("", "a new file")] if self._directory is not None else []
        return [*new, *(SaveTarget(file, file) for file in files)]

    def new_file(self, namespace: str, name: str) -> str:
        """``NAME.yaml`` in the first directory, or ``NAMESPACE-NAME.yaml`` if there is such a file."""
        if self._directory is None:
            return ""
        path = os.path.join(self._directory, f"{name}.yaml")
        return os.path.join(self._directory, f"{namespace}-{name}.yaml") if os.path.lexists(path) else path

    def obstacle(self, namespace: str, verb: Verb) -> str:
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
        self._rights: dict[str, tuple[float, PolicyRights]] = {}

    def open(self, policy: NetworkPolicy, snapshot: WorkspaceSnapshot) -> OpenedPolicy:
        """The policy as the API server has it now, without ``managedFields``, which the server keeps itself."""
        found = self._policies.read(policy.namespace, policy.name)
        metadata = {key: value for key, value in found["metadata"].items() if key != "managedFields"}
        return OpenedPolicy({**found, "metadata": metadata}, "", str(metadata["resourceVersion"]))

    def targets(self, snapshot: WorkspaceSnapshot) -> Sequence[SaveTarget]:
        """None: there is only the cluster."""
        return []

    def new_file(self, namespace: str, name: str) -> str:
        """None: there are no files."""
        return ""

    def obstacle(self, namespace: str, verb: Verb) -> str:
        """The verb that the user's role lacks, or why the API server does not tell."""
        known, rights = self._rights.get(namespace, (0.0, None))
        if rights is None or time.monotonic() - known > _RIGHTS_LAST:
            try:
                rights = self._policies.rights(namespace)
            except OvsnpError as error:
                return str(error)
            self._rights[namespace] = time.monotonic(), rights
        if getattr(rights, verb):
            return ""
        return f"You may not {verb} NetworkPolicies in the namespace {namespace}; ask for a Role with that verb."

    def create(self, policy: Mapping[str, Any], path: str) -> None:
        """Create the policy, after a dry run."""
        self._policies.create(policy)

    def replace(self, before: NetworkPolicy, policy: Mapping[str, Any], version: str) -> None:
        """Update the policy, after a dry run; a policy of another name is not the same object."""
        metadata = {"resourceVersion": version, **policy["metadata"]}
        for field, given, kept in (
            ("name", metadata["name"], before.name),
            ("namespace", metadata.get("namespace") or DEFAULT_NAMESPACE, before.namespace),
        ):
            if given != kept:
                renamed = f"the API server renames no objects; write {kept}, or copy {before.key} and delete it then"
                raise PolicyRefusedError([PathMistake(f"metadata.{field}", renamed)])
        if metadata["resourceVersion"] != version:
            raise ConflictError(f"the resourceVersion is not {version}; keep that number, or leave it out")
        self._policies.update({**policy, "metadata": metadata})

    def delete(self, policy: NetworkPolicy, snapshot: WorkspaceSnapshot) -> None:
        """Delete the policy, if it is the one that was read."""
        self._policies.delete(self._policies.read(policy.namespace, policy.name))
