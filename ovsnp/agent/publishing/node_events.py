"""Events about what an agent does not enforce as it is written: ``kubectl events --for`` shows those of an object.

They are Events of events.k8s.io/v1, which has taken the place of those of the core group: the API server shows each of
them in both. The name of an Event comes from its cause, so that a cause is told once, also after a restart of the
agent, and an object once for all nodes with the same cause. (The API server forgets an Event after an hour.)
"""

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import NamedTuple

import msgspec

from ovsnp.agent.report import AgentReport
from ovsnp.kubernetes.connection import ApiConnection
from ovsnp.kubernetes.failures import RefusedError
from ovsnp.kubernetes.resources import EVENTS

_CONTROLLER = "ovsnp.io/agent"
_LONGEST_NOTE = 1000
"""The API server takes at most 1,024 characters."""
_CONFLICT = 409
_LONGEST_NAME = 200


class _Cause(NamedTuple):
    """What happened to which object. ``reason`` is one word, ``note`` a sentence."""

    kind: str
    api_version: str
    namespace: str
    name: str
    uid: str
    reason: str
    action: str
    note: str

    @property
    def event_name(self) -> str:
        digest = hashlib.sha256("\0".join(self).encode()).hexdigest()
        return f"{self.name[:_LONGEST_NAME]}.{digest[:16]}"


class NodeEvents:
    """Tells each cause once."""

    def __init__(self, connection: ApiConnection, node: str) -> None:
        self._connection, self._node = connection, node
        self._told: set[_Cause] = set()

    def tell(self, report: AgentReport) -> None:
        """Create the Events for what is new in a report; raises ApiServerError."""
        causes = {*_policies(report), *_ports(report)}
        for cause in sorted(causes - self._told):
            self._create(cause)
            self._told.add(cause)
        self._told &= causes

    def _create(self, cause: _Cause) -> None:
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        event = {
            "apiVersion": "events.k8s.io/v1",
            "kind": "Event",
            "metadata": {"namespace": cause.namespace, "name": cause.event_name},
            "eventTime": now,
            "reportingController": _CONTROLLER,
            "reportingInstance": self._node,
            "type": "Warning",
            "reason": cause.reason,
            "action": cause.action,
            "note": cause.note[:_LONGEST_NOTE],
            "regarding": {
                "kind": cause.kind,
                "apiVersion": cause.api_version,
                "namespace": cause.namespace,
                "name": cause.name,
                **({"uid": cause.uid} if cause.uid else {}),
            },
        }
        try:
            self._connection.send("POST", EVENTS, msgspec.json.encode(event), namespace=cause.namespace)
        except RefusedError as error:
            if error.code != _CONFLICT:  # this agent or another one has told it before
                raise


def _policies(report: AgentReport) -> Iterator[_Cause]:
    """The policies that are not enforced as they are written, in the namespaces of this node's pods."""
    concerned = {pod.partition("/")[0] for pod in report.pods}
    for each in report.unrealised:
        if each.namespace in concerned:
            note = f"ovsnp does not understand the policy, so its pods get no traffic in its directions: {each.reason}"
            about = ("NetworkPolicy", "networking.k8s.io/v1", each.namespace, each.name, each.uid)
            yield _Cause(*about, "NotRealised", "Enforce", note)


def _ports(report: AgentReport) -> Iterator[_Cause]:
    for each in report.odd_ports:
        namespace, _, name = each.pod.partition("/")
        yield _Cause("Pod", "v1", namespace, name, each.uid, "PortNotInOrder", "Connect", each.message)
