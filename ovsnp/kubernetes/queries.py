"""The queries of lists and watches (Kubernetes API concepts, "Efficient detection of changes")."""

from ovsnp.kubernetes.pace import WatchPace
from ovsnp.kubernetes.resources import Resource

_RUN = 300.0
"""The least seconds that a watch is to last; it lasts up to twice as long by chance, so that not all end at once."""


def newest_list_query(resource: Resource) -> dict[str, str]:
    """The query of a list of all objects as they are now, in one answer."""
    return {"fieldSelector": resource.fields} if resource.fields else {}


def list_query(resource: Resource, version: str) -> dict[str, str]:
    """The query of a list in one answer.

    The first list (``version`` is empty) may be as old as the server's cache; a later one is at least as new as what is
    known.
    """
    if not version:
        return {**newest_list_query(resource), "resourceVersion": "0"}
    return {**newest_list_query(resource), "resourceVersion": version, "resourceVersionMatch": "NotOlderThan"}


def streamed_list_query(resource: Resource, version: str, pace: WatchPace) -> dict[str, str]:
    """The query of a watch that begins with all objects, at least as new as ``version``."""
    streamed = {"sendInitialEvents": "true", "resourceVersionMatch": "NotOlderThan"}
    return watch_query(resource, version, pace) | streamed


def watch_query(resource: Resource, version: str, pace: WatchPace) -> dict[str, str]:
    """The query of a watch from a version."""
    return {
        **newest_list_query(resource),
        "watch": "true",
        "allowWatchBookmarks": "true",
        "resourceVersion": version,
        "timeoutSeconds": str(int(pace.uniform(_RUN, 2 * _RUN))),
    }
