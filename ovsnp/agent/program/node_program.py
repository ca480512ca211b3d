"""The flows of one node, kept up to date with the objects of the cluster and the interfaces of the bridge."""

import threading
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from ovsnp.agent.program.pods import HeldAddresses, NodePods
from ovsnp.agent.traffic.flow_names import FlowNames
from ovsnp.agent.traffic.object_names import ObjectNames
from ovsnp.apply.holders import Holders
from ovsnp.apply.judged_objects import JudgedObjects
from ovsnp.compiler import Compilation
from ovsnp.errors import SwitchError
from ovsnp.flows.changes import FlowChanges
from ovsnp.flows.program import Program
from ovsnp.manifests.live import LiveObjects, ObjectUpdate
from ovsnp.model.address import Address
from ovsnp.model.bridge import BridgePorts
from ovsnp.model.changes import Changes
from ovsnp.model.cluster import Pod
from ovsnp.model.options import Options
from ovsnp.switch.ports import read_ports


class ProgramChange(NamedTuple):
    """The changes of flows and groups, and the addresses that have a new holder (None: no holder).

    ``forbids``: the policies may forbid open connections now; always false if the program keeps no judged objects.
    """

    flows: FlowChanges
    turned: Mapping[Address, str | None]
    forbids: bool


class NodeProgram:
    """The program of ``options.node``.

    ``live`` are the objects of the cluster, ``ports`` the ports of the bridge, ``tables`` the numbers of flows by
    table, ``groups`` the number of groups. Interfaces are rows of Open vSwitch's database. ``objects`` and ``names``
    are for other threads. ``judged`` are the objects by which open connections are judged, if they are.
    """

    def __init__(self, options: Options, judged: JudgedObjects | None = None) -> None:
        self.live = LiveObjects()
        self._judged = judged
        self.ports: BridgePorts | None = None
        self.objects = ObjectNames()
        self.names = FlowNames()
        self._compilation = Compilation(options)
        self._held = HeldAddresses()
        self._here = NodePods(options.node or "")
        self._interfaces: Sequence[Any] | None = None
        self._with_affinity = 0
        self._lock = threading.Lock()
        self.tables: Counter[str] = Counter()
        self.groups = 0

    @property
    def pods(self) -> Mapping[str, Pod]:
        """The pods of this node, by NAMESPACE/NAME."""
        return self._here.now

    @property
    def holders(self) -> Holders:
        """The holder of each address."""
        return self._held.now

    @property
    def whole(self) -> Program:
        """All flows and groups; any thread may ask. Raises the UsageError of the last update, if there is one."""
        with self._lock:
            return self._compilation.program()

    @property
    def affinity(self) -> Callable[[], Program] | None:
        """A function that gives the program if a Service has sessionAffinity, else None; any thread may call it."""
        return (lambda: self.whole) if self._with_affinity else None

    def update(self, objects: Iterable[ObjectUpdate], interfaces: Sequence[Any]) -> ProgramChange:
        """Take changed objects, and all interfaces of the bridge.

        Raises UsageError if the node is unknown, and SwitchError if the gateway has no valid MAC address. Even then the
        objects count: the next update includes them.
        """
        changes = self.live.update(objects)
        self.objects.update(changes)
        turned = self._held.update(changes)
        forbids = self._judged is not None and self._judged.update(changes)
        if self._here.update(changes) or interfaces is not self._interfaces:
            self.ports = self._read_ports(interfaces, changes)
            changes = msgspec.structs.replace(changes, ports=self.ports)
        return ProgramChange(self._compile(changes), turned, forbids)

    def _read_ports(self, interfaces: Sequence[Any], changes: Changes) -> BridgePorts:
        self._interfaces = None
        try:
            ports = read_ports(interfaces, self._here.now.values())
        except SwitchError:
            self._compile(changes)
            raise
        self._interfaces = interfaces
        return ports

    def _compile(self, changes: Changes) -> FlowChanges:
        with self._lock:
            flows = self._compilation.update(changes)
        self.names.update(flows)
        self._with_affinity += sum(bool(each.affinity) for each in flows.frontends_after)
        self._with_affinity -= sum(bool(each.affinity) for each in flows.frontends_before)
        self.tables.update(flow.table for flow in flows.added)
        self.tables.subtract(flow.table for flow in flows.deleted)
        self.groups += len(flows.groups_added) - len(flows.groups_deleted)
        return flows

    def for_interfaces(self, interfaces: Sequence[Any]) -> Program:
        """The program for these interfaces; raises as `update` does."""
        self.update((), interfaces)
        return self.whole
