"""The rules, subjects and Services behind the numbers of flows, packets and connections, for threads beside the loop.

Numbers are hashes of names: after a rule is gone, its number gets another meaning only by a collision. A connection may
outlive the rules that admitted it, so these are known for a day.
"""

import threading
from collections import defaultdict
from collections.abc import Iterator
from typing import NamedTuple

from ovsnp.agent.traffic.lasting_map import LastingMap
from ovsnp.flows.action import SetField
from ovsnp.flows.changes import FlowChanges
from ovsnp.flows.flow import Flow, Slot
from ovsnp.flows.note import Purpose
from ovsnp.ir.ruleset import RuleRef
from ovsnp.model.address import Address
from ovsnp.model.policy import Direction
from ovsnp.model.ports import Protocol
from ovsnp.pipeline import registers as r

_MINUTE, _DAY = 60.0, 24 * 3600.0
_MOST = 20_000
"""The time for which a name is known after it is gone, and the number of such names."""

RULE_TABLES = {"EgressRule": Direction.EGRESS, "IngressRule": Direction.INGRESS}
"""The tables that admit connections by rules."""

_SUBJECT_TABLES = {"Origin": (Direction.EGRESS, r.EGRESS_SUBJECT), "Forward": (Direction.INGRESS, r.INGRESS_SUBJECT)}
"""The tables that write the subject number of a pod."""


class Numbered(NamedTuple):
    """The number of a rule or subject of a direction."""

    direction: Direction
    number: int


class _Membership(NamedTuple):
    subject: Numbered
    pod: str


class FlowNames:
    """The names as of the last `update`; every method may be called from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._rules: LastingMap[Numbered, tuple[RuleRef, ...]] = LastingMap(_DAY, _MOST)
        self._members: LastingMap[Slot, _Membership] = LastingMap(_MINUTE, _MOST)
        self._slots: defaultdict[Numbered, set[Slot]] = defaultdict(set)
        self._services: LastingMap[tuple[Protocol, Address, int], str] = LastingMap(_DAY, _MOST)

    def update(self, changes: FlowChanges) -> None:
        """Take the changes of flows."""
        with self._lock:
            for flow in changes.deleted:
                self._went(flow)
            for flow in (*changes.changed, *changes.added):
                self._came(flow)
            for each in changes.frontends_before:
                self._services.remove((each.protocol, each.address, each.port))
            for each in changes.frontends_after:
                self._services.put((each.protocol, each.address, each.port), each.service)

    def rules(self, number: Numbered) -> tuple[RuleRef, ...]:
        """The rules that a number stands for; empty if the agent has not known it since it started."""
        with self._lock:
            return next(self._rules.at(number), ())

    def subject(self, subject: Numbered) -> frozenset[str]:
        """The keys of the local pods that a subject number stands for, or stood for lately."""
        with self._lock:
            slots = self._slots.get(subject, ())
            return frozenset(each.pod for slot in slots for each in self._members.at(slot) if each.subject == subject)

    def subjects(self) -> dict[Numbered, tuple[str, ...]]:
        """The current subjects with the keys of their pods, sorted."""
        pods: defaultdict[Numbered, set[str]] = defaultdict(set)
        with self._lock:
            for member in self._members.values():
                pods[member.subject].add(member.pod)
        return {subject: tuple(sorted(keys)) for subject, keys in pods.items()}

    def service_at(self, protocol: Protocol, address: Address, port: int) -> str | None:
        """The key of the Service that has a cluster IP and port, or had them last."""
        with self._lock:
            return next(self._services.at((protocol, address, port)), None)

    def _came(self, flow: Flow) -> None:
        if flow.number:
            self._rules.put(Numbered(RULE_TABLES[flow.table], flow.number), flow.rules)
        elif flow.table in _SUBJECT_TABLES and flow.note.purpose is Purpose.POD:
            slot = flow.slot
            self._members.remove(slot)
            for member in _memberships(flow):
                self._members.put(slot, member)
                self._slots[member.subject].add(slot)

    def _went(self, flow: Flow) -> None:
        if flow.number:
            self._rules.remove(Numbered(RULE_TABLES[flow.table], flow.number))
        elif flow.table in _SUBJECT_TABLES and flow.note.purpose is Purpose.POD:
            self._members.remove(flow.slot)


def _memberships(flow: Flow) -> Iterator[_Membership]:
    direction, register = _SUBJECT_TABLES[flow.table]
    for action in flow.actions:
        if isinstance(action, SetField) and action.field is register:
            yield _Membership(Numbered(direction, action.value), flow.note.names[0])
