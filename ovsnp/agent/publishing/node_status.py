"""The report of an agent as the status of its NodePolicyStatus object."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import NamedTuple

from msgspec import structs

from ovsnp.agent.report import NOT_READ, AgentReport
from ovsnp.kubernetes.node_policy_status import (
    API_SERVER_CONNECTED,
    READY,
    SWITCH_CONNECTED,
    NodeAgent,
    NodeCondition,
    NodeStatus,
    NotRealisedPolicy,
)

_MOST_LISTED = 1000
_LONGEST_REASON = 300
"""The bounds of the list of policies: etcd takes objects of at most 1.5 MiB."""

_POLICIES = "NetworkPolicy"


class _State(NamedTuple):
    """A condition without its time: its status, and a reason and a message in any case."""

    type: str
    is_true: bool
    reason: str
    message: str


def node_status(report: AgentReport, before: NodeStatus, now: datetime) -> NodeStatus:
    """The status for a report; a condition that has the same status as before keeps its time."""
    listed = report.unrealised[:_MOST_LISTED]
    return NodeStatus(
        dict(report.observed),
        tuple(
            NotRealisedPolicy(f"{each.namespace}/{each.name}", each.generation, each.reason[:_LONGEST_REASON])
            for each in listed
        ),
        len(report.unrealised),
        NodeAgent(report.version, rfc3339(datetime.fromtimestamp(report.started, UTC)), report.bridge),
        tuple(_condition(state, before.condition(state.type), now) for state in _states(report)),
        rfc3339(now),
    )


def ended(status: NodeStatus, now: datetime) -> NodeStatus:
    """The status when the agent ends: the flows stay, and nobody changes them."""
    state = _State(READY, False, "AgentEnded", "the agent has ended; the flows stay as they are")
    others = tuple(each for each in status.conditions if each.type != READY)
    condition = _condition(state, status.condition(READY), now)
    return structs.replace(status, conditions=(condition, *others), renew_time=rfc3339(now))


def is_urgent(before: NodeStatus, after: NodeStatus) -> bool:
    """True if readers wait for the difference: it is more than the versions of the other kinds.

    Pods change all the time. If each change of a version were written at once, one pod that starts in a cluster of
    1,000 nodes would cause 1,000 writes, though nobody waits for them: whether a policy is enforced depends on the
    version of the policies. Those other versions are written with the next renewal.
    """
    same = (
        before.observed.get(_POLICIES) == after.observed.get(_POLICIES)
        and before.not_realised == after.not_realised
        and before.not_realised_count == after.not_realised_count
        and before.agent == after.agent
        and before.conditions == after.conditions
    )
    return not same


def rfc3339(moment: datetime) -> str:
    """A time as the API server takes it."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _states(report: AgentReport) -> Iterator[_State]:
    yield _ready(report)
    troubles = "; ".join(message for _, message in sorted(report.api_server.items()))
    if troubles:
        yield _State(API_SERVER_CONNECTED, False, "WatchFailed", troubles)
    else:
        yield _State(API_SERVER_CONNECTED, True, "Watching", "every kind is watched")
    if trouble := report.switch or report.database:
        reason = "Starting" if trouble == NOT_READ else "SwitchFailed"
        yield _State(SWITCH_CONNECTED, False, reason, trouble)
    else:
        yield _State(SWITCH_CONNECTED, True, "Connected", f"bridge {report.bridge} has its flows")


def _ready(report: AgentReport) -> _State:
    obstacle = report.obstacle
    if obstacle is None:
        return _State(READY, True, "FlowsCurrent", "the flows are those of the cluster")
    if not report.observed and not report.input:
        return _State(READY, False, "Starting", obstacle)
    return _State(READY, False, "InputRefused" if obstacle == report.input else "SwitchFailed", obstacle)


def _condition(state: _State, before: NodeCondition | None, now: datetime) -> NodeCondition:
    status = str(state.is_true)
    since = before.last_transition_time if before and before.status == status else rfc3339(now)
    return NodeCondition(state.type, status, state.reason, state.message, since)
