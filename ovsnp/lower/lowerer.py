"""Pass 4 as a whole: from one node's bridge and clauses to flows, unit by unit."""

from collections.abc import Iterator, Mapping

from ovsnp.flows.flow import Flow
from ovsnp.flows.group import Group
from ovsnp.flows.units import Unit, UnitChanges
from ovsnp.ir.clauses import PeerEntry, PolicyChanges
from ovsnp.ir.frontend import Frontend
from ovsnp.ir.node_changes import NodeChanges
from ovsnp.ir.ruleset import PeerTable
from ovsnp.lower import address_resolution, forward, nodes, origin, output
from ovsnp.lower.always import always
from ovsnp.lower.peers import peer_flow
from ovsnp.lower.policy import service_block_flow
from ovsnp.lower.rules import RuleFlows
from ovsnp.lower.service import ServiceFlows
from ovsnp.model.address import Prefix
from ovsnp.model.bridge import Bridge, LocalPod, RemoteNode
from ovsnp.model.changes import keep
from ovsnp.model.options import Encap, Options
from ovsnp.model.policy import Direction

_Made = Iterator[tuple[Unit, tuple[Flow, ...]]]

_OF_SUBJECT = {Direction.EGRESS: origin.pod_flows, Direction.INGRESS: forward.pod_flows}
"""The flows that write a pod's subject number: units of their own, as a policy changes the numbers of many pods."""


class Lowerer:
    """Makes the flows of a bridge; for a change, it makes only the units again that the change touches."""

    def __init__(self, options: Options) -> None:
        self._encap = options.encap
        self._always = always(options)
        self._inputs: dict[str, tuple[object, ...]] = {}
        self._bridge: Bridge | None = None
        self._pods: dict[str, LocalPod] = {}
        self._nodes: dict[str, RemoteNode] = {}
        self._subjects: dict[Direction, dict[str, int]] = {direction: {} for direction in Direction}
        self._service_prefixes: set[Prefix] = set()
        self._rules = {direction: RuleFlows(direction, options) for direction in Direction}
        self._services = ServiceFlows()

    @property
    def frontends(self) -> tuple[Frontend, ...]:
        """The ports of Services, sorted by the namespace and name of the Service."""
        return self._services.frontends

    @property
    def groups(self) -> tuple[Group, ...]:
        """All groups, in the order of their ports."""
        return self._services.groups

    def update(self, policy: PolicyChanges) -> UnitChanges:
        """Take the changes for the node; returns the units that are made again.

        Raises UsageError if VXLAN cannot carry a pod's address.
        """
        node = policy.node
        before, self._bridge = self._bridge, node.bridge
        made: dict[Unit, tuple[Flow, ...]] = {}
        if node.bridge is not before:
            made.update(self._always_there(node.bridge))
        made.update(self._of_pods(before, node, policy))
        made.update(self._of_nodes(before, node))
        for table, entries in policy.peers.items():
            made.update(self._of_peers(table, entries))
        for direction, rules in self._rules.items():
            made.update(rules.update(policy.clauses[direction], node.bridge.families))
        groups: dict[Unit, tuple[Group, ...]] = {}
        frontends = self._services.ports_of(node.frontends)
        for unit, flows, of_port in self._services.update(node.frontends):
            made[unit], groups[unit] = flows, of_port
        if node.pods or groups or node.bridge is not before:
            self._check_offsets(node.bridge)
        return UnitChanges(made, groups, frontends, self._services.ports_of(node.frontends))

    def _check_offsets(self, bridge: Bridge) -> None:
        if self._encap is Encap.VXLAN and self._services.has_ports:
            output.check_offsets((self._pods[key] for key in sorted(self._pods)), bridge.pod_cidrs)

    def _always_there(self, bridge: Bridge) -> _Made:
        for name, needs, make in self._always:
            inputs = tuple(getattr(bridge, field) for field in needs)
            if inputs != self._inputs.get(name):
                self._inputs[name] = inputs
                yield ("always", name), tuple(make(bridge))

    def _of_pods(self, before: Bridge | None, node: NodeChanges, policy: PolicyChanges) -> _Made:
        keep(self._pods, node.pods)
        for direction, subjects in self._subjects.items():
            numbers = policy.clauses[direction].numbers
            keep(subjects, {pod: number or None for pod, number in numbers.items()})
            for key in {*node.pods, *numbers}:
                local = self._pods.get(key)
                made = _OF_SUBJECT[direction](local, subjects.get(key, 0)) if local else ()
                yield ("pod", key, direction), tuple(made)
        touched = {*node.pods}
        if before is not node.bridge and (before is None or before.gateways != node.bridge.gateways):
            touched |= self._pods.keys()
        for key in touched:
            local = self._pods.get(key)
            yield ("pod", key), tuple(_of_pod(local, node.bridge)) if local else ()

    def _of_nodes(self, before: Bridge | None, node: NodeChanges) -> _Made:
        keep(self._nodes, node.nodes)
        tunnel, families = node.bridge.tunnel, node.bridge.families
        touched = {*node.nodes}
        if before is None or (before.tunnel, before.families) != (tunnel, families):
            touched |= self._nodes.keys()
        for name in touched:
            other = self._nodes.get(name)
            if other is None:
                yield ("node", name), ()
            else:
                of_origin = origin.node_flows(other, tunnel, self._encap)
                yield (
                    ("node", name),
                    (*of_origin, *nodes.node_flows(other), *forward.node_flows(other, tunnel, families)),
                )

    def _of_peers(self, table: PeerTable, entries: Mapping[Prefix, PeerEntry | None]) -> _Made:
        for prefix, entry in entries.items():
            yield (table, prefix), (peer_flow(table, entry),) if entry else ()
        if table is PeerTable.EGRESS_SERVICE and entries:
            for prefix, entry in entries.items():
                (self._service_prefixes.add if entry else self._service_prefixes.discard)(prefix)
            yield ("always", "service blocks"), (service_block_flow(),) if self._service_prefixes else ()


def _of_pod(local: LocalPod, bridge: Bridge) -> Iterator[Flow]:
    """The flows of a pod that do not depend on policies."""
    yield from origin.neighbor_flows(local)
    yield from address_resolution.pod_flows(local)
    yield from output.pod_flows(local, bridge.gateways)
