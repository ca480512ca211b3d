"""Signatures of addresses: the subject and peer selectors that select the pod, and the ports that rules name."""

from collections import defaultdict
from collections.abc import Iterable

from ovsnp.model.address import Address
from ovsnp.model.policy import Direction, NetworkPolicy, PodPeer
from ovsnp.model.ports import ContainerPort
from ovsnp.oracle.endpoints import NodeEnd, OutsideEnd
from ovsnp.oracle.indexed_oracle import IndexedOracle
from ovsnp.oracle.isolation import affects


class Signatures:
    """Values that are equal for two addresses if no selector and no named port of policies tells their holders apart.

    ``policies`` are some of the cluster's policies, or all.
    """

    def __init__(self, oracle: IndexedOracle, policies: Iterable[NetworkPolicy]) -> None:
        self._oracle = oracle
        considered = tuple(policies)
        self._names = used_names(considered)
        self._said = _said(oracle, considered)

    def of(self, address: Address) -> object:
        """The signature of an address; None for an address that neither a pod nor a node holds."""
        match self._oracle.who(address):
            case OutsideEnd():
                return None
            case NodeEnd():
                return ()
            case end:
                ports = named_ports(end.pod.ports, self._names)
                return (*self._said.get(self._oracle.workloads.of_pod[end.pod.key], ()), ports)


def _said(oracle: IndexedOracle, policies: Iterable[NetworkPolicy]) -> dict[int, tuple[int, ...]]:
    """For each group of pods, the numbers of the selectors that select it."""
    subjects, peers = set(), set()
    for policy in policies:
        directions = tuple(direction for direction in Direction if affects(policy, direction))
        subjects.add((policy.namespace, policy.pod_selector))
        for peer in (peer for each in directions for rule in policy.rules(each) for peer in rule.peers):
            if isinstance(peer, PodPeer):
                peers.add((policy.namespace if peer.namespace_selector is None else "", peer))
    selected = [oracle.selected(*subject) for subject in subjects]
    selected += [oracle.named(namespace, peer) for namespace, peer in peers]
    said: dict[int, list[int]] = defaultdict(list)
    for index, groups in enumerate(selected):
        for number in groups:
            said[number].append(index)
    return {number: tuple(indexes) for number, indexes in said.items()}


def used_names(policies: Iterable[NetworkPolicy]) -> frozenset[tuple[str, str]]:
    """The port names that rules use, each with a protocol."""
    return frozenset(
        (entry.port, entry.protocol)
        for policy in policies
        for direction in Direction
        for rule in policy.rules(direction)
        for entry in rule.ports
        if isinstance(entry.port, str)
    )


def named_ports(ports: Iterable[ContainerPort], names: frozenset[tuple[str, str]]) -> frozenset[ContainerPort]:
    """Those of a pod's ports that rules name."""
    return frozenset(port for port in ports if (port.name, port.protocol) in names)
