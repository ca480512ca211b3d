"""Reads a cluster once, as `kubectl get` would."""

from collections.abc import Collection, Iterable
from typing import NamedTuple

import msgspec

from ovsnp.errors import ApiServerError
from ovsnp.kubernetes.connection import ApiConnection
from ovsnp.kubernetes.discovery import other_policies
from ovsnp.kubernetes.failures import NoSuchObjectError, RefusedError
from ovsnp.kubernetes.resources import WORKLOADS, Resource

_FORBIDDEN = 403
_TOO_OLD = (
    "the API server is too old to say which kinds of policies it has; ovsnp reads NetworkPolicies only, so check with"
    " kubectl api-resources that there are no others"
)


class Snapshot(NamedTuple):
    """The objects of a cluster: one list for each kind, in JSON.

    ``label`` names the cluster. ``lacking`` has a sentence for each kind of workloads that the user may not list, and
    one if the server cannot say which kinds of policies it has.
    """

    label: str
    lists: list[msgspec.Raw]
    lacking: list[str]


def read_snapshot(
    connection: ApiConnection, resources: Iterable[Resource], ignore_kinds: Collection[str] = ()
) -> Snapshot:
    """All objects of these kinds, finished pods too, and all policies of kinds that ovsnp does not understand.

    ``ignore_kinds`` are kinds of policies to pass over. Raises ApiServerError: for kinds that the user may not list,
    with a line for each.
    """
    found = Snapshot(connection.label, [], [])
    others = other_policies(connection, ignore_kinds)
    if others is None:
        found.lacking.append(f"{connection.label}: {_TOO_OLD}")
    refused: list[str] = []
    for resource in (*resources, *(others or ())):
        try:
            found.lists.append(msgspec.Raw(connection.get(resource, {})))
        except NoSuchObjectError as error:
            if not resource.recent:
                refused.append(str(error))
        except RefusedError as error:
            if error.code != _FORBIDDEN:
                raise
            (found.lacking if resource in WORKLOADS else refused).append(str(error))
    if refused:
        raise ApiServerError("\n".join(refused))
    return found
