"""Lists the objects of a kind once, as the first event of a watch."""

import time

from ovsnp.kubernetes.connection import ApiConnection
from ovsnp.kubernetes.events import KindListed
from ovsnp.kubernetes.resources import Resource
from ovsnp.kubernetes.store import KnownVersions, Listing
from ovsnp.kubernetes.watch_lines import read_list


def list_kind(connection: ApiConnection, resource: Resource) -> KindListed:
    """All objects of a kind as they are now; raises the errors of `ApiConnection.get`."""
    query = {"fieldSelector": resource.fields} if resource.fields else {}
    found = read_list(connection.get(resource, query))
    listing = Listing(resource.kind, time.monotonic())
    listing.put_all(found.items or (), listing.received)
    return KnownVersions(resource.kind).listed(listing, found.metadata.resource_version)
