"""Saves policies to an API server."""

import copy
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import msgspec

from ovsnp.console.saving.failures import ConflictError, NotSavedError, PathMistake, PolicyRefusedError
from ovsnp.kubernetes.connection import ApiConnection
from ovsnp.kubernetes.failures import NotUnderstoodError, RefusedError
from ovsnp.kubernetes.resources import NETWORK_POLICIES
from ovsnp.yaml_reader.report import DEFAULT_NAMESPACE

_MANAGER = "ovsnp-console"
_STRICT = {"fieldManager": _MANAGER, "fieldValidation": "Strict"}
"""An unknown field is refused: an older server drops it, and the policy would allow more."""

_DRY = {"dryRun": "All"}
_UNKNOWN_FIELD = re.compile(r'unknown field "([^"]+)"')

_OF_THE_SERVER = frozenset(
    {
        "uid",
        "resourceVersion",
        "generation",
        "creationTimestamp",
        "deletionTimestamp",
        "deletionGracePeriodSeconds",
        "managedFields",
        "selfLink",
        "ownerReferences",
    }
)
_LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"


def as_new(policy: Mapping[str, Any]) -> dict[str, Any]:
    """A copy of an object without what a server or another tool has added: to be created elsewhere."""
    found = copy.deepcopy({key: value for key, value in policy.items() if key != "status"})
    metadata = {key: value for key, value in (found.get("metadata") or {}).items() if key not in _OF_THE_SERVER}
    if _LAST_APPLIED in (annotations := metadata.get("annotations") or {}):
        metadata["annotations"] = {key: value for key, value in annotations.items() if key != _LAST_APPLIED}
        if not metadata["annotations"]:
            del metadata["annotations"]
    return {**found, "metadata": metadata}


class ClusterPolicies:
    """The NetworkPolicies of an API server.

    A policy is sent for a dry run first, so a refusal comes before anything is written. All methods raise
    PolicyRefusedError with the mistakes of the object, ConflictError if the object is another one than the one that was
    read, and ApiServerError.
    """

    def __init__(self, connection: ApiConnection) -> None:
        self._connection = connection

    def read(self, namespace: str, name: str) -> dict[str, Any]:
        """The policy as the API server has it now."""
        with _told({"metadata": {"namespace": namespace, "name": name}}, exists=True):
            answer = self._connection.get(NETWORK_POLICIES, {}, verb="get", name=name, namespace=namespace)
        return self._read(answer)

    def check(self, policy: Mapping[str, Any]) -> None:
        """Send a policy for a dry run only: an update if it has a ``resourceVersion``, else a creation."""
        self._put(policy, dry=True)

    def create(self, policy: Mapping[str, Any]) -> dict[str, Any]:
        """Create a policy; returns it as the server has it."""
        new = as_new(policy)
        self._put(new, dry=True)
        return self._put(new, dry=False)

    def update(self, policy: Mapping[str, Any]) -> dict[str, Any]:
        """Replace a policy by one with the ``resourceVersion`` that was read; returns it as the server has it."""
        if not _version_of(policy):
            raise NotSavedError(f"{_key(policy)} has no resourceVersion; load it from the API server first")
        self._put(policy, dry=True)
        return self._put(policy, dry=False)

    def delete(self, policy: Mapping[str, Any]) -> None:
        """Delete a policy, if it is the one with this ``uid`` and ``resourceVersion``."""
        metadata = policy.get("metadata") or {}
        wanted = {key: metadata[key] for key in ("uid", "resourceVersion") if metadata.get(key)}
        if "resourceVersion" not in wanted:
            raise NotSavedError(f"{_key(policy)} has no resourceVersion; load it from the API server first")
        options = {"apiVersion": "v1", "kind": "DeleteOptions", "preconditions": wanted}
        namespace, name = _names(policy)
        with _told(policy, exists=True):
            self._connection.send(
                "DELETE", NETWORK_POLICIES, msgspec.json.encode(options), name=name, namespace=namespace
            )

    def _put(self, policy: Mapping[str, Any], *, dry: bool) -> dict[str, Any]:
        namespace, name = _names(policy)
        exists = bool(_version_of(policy))
        query = {**_STRICT, **(_DRY if dry else {})}
        body = msgspec.json.encode(policy)
        with _told(policy, exists=exists):
            if exists:
                answer = self._connection.send(
                    "PUT", NETWORK_POLICIES, body, name=name, namespace=namespace, query=query
                )
            else:
                answer = self._connection.send("POST", NETWORK_POLICIES, body, namespace=namespace, query=query)
        return self._read(answer)

    def _read(self, answer: bytes) -> dict[str, Any]:
        try:
            return msgspec.json.decode(answer, type=dict[str, Any])
        except (msgspec.MsgspecError, RecursionError) as error:
            raise NotUnderstoodError(f"{self._connection.label}: the answer cannot be read ({error})") from None


@contextmanager
def _told(policy: Mapping[str, Any], *, exists: bool) -> Iterator[None]:
    """Turn refusals into the errors of `ClusterPolicies`; ``exists`` is true for an object that was read before."""
    try:
        yield
    except RefusedError as error:
        match error.code:
            case 409 if exists:
                raise ConflictError(
                    f"{_key(policy)} has changed since it was read; load it again, and make the change once more"
                ) from None
            case 404 if exists:
                raise ConflictError(
                    f"{_key(policy)} is no longer there; create it again if it is still wanted"
                ) from None
            case 409 if "already exists" in error.said:
                message = f"{_key(policy)} is there already; choose another name, or edit that policy"
                raise ConflictError(message) from None
            case 404:
                raise PolicyRefusedError([PathMistake("metadata.namespace", error.said)]) from None
            case 400 | 422:
                raise PolicyRefusedError(_mistakes(error)) from None
        raise


def _mistakes(error: RefusedError) -> list[PathMistake]:
    if error.causes:
        return [PathMistake(each.field, each.message) for each in error.causes]
    unknown = [
        PathMistake(field, "the API server does not know the field") for field in _UNKNOWN_FIELD.findall(error.said)
    ]
    return unknown or [PathMistake("", error.said)]


def _version_of(policy: Mapping[str, Any]) -> str:
    return str((policy.get("metadata") or {}).get("resourceVersion") or "")


def _names(policy: Mapping[str, Any]) -> tuple[str, str]:
    metadata = policy.get("metadata") or {}
    return str(metadata.get("namespace") or DEFAULT_NAMESPACE), str(metadata.get("name") or "")


def _key(policy: Mapping[str, Any]) -> str:
    return f"NetworkPolicy {'/'.join(_names(policy))}"
