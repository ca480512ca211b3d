"""The kinds of policies that an API server has and ovsnp does not understand: they may forbid connections too."""

from collections.abc import Collection

import msgspec

from ovsnp.kubernetes.connection import ApiConnection
from ovsnp.kubernetes.failures import NotUnderstoodError
from ovsnp.kubernetes.resources import NETWORK_POLICIES, Resource
from ovsnp.manifests.no_manifests import is_policy_kind


class _Kind(msgspec.Struct):
    kind: str = ""


class _Resource(msgspec.Struct, rename="camel"):
    resource: str
    response_kind: _Kind | None = None
    verbs: list[str] = []


class _Version(msgspec.Struct):
    version: str
    resources: list[_Resource] = []


class _GroupMeta(msgspec.Struct):
    name: str = ""


class _Group(msgspec.Struct):
    metadata: _GroupMeta
    versions: list[_Version] = []


class _Groups(msgspec.Struct):
    kind: str
    items: list[_Group] = []


def other_policies(connection: ApiConnection, ignore_kinds: Collection[str]) -> list[Resource] | None:
    """The kinds of policies other than NetworkPolicy, in the version that their server prefers.

    ``ignore_kinds`` are left out. None if the server is too old to describe all of its kinds in one answer (Kubernetes
    before 1.27). Raises ApiServerError.
    """
    try:
        found = msgspec.json.decode(connection.discover(), type=_Groups)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise NotUnderstoodError(f"{connection.label}: the kinds of the API server cannot be read ({error})") from None
    if found.kind != "APIGroupDiscoveryList":
        return None
    resources: dict[tuple[str, str], Resource] = {}
    for group in found.items:
        for version in group.versions:
            for each in version.resources:
                kind = each.response_kind.kind if each.response_kind else ""
                if is_policy_kind(kind) and kind not in ignore_kinds and "list" in each.verbs:
                    name = group.metadata.name
                    resources.setdefault((name, kind), Resource(kind, name, version.version, each.resource))
    resources.pop((NETWORK_POLICIES.group, NETWORK_POLICIES.kind), None)
    return [*resources.values()]
