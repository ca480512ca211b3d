"""The pods of a cluster that an agent must know: the holder of each address, and the pods of its own node."""

from collections.abc import Iterable
from typing import NamedTuple

from ovsnp.apply.holders import Holders
from ovsnp.model.address import Address
from ovsnp.model.changes import Changes
from ovsnp.model.cluster import Pod


class _Held(NamedTuple):
    holder: str
    addresses: tuple[Address, ...]


class HeldAddresses:
    """The holder of each address (``now``), with the changes of the cluster."""

    def __init__(self) -> None:
        self.now: Holders = {}
        self._pods: dict[tuple[str, str], _Held] = {}

    def update(self, changes: Changes) -> dict[Address, str | None]:
        """The addresses that have another holder than before these changes (None: no holder)."""
        before: dict[Address, str | None] = {}
        self._give_up((*changes.went.pods, *changes.came.pods), before)
        for pod in changes.came.pods:
            self._pods[pod.namespace, pod.name] = _Held(pod.holder, pod.addresses)
            for address in pod.addresses:
                before.setdefault(address, self.now.get(address))
                self.now[address] = pod.holder
        return {address: self.now.get(address) for address, last in before.items() if self.now.get(address) != last}

    def _give_up(self, pods: Iterable[Pod], before: dict[Address, str | None]) -> None:
        for pod in pods:
            held = self._pods.pop((pod.namespace, pod.name), None)
            for address in held.addresses if held else ():
                if held and self.now.get(address) == held.holder:
                    before.setdefault(address, held.holder)
                    del self.now[address]


class NodePods:
    """The pods of one node, by NAMESPACE/NAME (``now``)."""

    def __init__(self, node: str) -> None:
        self._node = node
        self.now: dict[str, Pod] = {}

    def update(self, changes: Changes) -> bool:
        """Take the changes of the cluster; returns True if a pod of this node came, changed or went."""
        changed = False
        for pod in (*changes.went.pods, *changes.came.pods):
            changed |= self.now.pop(pod.key, None) is not None
        for pod in changes.came.pods:
            if pod.is_on(self._node):
                self.now[pod.key] = pod
                changed = True
        return changed
