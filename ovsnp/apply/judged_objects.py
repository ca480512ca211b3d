"""The objects of a cluster on which verdicts depend, found by the addresses of connections."""

import threading
from collections import defaultdict
from collections.abc import Iterable
from itertools import chain

from ovsnp.apply.open_connection import OpenConnection, last_bytes
from ovsnp.model.address import Address, family
from ovsnp.model.changes import Changes
from ovsnp.model.cluster import Cluster, Namespace, Node, Pod
from ovsnp.model.policy import NetworkPolicy
from ovsnp.model.service import Service

_Name = tuple[str, str]

Senders = dict[OpenConnection, tuple[Address, ...]]
"""The addresses of which one is the source of the connection: one, unless pods of a node share what was carried."""


class JudgedObjects:
    """The objects of a whole cluster; `part` gives the few that some connections need.

    One thread may call `update` while another calls `part`.
    """

    def __init__(self) -> None:
        self._namespaces: dict[str, Namespace] = {}
        self._nodes: dict[str, Node] = {}
        self._pods: dict[_Name, Pod] = {}
        self._policies: defaultdict[str, dict[str, NetworkPolicy]] = defaultdict(dict)
        self._services: dict[_Name, Service] = {}
        self._node_at: dict[Address, Node] = {}
        self._pod_at: dict[Address, Pod] = {}
        self._carried_as: defaultdict[bytes, set[Address]] = defaultdict(set)
        self._services_at: defaultdict[Address, dict[_Name, Service]] = defaultdict(dict)
        self._lock = threading.Lock()

    def update(self, changes: Changes) -> bool:
        """Take the changes of the cluster; returns True if an open connection may be forbidden now.

        A pod that comes or goes forbids none: the connections of its addresses end with the last holder.
        """
        came, went = changes.came, changes.went
        with self._lock:
            relabelled = any(each.name in self._namespaces for each in came.namespaces)
            changed = any((pod.namespace, pod.name) in self._pods for pod in came.pods)
            self._update_namespaces(changes)
            self._update_nodes(changes)
            self._update_pods(changes)
            self._update_services(changes)
        return bool(relabelled or changed or came.policies or went.policies or came.nodes or went.nodes)

    def _update_namespaces(self, changes: Changes) -> None:
        for space in changes.went.namespaces:
            self._namespaces.pop(space.name, None)
        self._namespaces.update((space.name, space) for space in changes.came.namespaces)
        for policy in changes.went.policies:
            self._policies[policy.namespace].pop(policy.name, None)
        for policy in changes.came.policies:
            self._policies[policy.namespace][policy.name] = policy

    def _update_nodes(self, changes: Changes) -> None:
        if not (changes.came.nodes or changes.went.nodes):
            return
        for node in changes.went.nodes:
            self._nodes.pop(node.name, None)
        self._nodes.update((node.name, node) for node in changes.came.nodes)
        self._node_at = {}
        for node in self._nodes.values():
            for address in (*node.addresses, *node.gateways):
                self._node_at.setdefault(address, node)

    def _update_pods(self, changes: Changes) -> None:
        for pod in (*changes.went.pods, *changes.came.pods):
            last = self._pods.pop((pod.namespace, pod.name), None)
            for address in last.addresses if last else ():
                if self._pod_at.get(address) is last:
                    del self._pod_at[address]
                    self._carried_as[last_bytes(address)].discard(address)
        for pod in changes.came.pods:
            self._pods[pod.namespace, pod.name] = pod
            for address in pod.addresses:
                self._pod_at[address] = pod
                self._carried_as[last_bytes(address)].add(address)

    def _update_services(self, changes: Changes) -> None:
        for service in (*changes.went.services, *changes.came.services):
            name = service.namespace, service.name
            last = self._services.pop(name, None)
            for address in last.cluster_ips if last else ():
                self._services_at[address].pop(name, None)
        for service in changes.came.services:
            self._services[service.namespace, service.name] = service
            for address in service.cluster_ips:
                self._services_at[address][service.namespace, service.name] = service

    def part(self, connections: Iterable[OpenConnection]) -> tuple[Cluster, Senders]:
        """The part of the cluster that verdicts on these connections depend on, and the sources of the connections."""
        with self._lock:
            senders = {each: self._senders(each) for each in connections}
            ends = {each.destination for each in senders}.union(chain.from_iterable(senders.values()))
            fronts = {each.opened_to[0] for each in senders if each.opened_to}
            return self._around(ends, fronts), senders

    def _senders(self, connection: OpenConnection) -> tuple[Address, ...]:
        """The source; of a masqueraded connection, the pods of the gateway's node with the carried address."""
        source, carried = connection.source, connection.carried
        node = self._node_at.get(source)
        if not connection.by_tunnel or node is None or source not in node.gateways or source in self._pod_at:
            return (source,)
        alike = (address for address in self._carried_as.get(carried, ()) if family(address) == family(source))
        found = tuple(sorted(address for address in alike if self._pod_at[address].is_on(node.name)))
        if found or not any(carried):
            return found or (source,)
        return (Address(source[: -len(carried)] + carried),)

    def _around(self, ends: Iterable[Address], fronts: Iterable[Address]) -> Cluster:
        found = {pod.key: pod for address in ends if (pod := self._pod_at.get(address))}
        pods = [found[key] for key in sorted(found)]
        spaces = sorted({pod.namespace for pod in pods})
        nodes = {node.name: node for address in ends if (node := self._node_at.get(address))}
        services = {name: each for address in fronts for name, each in self._services_at.get(address, {}).items()}
        return Cluster(
            namespaces={name: self._namespaces[name] for name in spaces if name in self._namespaces},
            nodes=nodes,
            pods=tuple(pods),
            policies=tuple(policy for name in spaces for policy in self._policies.get(name, {}).values()),
            services=tuple(services.values()),
        )
