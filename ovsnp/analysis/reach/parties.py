"""The rows and columns of the matrix: workloads or pods, nodes, and blocks of outside addresses."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import StrEnum

import msgspec

from ovsnp.analysis.reach.outside import outsiders
from ovsnp.analysis.reach.workloads import by_workload, group, name_of_workload
from ovsnp.model.address import FAMILIES, Address, family, format_address
from ovsnp.model.cluster import Cluster, Node, Pod, Workload
from ovsnp.oracle import NodeEnd
from ovsnp.oracle.classes import Classes
from ovsnp.oracle.indexed_oracle import IndexedOracle
from ovsnp.oracle.rulebook import Rulebook


class By(StrEnum):
    """The unit of a row: a workload or a pod."""

    WORKLOAD = "workload"
    POD = "pod"


class PartyKind(StrEnum):
    """The kind of end in a row or column."""

    POD = "pod"
    NODE = "node"
    OUTSIDE = "outside"


class Party(msgspec.Struct, frozen=True):
    """A row and column: ends with the same answers; no two parties have the same name.

    ``classes`` are the classes (numbers in `Classes`) of its addresses, one for each family; for outsiders this is one
    of several, and ``outside`` are all of them. ``nodes`` are the nodes of the party, or those on which its pods run.
    ``addresses`` are the addresses of nodes; for outsiders, ``FIRST-LAST`` or one address.
    """

    name: str
    kind: PartyKind
    classes: Mapping[int, int]
    pods: tuple[Pod, ...] = ()
    nodes: frozenset[str] = frozenset()
    addresses: tuple[str, ...] = ()
    outside: frozenset[int] = frozenset()

    @property
    def lone(self) -> bool:
        """True if the party is one pod, which reaches itself whatever policies say; a template stands for several."""
        return len(self.pods) == 1 and not self.pods[0].template

    @property
    def workload(self) -> Workload | None:
        """The workload of the pods, where the input names it."""
        return self.pods[0].workload if self.pods else None

    @property
    def namespace(self) -> str | None:
        """The namespace of the pods; None where the party has no pods."""
        return self.pods[0].namespace if self.pods else None


def parties(
    classes: Classes, rules: Sequence[Rulebook], by: By, *, strict_nodes: bool, alone: frozenset[str] = frozenset()
) -> tuple[Party, ...]:
    """Pods by namespace and name, then nodes, then outsiders; together all addresses with which a pod can connect.

    ``rules`` are those of each cluster of the classes; pods and nodes are those of the first cluster. ``alone`` are the
    keys of pods that are parties of their own.

    Unused addresses of a pod CIDR, multicast and broadcast are left out: no host has them. Without ``strict_nodes``
    policies do not apply to node addresses, so a node is in one party; with it, in one for each class of its addresses.
    """
    cluster = classes.clusters[0].cluster
    found = [*_pods(cluster, classes, by, alone), *_nodes(classes, by, strict_nodes=strict_nodes)]
    versions = {family(address) for pod in cluster.pods for address in pod.addresses}
    outside = [
        Party(
            f"outside/{each.name}",
            PartyKind.OUTSIDE,
            {each.family: each.numbers[0]},
            addresses=each.addresses,
            outside=frozenset(each.numbers),
        )
        for each in outsiders(classes, rules)
        if each.family in versions
    ]
    return tuple(_told_apart([*found, *outside], {} if alone else _meant(cluster), by))


def _pods(cluster: Cluster, classes: Classes, by: By, alone: frozenset[str]) -> list[Party]:
    if by is By.POD:
        return [_of_pods([pod], classes, pod.name) for pod in cluster.pods]
    found = [_of_pods([pod], classes, pod.name) for pod in cluster.pods if pod.key in alone]
    for pods in group(pod for pod in cluster.pods if pod.key not in alone).values():
        alike: dict[object, list[Pod]] = defaultdict(list)
        for pod in pods:
            alike[tuple(_classes_of(pod.addresses, classes).items())].append(pod)
        found += [_of_pods(members, classes, name_of_workload(pods)) for members in alike.values()]
    return sorted(found, key=lambda party: (party.name, party.pods[0].name))


def _of_pods(pods: list[Pod], classes: Classes, name: str) -> Party:
    known = classes.clusters[0].cluster.nodes
    nodes = frozenset(pod.node for pod in pods if pod.node is not None and pod.node in known)
    held = _classes_of(pods[0].addresses, classes)
    return Party(f"{pods[0].namespace}/{name}", PartyKind.POD, held, tuple(pods), nodes)


def _classes_of(addresses: Iterable[Address], classes: Classes) -> dict[int, int]:
    """The class of the first address of each family."""
    first: dict[int, int] = {}
    for address in addresses:
        first.setdefault(family(address), classes.of(address).number)
    return {version: first[version] for version in FAMILIES if version in first}


def _nodes(classes: Classes, by: By, *, strict_nodes: bool) -> Iterator[Party]:
    together: dict[object, list[_Face]] = defaultdict(list)
    for node in classes.clusters[0].cluster.nodes.values():
        for face in _faces(node, classes, every_class=strict_nodes):
            alike = tuple(face.classes.items()) if strict_nodes else tuple(face.classes)
            together[alike, node.name if by is By.POD else None].append(face)
    for faces in together.values():
        nodes = frozenset(face.node for face in faces)
        name = "nodes" if len(nodes) > 1 else f"node/{faces[0].node}"
        addresses = [format_address(address) for face in faces for address in face.addresses]
        where = "" if faces[0].own else f"[{addresses[0]}]"
        yield Party(f"{name}{where}", PartyKind.NODE, faces[0].classes, nodes=nodes, addresses=tuple(addresses))


class _Face(msgspec.Struct, frozen=True):
    """A node with some of its addresses; ``own`` is True if its first address is among them."""

    node: str
    classes: dict[int, int]
    addresses: tuple[Address, ...]
    own: bool


def _faces(node: Node, classes: Classes, *, every_class: bool) -> Iterator[_Face]:
    """A node with all of its addresses.

    With ``every_class``: first with the addresses in the classes of its first address of each family, then once with
    those of each other class.
    """
    addresses = _own(node, classes.clusters[0])
    if not addresses:
        return
    first = _classes_of(addresses, classes)
    if not every_class:
        yield _Face(node.name, first, tuple(addresses), own=True)
        return
    rest: dict[int, list[Address]] = defaultdict(list)
    for address in addresses:
        rest[classes.of(address).number].append(address)
    yield _Face(node.name, first, tuple(address for number in first.values() for address in rest.pop(number)), own=True)
    for number, others in rest.items():
        yield _Face(node.name, {family(others[0]): number}, tuple(others), own=False)


def _own(node: Node, oracle: IndexedOracle) -> list[Address]:
    """The addresses that belong to a node: not those that a pod or an earlier node has."""
    every = (*node.addresses, *node.gateways)
    return [each for each in every if oracle.who(each) == NodeEnd(node, each)]


def _meant(cluster: Cluster) -> dict[str, set[frozenset[str]]]:
    """The pods that ``NAMESPACE/NAME`` may mean: one pod, or all pods of a workload."""
    found: dict[str, set[frozenset[str]]] = defaultdict(set)
    for pod in cluster.pods:
        found[pod.key].add(frozenset((pod.key,)))
    for workload, pods in by_workload(cluster.pods).items():
        found[f"{workload.namespace}/{workload.name}"].add(frozenset(pod.key for pod in pods))
    return found


def _told_apart(found: list[Party], meant: Mapping[str, set[frozenset[str]]], by: By) -> Iterator[Party]:
    """Make names unique: add the first pod's name where policies differ within a workload, or a name is ambiguous."""
    names: dict[str, int] = defaultdict(int)
    for party in found:
        names[party.name] += 1
    for party in found:
        members = frozenset(pod.key for pod in party.pods)
        if names[party.name] == 1 and meant.get(party.name, {members}) == {members}:
            yield party
        elif by is By.POD and party.pods:
            yield msgspec.structs.replace(party, name=f"pod/{party.name}")
        else:
            first = party.pods[0].name if party.pods else min(party.nodes)
            yield msgspec.structs.replace(party, name=f"{party.name}[{first}]")
