"""The pods of a live cluster: which pod has which address after each change."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from ovsnp.manifests.kinds import wire
from ovsnp.manifests.kinds.pod_addresses import Addressing, Nodes
from ovsnp.manifests.kinds.pods import PodReader, is_ending
from ovsnp.manifests.live.current_objects import CurrentObjects, Name
from ovsnp.manifests.live.findings import LIVE, Findings
from ovsnp.model.address import Address, format_address
from ovsnp.model.cluster import Namespace, Pod
from ovsnp.yaml_reader.report import MistakeReport, Subject


class _ReadPod(NamedTuple):
    """A Pod object, before its addresses are compared with those of nodes and other pods.

    ``pod`` is None if it does not count. ``of_host`` is the object of a pod in the network of its node.
    """

    pod: Pod | None
    ending: bool
    of_host: wire.ApiPod | None


class LivePods:
    """The pods that count, and the pods in the networks of their nodes.

    A pod counts only while its Namespace is known: a selector of namespaces must not select a pod because the labels of
    the namespace are not there yet. ``touched`` are the addresses that pods have claimed or given up, and ``disputed``
    are the pods (NAMESPACE/NAME) that have lost or regained an address; both since the reader last cleared them.
    """

    def __init__(self, namespaces: Mapping[str, Namespace], report: MistakeReport, findings: Findings) -> None:
        self.pods: CurrentObjects[Name, Pod] = CurrentObjects()
        self.host_pods: CurrentObjects[Name, Pod] = CurrentObjects()
        self.touched: set[Address] = set()
        self.disputed: set[str] = set()
        self._namespaces = namespaces
        self._report = report
        self._findings = findings
        self._read: dict[str, dict[str, _ReadPod]] = {}
        self._admitted: dict[Name, Pod] = {}
        self.use_nodes(Nodes({}, frozenset()))

    def use_nodes(self, nodes: Nodes) -> list[Name]:
        """Take the nodes; returns the names of all pods, which must be settled again."""
        self.addressing = Addressing(nodes, self._report)
        self._reader = PodReader(nodes, self._report)
        self._admitted.clear()
        names = [(namespace, name) for namespace in self._read for name in self._read[namespace]]
        for name in names:
            if of_host := self._read[name[0]][name[1]].of_host:
                self.take(name, of_host)
        return names

    def in_namespace(self, namespace: str) -> list[Name]:
        """The names of all pods of a namespace."""
        return [(namespace, name) for name in self._read.get(namespace, ())]

    def take(self, name: Name, written: wire.ApiPod | None) -> None:
        """Read a Pod object (None: it is gone). The pod must be settled afterwards."""
        if written is None:
            self._read.get(name[0], {}).pop(name[1], None)
            self._findings.take(("Pod", *name))
            return
        pod = self._reader.read(written, *name, LIVE, None)
        self._reader.ended.clear()
        if self._findings.take(("Pod", *name)):
            pod = None
        of_host = written if written.spec and written.spec.host_network else None
        self._read.setdefault(name[0], {})[name[1]] = _ReadPod(pod, is_ending(written), of_host)

    def settle(self, names: Iterable[Name]) -> None:
        """Decide again which of these pods count, and with which addresses; other pods that claim the same, too."""
        changed = set(names)
        rivals = self._withdraw(changed)
        self._admit(changed)
        rivals = (rivals | self._rivals(changed)) - changed
        self._withdraw(rivals)
        self._admit(rivals)
        for name in changed | rivals:
            self._put(name)

    def _withdraw(self, names: Iterable[Name]) -> set[Name]:
        """Take back what these pods claim; returns the other pods that claimed the same."""
        rivals = self._rivals(names)
        for name in names:
            if self.addressing.loses(key := "/".join(name)):
                self.disputed.add(key)
            if pod := self._admitted.pop(name, None):
                self.addressing.withdraw(pod)
                self.touched.update(pod.addresses)
        return rivals

    def _rivals(self, names: Iterable[Name]) -> set[Name]:
        pods = (self._admitted[name] for name in names if name in self._admitted)
        return {(other.namespace, other.name) for pod in pods for other in self.addressing.rivals(pod)}

    def _admit(self, names: Iterable[Name]) -> None:
        for name in names:
            read = self._counting(name)
            if not read or not read.pod or not read.pod.addresses or read.of_host:
                continue
            self._report.begin(LIVE, Subject("Pod", *name))
            status = wire.ApiPodStatus(pod_ips=[wire.ApiPodIP(format_address(each)) for each in read.pod.addresses])
            if admitted := self.addressing.admit(read.pod, status, ending=read.ending):
                self._admitted[name] = admitted
                self.touched.update(admitted.addresses)

    def _counting(self, name: Name) -> _ReadPod | None:
        return self._read.get(name[0], {}).get(name[1]) if name[0] in self._namespaces else None

    def _put(self, name: Name) -> None:
        """Set the result for one pod, and the notes about its addresses."""
        admitted, read = self._admitted.get(name), self._counting(name)
        self.pods.put(name, self.addressing.settled(admitted) if admitted else None)
        self.host_pods.put(name, read.pod if read and read.of_host else None)
        self._findings.take(("addresses", *name))
        if self.addressing.loses(key := "/".join(name)):
            self.disputed.add(key)
