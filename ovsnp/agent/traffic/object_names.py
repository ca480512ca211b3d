"""The pods, nodes and policies behind the addresses of packets, for threads beside the loop.

A report of a packet is read some milliseconds after the drop, so an object is known for some time after it is gone.
"""

import threading
from collections import defaultdict
from collections.abc import Collection
from typing import TypeVar

from ovsnp.agent.traffic.drop_document import TrafficEnd
from ovsnp.agent.traffic.lasting_map import LastingMap
from ovsnp.model.address import Address, format_address
from ovsnp.model.changes import Changes
from ovsnp.model.cluster import Node, Pod
from ovsnp.model.policy import Direction, NetworkPolicy
from ovsnp.oracle.isolation import isolates

_SECONDS = 60.0
_MOST = 20_000
"""The time for which an object is known after it is gone, and the number of such objects."""

_KINDS = 1_000
"""The kinds of pods, by their labels, whose policies are kept."""

_Holder = TypeVar("_Holder", Pod, Node)


def _key(holder: Pod | Node) -> str:
    return holder.key if isinstance(holder, Pod) else holder.name


class ObjectNames:
    """The objects as of the last `update`; every method may be called from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pods: LastingMap[Address, Pod] = LastingMap(_SECONDS, _MOST)
        self._nodes: LastingMap[Address, Node] = LastingMap(_SECONDS, _MOST)
        self._addresses: dict[tuple[str, str], tuple[Address, ...]] = {}
        self._policies: defaultdict[str, dict[str, NetworkPolicy]] = defaultdict(dict)
        self._isolated: dict[tuple[str, frozenset[tuple[str, str]], Direction], tuple[NetworkPolicy, ...]] = {}

    def update(self, changes: Changes) -> None:
        """Take the changes of the cluster."""
        came, went = changes.came, changes.went
        with self._lock:
            for pod in went.pods:
                self._move(self._pods, ("Pod", pod.key), (), pod)
            for pod in came.pods:
                self._move(self._pods, ("Pod", pod.key), pod.addresses, pod)
            for node in went.nodes:
                self._move(self._nodes, ("Node", node.name), (), node)
            for node in came.nodes:
                self._move(self._nodes, ("Node", node.name), (*node.addresses, *node.gateways), node)
            for policy in went.policies:
                self._policies[policy.namespace].pop(policy.name, None)
            for policy in came.policies:
                self._policies[policy.namespace][policy.name] = policy
            if came.policies or went.policies or len(self._isolated) > _KINDS:
                self._isolated.clear()

    def pod_at(self, address: Address, among: Collection[str] = ()) -> Pod | None:
        """The pod that has an address, or had it last; first of all one of the pods with the keys ``among``."""
        with self._lock:
            pods = list(self._pods.at(address))
        return next((pod for pod in pods if pod.key in among), pods[0] if pods else None)

    def end_at(self, address: Address, among: Collection[str] = ()) -> TrafficEnd:
        """An end of a connection: the pod of `pod_at`, or else the node that has the address, or had it last."""
        pod = self.pod_at(address, among)
        with self._lock:
            node = None if pod else next((node.name for node in self._nodes.at(address)), None)
        return TrafficEnd(format_address(address), pod.key if pod else None, node)

    def isolating(self, pod: Pod, direction: Direction) -> tuple[str, ...]:
        """The policies (``NAMESPACE/NAME``) that isolate a pod, sorted."""
        with self._lock:
            return tuple(sorted(policy.key for policy in self._isolating(pod, direction)))

    def isolating_any(self, pods: Collection[str], direction: Direction) -> set[tuple[str, str]]:
        """The policies, namespace and name, that isolate at least one of the pods with these keys."""
        with self._lock:
            there = filter(None, map(self._pod, pods))
            return {(each.namespace, each.name) for pod in there for each in self._isolating(pod, direction)}

    def _isolating(self, pod: Pod, direction: Direction) -> tuple[NetworkPolicy, ...]:
        """Found once for all pods with the same labels: a namespace may have thousands of policies."""
        kind = pod.namespace, frozenset(pod.labels.items()), direction
        if kind not in self._isolated:
            policies = self._policies.get(pod.namespace, {}).values()
            self._isolated[kind] = tuple(policy for policy in policies if isolates(policy, pod, direction))
        return self._isolated[kind]

    def _pod(self, key: str) -> Pod | None:
        """The pod with a key, if it is there now."""
        addresses = self._addresses.get(("Pod", key), ())
        return next((pod for address in addresses for pod in self._pods.at(address) if pod.key == key), None)

    def _move(
        self, held: LastingMap[Address, _Holder], name: tuple[str, str], to: tuple[Address, ...], holder: _Holder
    ) -> None:
        """Give an object other addresses; an address that another object has by now stays with that object."""
        for address in self._addresses.pop(name, ()):
            if address not in to and _key(next(held.at(address), holder)) == _key(holder):
                held.remove(address)
        for address in to:
            held.put(address, holder)
        if to:
            self._addresses[name] = to
