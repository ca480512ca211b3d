"""Peer sets: the addresses of the peers of rules."""

from collections import defaultdict
from collections.abc import Iterable

from ovsnp.ir.ruleset import PeerTable
from ovsnp.model.address import Address, Prefix, host_prefix, merge
from ovsnp.model.cluster import Pod
from ovsnp.model.policy import IPBlock, Peer, PodPeer
from ovsnp.model.ports import PortEntry
from ovsnp.model.selector import Selector
from ovsnp.resolve.listings import Listings
from ovsnp.resolve.named_peers import NamedPeers
from ovsnp.resolve.pods import PodClass, PodIndex, PodQuery
from ovsnp.resolve.pods_by_address import PeersByBlock, PodsByAddress

_ALL = Selector()
_EVERY_POD = PodPeer(None, _ALL)


class _PeerSet:
    """The content of a peer set, and the number of rules that use it."""

    __slots__ = ("blocks", "namespace", "peers", "queries", "users")

    def __init__(self, namespace: str, peers: tuple[Peer, ...]) -> None:
        self.namespace = namespace
        self.peers = peers
        self.users = 0
        self.blocks: tuple[IPBlock, ...] = ()
        self.queries: set[PodQuery] = set()


class PeerSets:
    """The peer sets that rules use; a set exists as long as a rule uses it.

    If there are nodes, their pod CIDRs stand for "every pod" (`set_every_pod`).
    """

    def __init__(self, pods: PodIndex) -> None:
        self._pods = pods
        self._sets: dict[tuple[PeerTable, str], _PeerSet] = {}
        self._named: dict[str, NamedPeers] = {}
        self._queries_of: dict[NamedPeers, set[PodQuery]] = {}
        self._by_block, self._by_address = PeersByBlock(), PodsByAddress(())
        self._every_pod: tuple[IPBlock, ...] = ()
        self._blocks: dict[PeerTable, dict[str, tuple[IPBlock, ...]]] = {table: {} for table in PeerTable}
        self._listings = {table: Listings() for table in PeerTable}

    def use(self, table: PeerTable, namespace: str, peers: tuple[Peer, ...]) -> str:
        """Count one more rule that uses these peers of a policy in ``namespace``; returns the name of the peer set."""
        name = set_name(namespace, peers)
        if (table, name) not in self._sets:
            found = self._sets[table, name] = _PeerSet(namespace, peers)
            self._make(table, name, found)
        self._sets[table, name].users += 1
        return name

    def leave(self, table: PeerTable, name: str) -> None:
        """Count one rule less that uses the set."""
        found = self._sets[table, name]
        found.users -= 1
        if not found.users:
            del self._sets[table, name]
            if found.blocks:
                self._blocks[table][name] = ()
            self._unlink(table, name, found.queries)

    def use_named(
        self, policy: tuple[str, str], name: str, peers: tuple[Peer, ...], entries: tuple[PortEntry, ...]
    ) -> NamedPeers:
        """Count one more rule of a policy that uses these peers by the meaning of its named ports, and return them.

        ``name`` is the name of the peers; no peers means every pod.
        """
        found = NamedPeers(name, entries, [peer for peer in peers if isinstance(peer, IPBlock)])
        if found.key in self._named:
            found = self._named[found.key]
        else:
            self._named[found.key] = found
            selectors = [peer for peer in peers or (_EVERY_POD,) if isinstance(peer, PodPeer)]
            self._queries_of[found] = {self._pods.query(policy[0], peer) for peer in selectors}
            self._link_named(found, self._queries_of[found])
            found.changed = False
        found.users[policy] += 1
        return found

    def leave_named(self, policy: tuple[str, str], found: NamedPeers) -> None:
        """Count one rule less of a policy that uses these peers."""
        found.users[policy] -= 1
        if found.users[policy]:
            return
        del found.users[policy]
        if not found.users:
            del self._named[found.key]
            self._unlink_named(found)

    def users_of_changed(self) -> set[tuple[str, str]]:
        """The policies whose named ports have a new meaning at a peer, or have lost a meaning."""
        users: set[tuple[str, str]] = set()
        for found in self._named.values():
            if found.changed:
                found.changed = False
                users.update(found.users)
        return users

    def set_every_pod(self, pod_cidrs: Iterable[Prefix], not_pods: Iterable[Address]) -> None:
        """Take the pod CIDRs of all nodes, and the node addresses to leave out of them."""
        holes = [host_prefix(address) for address in not_pods]
        blocks = tuple(
            IPBlock(block, tuple(sorted(hole for hole in holes if block.contains(hole)))) for block in merge(pod_cidrs)
        )
        if blocks != self._every_pod:
            self._every_pod = blocks
            for (table, name), found in self._sets.items():
                if any(map(_is_every_pod, found.peers)):
                    self._make(table, name, found)

    def follow_pods(self) -> None:
        """List the addresses of new pods in the peer sets of their classes, and remove those of pods that are gone."""
        for pod, found in self._pods.went:
            for table, names in found.sets.items():
                self._listings[table].remove(pod.addresses, names)
            if self._by_block:
                self._by_address.remove(pod, found)
                for named in self._by_block.around(pod):
                    self._unmeet(named, pod, found)
        for pod, found in self._pods.came:
            for table, names in found.sets.items():
                self._listings[table].add(pod.addresses, names)
            if self._by_block:
                self._by_address.add(pod, found)
                for named in self._by_block.around(pod):
                    self._meet(named, pod, found)
        self._pods.went.clear()
        self._pods.came.clear()

    def take_changes(
        self,
    ) -> tuple[dict[PeerTable, dict[str, tuple[IPBlock, ...]]], dict[PeerTable, dict[Address, frozenset[str]]]]:
        """The changes since the last call: the blocks of sets, and the sets that list each address."""
        changed, self._pods.changed = self._pods.changed, set()
        for found in changed:
            self._list_class(found)
        blocks, self._blocks = self._blocks, {table: {} for table in PeerTable}
        return blocks, {table: listings.take_changes() for table, listings in self._listings.items()}

    def _list_class(self, found: PodClass) -> None:
        sets: dict[PeerTable, set[str]] = defaultdict(set)
        for query in found.queries:
            for table, name in query.sets:
                sets[table].add(name)
            for named in query.named:
                if name_of_set := named.set_of(found.ports):
                    sets[PeerTable.EGRESS].add(name_of_set)
        before, found.sets = found.sets, {table: frozenset(names) for table, names in sets.items()}
        for table, listings in self._listings.items():
            old, new = before.get(table), found.sets.get(table)
            if old != new:
                for pod in found.pods.values():
                    if old:
                        listings.remove(pod.addresses, old)
                    if new:
                        listings.add(pod.addresses, new)

    def _make(self, table: PeerTable, name: str, found: _PeerSet) -> None:
        """Build a set from its peers, again when the blocks of "every pod" have changed."""
        blocks = {peer for peer in found.peers if isinstance(peer, IPBlock)}
        selectors = [peer for peer in found.peers if isinstance(peer, PodPeer)]
        if self._every_pod and any(map(_is_every_pod, selectors)):
            blocks.update(self._every_pod)
            selectors = []
        queries = {self._pods.query(found.namespace, peer) for peer in selectors}
        for query in queries - found.queries:
            query.sets.add((table, name))
            self._pods.changed |= self._pods.classes(query)
        gone, found.queries = found.queries - queries, queries
        self._unlink(table, name, gone)
        if blocks or found.blocks:
            found.blocks = self._blocks[table][name] = tuple(sorted(blocks))

    def _unlink(self, table: PeerTable, name: str, queries: Iterable[PodQuery]) -> None:
        for query in queries:
            query.sets.discard((table, name))
            self._pods.changed |= self._pods.classes(query)
            self._pods.drop(query)

    def _link_named(self, named: NamedPeers, queries: Iterable[PodQuery]) -> None:
        for query in queries:
            query.named.add(named)
            self._pods.changed |= self._pods.classes(query)
            for found in self._pods.classes(query):
                named.join(found.ports)
        if named.blocks:
            if not self._by_block:
                self._by_address = PodsByAddress(self._pods.with_classes())
                self._pods.watched = True
            self._by_block.add(named)
            for pod, found in self._by_address.inside(named.blocks):
                self._meet(named, pod, found)

    def _unlink_named(self, named: NamedPeers) -> None:
        for query in self._queries_of.pop(named):
            query.named.discard(named)
            self._pods.changed |= self._pods.classes(query)
            self._pods.drop(query)
        if named.blocks:
            for pod, found in self._by_address.inside(named.blocks):
                self._unmeet(named, pod, found)
            self._by_block.remove(named)
            if not self._by_block:
                self._by_address = PodsByAddress(())
                self._pods.watched = False

    def _meet(self, named: NamedPeers, pod: Pod, found: PodClass) -> None:
        if addresses := [address for address in pod.addresses if named.covers(address)]:
            named.join(found.ports)
            if name := named.set_of(found.ports):
                self._listings[PeerTable.EGRESS].add(addresses, frozenset((name,)))

    def _unmeet(self, named: NamedPeers, pod: Pod, found: PodClass) -> None:
        if addresses := [address for address in pod.addresses if named.covers(address)]:
            named.leave(found.ports)
            if name := named.set_of(found.ports):
                self._listings[PeerTable.EGRESS].remove(addresses, frozenset((name,)))


def set_name(namespace: str, peers: Iterable[Peer]) -> str:
    """The name of a union of peers; equal peers give equal names."""
    return " | ".join(sorted({_name(namespace, peer) for peer in peers}))


def _name(namespace: str, peer: Peer) -> str:
    match peer:
        case IPBlock(cidr=cidr, excepts=()):
            return str(cidr)
        case IPBlock(cidr=cidr, excepts=excepts):
            return f"{cidr} except {','.join(map(str, sorted(set(excepts))))}"
        case PodPeer(pod_selector=pods, namespace_selector=None):
            return f"{namespace}/{{{pods}}}"
        case PodPeer(pod_selector=pods, namespace_selector=namespaces):
            return f"{{{namespaces}}}/{{{pods or _ALL}}}"


def _is_every_pod(peer: Peer) -> bool:
    return isinstance(peer, PodPeer) and peer.namespace_selector == _ALL and (peer.pod_selector or _ALL) == _ALL
