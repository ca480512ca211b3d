"""Waits until a policy is enforced, by watches."""

import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from queue import Empty, SimpleQueue

from ovsnp.analysis.enforcement.cluster_state import ClusterState, PolicyName
from ovsnp.analysis.enforcement.enforcement import PolicyEnforcement, enforcement, no_such_policy
from ovsnp.kubernetes.connection import ApiConnection
from ovsnp.kubernetes.events import WatchEvent
from ovsnp.kubernetes.following import follow
from ovsnp.kubernetes.listing import list_kind
from ovsnp.kubernetes.pace import WatchPace
from ovsnp.kubernetes.resources import NAMESPACES, NETWORK_POLICIES, NODE_POLICY_STATUSES, NODES, PODS, Resource


def wait_until_enforced(connection: ApiConnection, name: PolicyName, timeout: float) -> PolicyEnforcement:
    """Wait until all nodes that a policy concerns enforce it, for at most ``timeout`` seconds; returns the last state.

    Raises UsageError if there is no such policy, or if it is deleted meanwhile, and ApiServerError if the API server
    refuses the first lists. Later troubles of a watch only take time.
    """
    until = time.monotonic() + timeout
    state = ClusterState()
    resources = _resources(name)
    # The first list of a watch may come from a cache of the API server, and be older than the user's last change.
    for resource in resources:
        state.take(list_kind(connection, resource), connection.server_time)
    found = _enforcement(state, name)
    if not found.lacking:
        return found
    events: SimpleQueue[WatchEvent] = SimpleQueue()
    stop = threading.Event()
    follow(connection, events, stop, resources=resources, pace=WatchPace(spread=0.0))
    try:
        while found.lacking and (batch := [*_next(events, until - time.monotonic())]):
            for event in batch:
                state.take(event, connection.server_time)
            found = _enforcement(state, name)
    finally:
        stop.set()
        connection.close()
    return found


def _resources(name: PolicyName) -> list[Resource]:
    """The kinds, with selectors so that the API server sends no more than matters."""
    namespace, policy = name
    return [
        NETWORK_POLICIES._replace(fields=f"metadata.name={policy},metadata.namespace={namespace}"),
        NAMESPACES._replace(fields=f"metadata.name={namespace}"),
        PODS._replace(fields=f"{PODS.fields},metadata.namespace={namespace}"),
        NODES,
        NODE_POLICY_STATUSES,
    ]


def _next(events: "SimpleQueue[WatchEvent]", seconds: float) -> Iterator[WatchEvent]:
    """All events that have come, or the next one; none if none comes in time."""
    with suppress(Empty):
        yield events.get(timeout=max(seconds, 0))
        while True:
            yield events.get_nowait()


def _enforcement(state: ClusterState, name: PolicyName) -> PolicyEnforcement:
    if name not in state.policies:
        raise no_such_policy(*name)
    return enforcement(state, name, state.policies[name])
