"""The objects of a live cluster, followed by watches."""

import threading
import time
from collections.abc import Collection, Hashable, Iterable
from queue import Empty, SimpleQueue
from types import TracebackType
from typing import Self

import msgspec

from ovsnp.analysis.enforcement.cluster_state import NEEDED, ClusterState
from ovsnp.analysis.enforcement.enforcement import enforcement
from ovsnp.console.workspace.cluster_source import Enforcements, ReadObjects
from ovsnp.console.workspace.live_texts import LiveTexts
from ovsnp.console.workspace.refusals import refusal_sentences
from ovsnp.errors import ApiServerError, Span
from ovsnp.kubernetes.connection import ApiConnection
from ovsnp.kubernetes.discovery import other_policies
from ovsnp.kubernetes.events import KindListed, ObjectChange, WatchEvent, WatchRestored, WatchTrouble
from ovsnp.kubernetes.following import follow
from ovsnp.kubernetes.pace import WatchPace
from ovsnp.kubernetes.resources import FOLLOWED, NETWORK_POLICIES, NODE_POLICY_STATUSES, WORKLOADS, Resource
from ovsnp.manifests import load_lists
from ovsnp.manifests.closed_policies import ClosedPolicies

_FIRST_LISTS = 60.0
"""The seconds that the first lists may take together."""

_PAUSE = 0.05
"""The seconds between two looks whether all first lists are here."""

_STATUSES = NODE_POLICY_STATUSES._replace(recent=True)
"""A cluster without agents of ovsnp does not know the kind."""

_OF_STATUS = frozenset(each.kind for each in NEEDED)
_Objects = dict[tuple[str, str], msgspec.Raw]


class LiveCluster:
    """The objects of a cluster as they are now, from the watches of the user's own kubeconfig.

    Kinds of workloads that the user may not list are left out, with a trouble; a context manager, which ends the
    watches. ``ignore_kinds`` are kinds of policies to pass over.
    """

    is_live = True

    def __init__(self, connection: ApiConnection, ignore_kinds: Collection[str]) -> None:
        self.labels = (connection.label,)
        self._connection, self._ignore_kinds = connection, ignore_kinds
        self._stop = threading.Event()
        self._queue: SimpleQueue[WatchEvent] = SimpleQueue()
        self._objects: dict[str, _Objects] = {}
        self._resources: dict[str, Resource] = {}
        self._troubles: dict[str, WatchTrouble] = {}
        self._state = ClusterState()
        self._changes = 0
        self._texts = LiveTexts(connection.label, [])

    def __enter__(self) -> Self:
        """Start the watches; raises ApiServerError if the user may not list a kind that decides about connections."""
        others = tuple(other_policies(self._connection, self._ignore_kinds) or ())
        resources = (*FOLLOWED, *WORKLOADS, _STATUSES, *others)
        self._resources = {each.kind: each for each in resources}
        follow(self._connection, self._queue, self._stop, resources=resources, pace=WatchPace(spread=0.0))
        try:
            self._await_first_lists({each.kind for each in (*FOLLOWED, *others)})
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._end()

    def version(self) -> Hashable:
        """The number of changes of objects so far, other than the agents' status."""
        self._take_all()
        return self._changes

    def read(self) -> ReadObjects:
        """The objects that are known now."""
        closed = ClosedPolicies()
        policies = [*self._objects[NETWORK_POLICIES.kind].values()]
        self._texts = LiveTexts(self.labels[0], policies)
        lists = [_list_of(NETWORK_POLICIES, policies)]
        for kind, objects in self._objects.items():
            if kind not in (NETWORK_POLICIES.kind, _STATUSES.kind):
                lists.append(_list_of(self._resources[kind], objects.values()))
        cluster = load_lists(lists, self.labels[0], ignore_kinds=self._ignore_kinds, judge=closed.judged)
        return ReadObjects(cluster, closed.found)

    def texts(self) -> LiveTexts:
        """The policies that were read last, as YAML."""
        return self._texts

    def lines_around(self, span: Span) -> None:
        """None: the objects of a cluster are in no file."""

    def enforcements(self) -> Enforcements:
        """What the agents have told; empty where there is no agent at all."""
        self._take_all()
        if not self._state.agents:
            return {}
        return {name: enforcement(self._state, name, stored) for name, stored in self._state.policies.items()}

    def troubles(self) -> tuple[str, ...]:
        """What the watches complain of now."""
        return tuple(each.message for _, each in sorted(self._troubles.items()))

    def _await_first_lists(self, needed: set[str]) -> None:
        until = time.monotonic() + _FIRST_LISTS
        while waiting := self._waiting():
            if time.monotonic() > until:
                said = self.troubles() or (f"{self.labels[0]}: no list of {', '.join(sorted(waiting))} has come",)
                raise ApiServerError("\n".join(said))
            time.sleep(_PAUSE)
        if lacking := sorted(needed - self._objects.keys()):
            refusals = [self._troubles[kind] for kind in lacking]
            raise ApiServerError("\n".join(refusal_sentences(self.labels[0], refusals, self._resources)))

    def _waiting(self) -> set[str]:
        """The kinds that have neither been listed nor refused."""
        self._take_all()
        refused = {kind for kind, trouble in self._troubles.items() if trouble.refused}
        return self._resources.keys() - self._objects.keys() - refused

    def _take_all(self) -> None:
        while True:
            try:
                event = self._queue.get_nowait()
            except Empty:
                return
            if event.kind in _OF_STATUS:
                self._state.take(event, self._connection.server_time)
            match event:
                case KindListed(kind=kind, changes=changes):
                    self._objects.setdefault(kind, {})
                    self._take(changes)
                case ObjectChange():
                    self._take([event])
                case WatchTrouble(kind=kind):
                    self._troubles[kind] = event
                case WatchRestored(kind=kind):
                    self._troubles.pop(kind, None)

    def _take(self, changes: Iterable[ObjectChange]) -> None:
        for change in changes:
            objects = self._objects.setdefault(change.kind, {})
            if change.body is None:
                objects.pop((change.namespace, change.name), None)
            else:
                objects[change.namespace, change.name] = change.body
            self._changes += change.kind != _STATUSES.kind

    def _end(self) -> None:
        self._stop.set()
        self._connection.close()


def _list_of(resource: Resource, objects: Iterable[msgspec.Raw]) -> msgspec.Raw:
    """A typed List: the items of a list of an API server do not state their type."""
    version = f"{resource.group}/{resource.version}" if resource.group else resource.version
    found = {"apiVersion": version, "kind": f"{resource.kind}List", "items": [*objects]}
    return msgspec.Raw(msgspec.json.encode(found))
