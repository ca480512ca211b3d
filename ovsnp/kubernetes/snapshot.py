"""Reads a cluster once, as `kubectl get` would."""

from collections.abc import Iterable
from typing import NamedTuple

import msgspec

from ovsnp.errors import ApiServerError
from ovsnp.kubernetes.connection import ApiConnection
from ovsnp.kubernetes.failures import NoSuchObjectError, RefusedError
from ovsnp.kubernetes.resources import WORKLOADS, Resource

_FORBIDDEN = 403


class Snapshot(NamedTuple):
    """The objects of a cluster: one list for each kind, in JSON.

    ``label`` names the cluster. ``lacking`` has a sentence for each kind of workloads that the user may not list.
    """

    label: str
    lists: list[msgspec.Raw]
    lacking: list[str]


def read_snapshot(connection: ApiConnection, resources: Iterable[Resource]) -> Snapshot:
    """All objects of these kinds, finished pods too.

    Raises ApiServerError: for kinds that the user may not list, with a line for each.
    """
    found = Snapshot(connection.label, [], [])
    refused: list[str] = []
    for resource in resources:
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
