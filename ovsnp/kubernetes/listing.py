"""Lists the objects of a kind once, as the first event of a watch."""

import time

from ovsnp.kubernetes.connection import ApiConnection
from ovsnp.kubernetes.events import KindListed, RelistReason
from ovsnp.kubernetes.failures import RefusedError
from ovsnp.kubernetes.queries import newest_list_query
from ovsnp.kubernetes.resources import Resource
from ovsnp.kubernetes.store import KnownVersions, Listing, as_it_came
from ovsnp.kubernetes.watch_lines import read_list

_LATER = 429
"""The answer of an API server that has too much to do, or that has just got to know a kind."""

_ATTEMPTS = 10
"""As client-go does it."""

_PAUSE = 1.0


def list_kind(connection: ApiConnection, resource: Resource) -> KindListed:
    """All objects of a kind as they are now; raises the errors of `ApiConnection.get`."""
    found = read_list(_body(connection, resource, newest_list_query(resource)))
    listing = Listing(resource.kind, time.monotonic(), as_it_came)
    listing.put_all(found.items or (), listing.received)
    return KnownVersions(resource.kind).listed(listing, found.metadata.resource_version, RelistReason.START)


def _body(connection: ApiConnection, resource: Resource, query: dict[str, str]) -> bytes:
    for _ in range(_ATTEMPTS - 1):
        try:
            return connection.get(resource, query)
        except RefusedError as error:
            if error.code != _LATER:
                raise
            time.sleep(_PAUSE if error.retry_after is None else error.retry_after)
    return connection.get(resource, query)
