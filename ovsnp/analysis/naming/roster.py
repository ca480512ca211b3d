"""Resolves SRC and DST to the pods, nodes, Services and addresses of a cluster, and to addresses outside."""

from collections.abc import Iterator, Sequence
from itertools import chain

from ovsnp.analysis.naming.addresses import address_target, is_address, read_address
from ovsnp.analysis.naming.ends import ClusterIPEnd, Source, Target, full_key, pod_ends
from ovsnp.analysis.naming.matrix_headings import Rows
from ovsnp.analysis.naming.near_names import advice, nearest
from ovsnp.analysis.naming.nodes_and_services import find_node, find_service, node_target, service_target
from ovsnp.analysis.naming.pod_names import PodNames
from ovsnp.analysis.reach.parties import PartyKind
from ovsnp.errors import UsageError
from ovsnp.model.address import Prefix
from ovsnp.model.cluster import Cluster, Pod
from ovsnp.oracle import PodEnd

_NODES = "nodes"
_OUTSIDE = "outside/"


class Roster:
    """Reads the names of one cluster.

    A name is ``NAMESPACE/POD``, ``POD``, ``KIND/NAMESPACE/NAME`` or ``NAMESPACE/NAME`` of a workload,
    ``NAMESPACE/SELECTOR``, ``NAMESPACE/*``, ``node/NAME``, ``svc/NAMESPACE/NAME``, an address, or a heading of the
    matrix. ``service_cidrs`` are service CIDRs that no object of the cluster names; ``strict_nodes`` is as for the
    matrix.
    """

    def __init__(self, cluster: Cluster, service_cidrs: Sequence[Prefix] = (), *, strict_nodes: bool = False) -> None:
        self.cluster = cluster
        self._service_cidrs = (*cluster.service_cidrs, *service_cidrs)
        self._services = frozenset(service.key for service in cluster.services)
        self._rows = Rows(cluster, strict_nodes=strict_nodes)
        self._pods = PodNames(cluster, self._rows)

    def source(self, text: str) -> Source:
        """The end that SRC names; raises UsageError, with the nearest names, where it cannot open a connection."""
        found = self.destination(text)
        ends = tuple(end for end in found.ends if not isinstance(end, ClusterIPEnd))
        if not ends:
            raise UsageError(
                f"{text} is a cluster IP, which opens no connections; name a pod, a node or an address as SRC"
            )
        return Source(found.name, ends, found.notes)

    def destination(self, text: str) -> Target:
        """The end that DST names; raises UsageError, with the nearest names, where there is none."""
        if (text == _NODES or text.endswith("]") or text.startswith(_OUTSIDE)) and (row := self._row(text)):
            return row
        if is_address(text):
            return address_target(self.cluster, read_address(text), self._service_cidrs)
        first, slash, rest = text.partition("/")
        if slash and first == "node" and (rest in self.cluster.nodes or not self._pods.knows(text)):
            return node_target(find_node(self.cluster, rest))
        if slash and first == "svc" and (full_key(rest) in self._services or not self._pods.knows(text)):
            return service_target(find_service(self.cluster, rest))
        found = self._pods.read(text)
        return self._of_pods(found.name, found.pods)

    def sources(self) -> Iterator[str]:
        """Every name that SRC may be, once, except addresses and selectors; names that take long to find are last."""
        nodes = (f"node/{node.name}" for node in self.cluster.nodes.values() if node.addresses or node.gateways)
        found: set[str] = set()
        for name in chain(self._pods.every(), nodes, self._headings()):
            if name not in found:
                found.add(name)
                yield name

    def _headings(self) -> Iterator[str]:
        """The headings of the matrix, computed only when the caller comes to them."""
        yield from self._rows.parties

    def pods(self, text: str) -> tuple[Pod, ...]:
        """The pods that a text names; raises UsageError where it names nothing, or no pod."""
        found = {end.pod.key: end.pod for end in self.destination(text).ends if isinstance(end, PodEnd)}
        if not found:
            raise UsageError(f"{text} is no pod; name a pod, or SRC and DST")
        return tuple(found.values())

    def _of_pods(self, name: str, pods: Sequence[Pod]) -> Target:
        ends = tuple(end for pod in pods for end in pod_ends(pod))
        if not ends:
            raise UsageError(f"{name} has no address yet")
        return Target(name, ends)

    def _row(self, text: str) -> Target | None:
        """The row with this heading; None where the name may be a pod's. Raises UsageError for any other name."""
        party = self._rows.parties.get(text)
        if party is None:
            if text == _NODES or (text.startswith(_OUTSIDE) and self._pods.knows(text)):
                return None
            known = self._rows.parties
            raise UsageError(f"the matrix has no row {text}; {advice(nearest(text, known), known, 'rows')}")
        if party.kind is PartyKind.POD:
            return self._of_pods(party.name, party.pods)
        if text == _NODES and not self._rows.strict_nodes:
            nodes = (node_target(self.cluster.nodes[name]) for name in sorted(party.nodes))
            return Target(party.name, tuple(end for node in nodes for end in node.ends))
        return Target(party.name, self._rows.ends(party))
