"""Waits until a policy is enforced, by watches."""

import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from queue import Empty, SimpleQueue

from ovsnp.analysis.enforcement.cluster_state import ClusterState, PolicyName
from ovsnp.analysis.enforcement.enforcement import PolicyEnforcement, enforcement, no_such_policy
from ovsnp.errors import ApiServerError
from ovsnp.kubernetes.connection import ApiConnection
from ovsnp.kubernetes.events import WatchEvent, WatchTrouble
from ovsnp.kubernetes.following import follow
from ovsnp.kubernetes.listing import list_kind
from ovsnp.kubernetes.pace import WatchPace
from ovsnp.kubernetes.resources import NAMESPACES, NETWORK_POLICIES, NODE_POLICY_STATUSES, NODES, PODS, Resource


def wait_until_enforced(connection: ApiConnection, name: PolicyName, timeout: float) -> PolicyEnforcement | None:
    """Wait until all nodes that a policy concerns enforce it, for at most ``timeout`` seconds.

    Returns the last state, None if the cluster was not read in time. Raises UsageError if there is no such policy, or
    if it is deleted meanwhile, and ApiServerError if the API server refuses.
    """
    until = time.monotonic() + timeout
    policy, *others = _resources(name)
    state = ClusterState()
    # The first list of a watch may come from a cache of the API server, and be older than the user's last change.
    state.take(list_kind(connection, policy), connection.server_time)
    _require(state, name)
    events: SimpleQueue[WatchEvent] = SimpleQueue()
    stop = threading.Event()
    follow(connection, events, stop, resources=[policy, *others], pace=WatchPace(spread=0.0))
    found: PolicyEnforcement | None = None
    try:
        while found is None or found.lacking:
            batch = [*_next(events, until - time.monotonic())]
            if not batch:
                break
            for event in batch:
                _take(state, event, connection.server_time)
            _require(state, name)
            if state.complete:
                found = enforcement(state, name, state.policies[name])
    finally:
        stop.set()
        connection.close()
    return found


def _resources(name: PolicyName) -> list[Resource]:
    """The kinds, with selectors so that the API server sends no more than matters; the policy itself first."""
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


def _take(state: ClusterState, event: WatchEvent, server_time: float | None) -> None:
    if isinstance(event, WatchTrouble) and not state.complete:
        raise ApiServerError(event.message)
    state.take(event, server_time)


def _require(state: ClusterState, name: PolicyName) -> None:
    if name not in state.policies:
        raise no_such_policy(*name)
