"""Where the page saves policies: files of the console's directories, or the live cluster."""

import os
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from ovsnp.console.form import yaml_of
from ovsnp.console.saving import (
    ClusterPolicies,
    ClusterRights,
    ConflictError,
    NotSavedError,
    PathMistake,
    PolicyFiles,
    PolicyName,
    PolicyRefusedError,
    Verb,
    WrittenPolicy,
)
from ovsnp.console.workspace.snapshot import WorkspaceSnapshot
from ovsnp.errors import OvsnpError
from ovsnp.kubernetes.connection import ApiConnection
from ovsnp.model.policy import NetworkPolicy
from ovsnp.yaml_reader.report import DEFAULT_NAMESPACE


class OpenedPolicy(NamedTuple):
    """A policy to edit: the object, its text, and the version on which an edit is based."""

    policy: Mapping[str, Any]
    text: str
    version: str


class SaveTarget(NamedTuple):
    """A place where a new policy may be saved: a path, or empty for a new file; and the words for it."""

    path: str
    words: str


class PolicyStore(Protocol):
    """Reads and writes single policies; all methods raise OvsnpError, with nothing written."""

    def open(self, policy: NetworkPolicy) -> OpenedPolicy:
        """The policy as it is now."""

    def targets(self, snapshot: WorkspaceSnapshot) -> Sequence[SaveTarget]:
        """Where a new policy may be saved; empty if there is only one place."""

    def new_file(self, namespace: str, name: str) -> str:
        """The path of the new file for a policy, if the user names none; empty if there can be no new file."""

    def fault_of_file(self, path: str) -> str:
        """Why no policy can be saved into the file of a path; empty: one can."""

    def is_there(self, path: str) -> bool:
        """True if there is such a file: a new policy goes to its end."""

    def faults_of_name(self, before: PolicyName, after: PolicyName) -> Sequence[PathMistake]:
        """Why a policy cannot get another name or namespace; empty: it can."""

    def obstacle(self, verb: Verb, namespace: str, name: str) -> str:
        """Why the user may not do this with a policy; empty: the user may. A policy to create has no name yet."""

    def create(self, written: WrittenPolicy, path: str) -> None:
        """Save a new policy; ``path`` is that of a file, where there are targets."""

    def replace(self, before: NetworkPolicy, written: WrittenPolicy, version: str) -> None:
        """Save a policy in the place of ``before``, which must still be of that version."""

    def delete(self, policy: NetworkPolicy, version: str) -> None:
        """Delete a policy, which must still be of that version."""


class FileStore:
    """The manifests of the console's directories."""

    def __init__(self, paths: Sequence[str]) -> None:
        self._files = PolicyFiles(paths)
        self._directory = next((path for path in paths if os.path.isdir(path)), None)

    def open(self, policy: NetworkPolicy) -> OpenedPolicy:
        """The policy as it stands in its file."""
        return OpenedPolicy(*self._files.read(policy.place.file, PolicyName(policy.namespace, policy.name)))

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

    def fault_of_file(self, path: str) -> str:
        """Why no file of this path is written."""
        try:
            self._files.check(path)
        except NotSavedError as error:
            return str(error)
        return ""

    def is_there(self, path: str) -> bool:
        """True if there is something of this path."""
        return os.path.lexists(path)

    def faults_of_name(self, before: PolicyName, after: PolicyName) -> Sequence[PathMistake]:
        """None: the lines of a policy in its file can say any name."""
        return []

    def obstacle(self, verb: Verb, namespace: str, name: str) -> str:
        """None: whether a file can be written shows when it is written."""
        return ""

    def create(self, written: WrittenPolicy, path: str) -> None:
        """Append to the file, or make it."""
        if self.is_there(path):
            self._files.append(path, written)
        else:
            self._files.create(path, written)

    def replace(self, before: NetworkPolicy, written: WrittenPolicy, version: str) -> None:
        """Change the lines of the policy in its file."""
        self._files.replace(before.place.file, PolicyName(before.namespace, before.name), written, version)

    def delete(self, policy: NetworkPolicy, version: str) -> None:
        """Take the policy out of its file."""
        self._files.delete(policy.place.file, PolicyName(policy.namespace, policy.name), version)


class ClusterStore:
    """The NetworkPolicies of the live cluster."""

    def __init__(self, connection: ApiConnection) -> None:
        self._policies = ClusterPolicies(connection)
        self._rights = ClusterRights(connection)

    def open(self, policy: NetworkPolicy) -> OpenedPolicy:
        """The policy as the API server has it now, without ``managedFields``, which the server keeps itself."""
        found = self._policies.read(policy.namespace, policy.name)
        metadata = {key: value for key, value in found["metadata"].items() if key != "managedFields"}
        shown = {**found, "metadata": metadata}
        return OpenedPolicy(shown, yaml_of(shown), str(metadata["resourceVersion"]))

    def targets(self, snapshot: WorkspaceSnapshot) -> Sequence[SaveTarget]:
        """None: there is only the cluster."""
        return []

    def new_file(self, namespace: str, name: str) -> str:
        """None: there are no files."""
        return ""

    def fault_of_file(self, path: str) -> str:
        """None: there are no files."""
        return ""

    def is_there(self, path: str) -> bool:
        """False: there are no files."""
        return False

    def faults_of_name(self, before: PolicyName, after: PolicyName) -> Sequence[PathMistake]:
        """The fields of `metadata` that differ: a policy of another name is not the same object."""
        instead = f"or copy {before.namespace}/{before.name} and delete it then"
        return [
            PathMistake(f"metadata.{field}", f"the API server renames no objects; write {kept}, {instead}")
            for field, kept, given in zip(PolicyName._fields, before, after, strict=True)
            if given != kept
        ]

    def obstacle(self, verb: Verb, namespace: str, name: str) -> str:
        """The permission that the user lacks, or why the API server does not tell."""
        return self._rights.obstacle(verb, namespace, name)

    def create(self, written: WrittenPolicy, path: str) -> None:
        """Create the policy, after a dry run."""
        self._policies.create(written.policy)

    def replace(self, before: NetworkPolicy, written: WrittenPolicy, version: str) -> None:
        """Update the policy, after a dry run."""
        metadata = {"resourceVersion": version, **written.policy["metadata"]}
        after = PolicyName(metadata.get("namespace") or DEFAULT_NAMESPACE, metadata["name"])
        if faults := self.faults_of_name(PolicyName(before.namespace, before.name), after):
            raise PolicyRefusedError(faults)
        if metadata["resourceVersion"] != version:
            raise ConflictError(f"the resourceVersion is not {version}; keep that number, or leave it out")
        try:
            self._policies.update({**written.policy, "metadata": metadata})
        except ConflictError as error:
            raise ConflictError(str(error), self._text_now(before)) from None

    def delete(self, policy: NetworkPolicy, version: str) -> None:
        """Delete the policy, if it is the one that was read."""
        metadata = {"namespace": policy.namespace, "name": policy.name, "resourceVersion": version}
        self._policies.delete({"metadata": metadata})

    def _text_now(self, policy: NetworkPolicy) -> str:
        """The policy as the API server has it now; empty if it has none."""
        try:
            return self.open(policy).text
        except OvsnpError:
            return ""
