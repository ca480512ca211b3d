"""An index of pods: selectors are evaluated once for all pods with equal labels and named ports."""

from collections.abc import Iterable, Iterator, Mapping

from ovsnp.ir.ruleset import PeerTable
from ovsnp.model.cluster import Namespace, Pod
from ovsnp.model.policy import PodPeer
from ovsnp.model.ports import ContainerPort
from ovsnp.model.selector import Selector
from ovsnp.resolve.named_peers import NamedPeers
from ovsnp.resolve.selection import matches

_ALL = Selector()


class PodClass:
    """Pods of one namespace with the same labels and named ports, by name, and the queries that select them.

    ``sets`` are the names of the peer sets that list the pods' addresses, by table.
    """

    __slots__ = ("labels", "pods", "ports", "queries", "sets")

    def __init__(self, labels: Mapping[str, str], ports: tuple[ContainerPort, ...]) -> None:
        self.labels = labels
        self.ports = ports
        self.pods: dict[str, Pod] = {}
        self.queries: set[PodQuery] = set()
        self.sets: dict[PeerTable, frozenset[str]] = {}


class PodQuery:
    """A query for pods by labels, in one namespace or in the namespaces that a selector selects.

    ``sets`` are the peer sets, by table and name, that list the addresses of these pods; ``named`` list them by the
    meaning of named ports. Only the index maps queries to classes: without a cycle of references, Python frees a
    dropped index without the garbage collector.
    """

    __slots__ = ("key", "named", "namespace", "namespaces", "selector", "sets")

    def __init__(self, key: tuple[str, PodPeer]) -> None:
        self.key = key
        namespace, peer = key
        self.namespace = namespace
        self.namespaces = peer.namespace_selector
        self.selector = peer.pod_selector or _ALL
        self.sets: set[tuple[PeerTable, str]] = set()
        self.named: set[NamedPeers] = set()

    def asks(self, namespace: str, labels: Mapping[str, str] | None) -> bool:
        """True if the query covers this namespace; ``labels`` are those of the Namespace object (None: no object)."""
        if self.namespaces is None:
            return namespace == self.namespace
        return labels is not None and matches(self.namespaces, labels)


class _Space:
    """A namespace: labels (None: no Namespace object), pods by class and name, and the queries that cover it."""

    __slots__ = ("class_of", "classes", "labels", "queries")

    def __init__(self) -> None:
        self.labels: Mapping[str, str] | None = None
        self.classes: dict[frozenset[tuple[str, str]], list[PodClass]] = {}
        self.class_of: dict[str, PodClass] = {}
        self.queries: set[PodQuery] = set()

    @property
    def is_gone(self) -> bool:
        """True if there is neither a Namespace object nor a pod."""
        return self.labels is None and not self.class_of

    def all_classes(self) -> Iterator[PodClass]:
        for alike in self.classes.values():
            yield from alike


class PodIndex:
    """All pods of a cluster, and the queries about them.

    ``changed`` are the classes with other queries than before, or whose queries have other peer sets. ``went`` and
    ``came`` are removed and added pods with their class: all of them while ``watched``, else the pods whose class is
    listed by a peer set.
    """

    def __init__(self) -> None:
        self._spaces: dict[str, _Space] = {}
        self._queries: dict[tuple[str, PodPeer], PodQuery] = {}
        self._selected: dict[PodQuery, set[PodClass]] = {}
        self._gone: list[Pod] = []
        self.changed: set[PodClass] = set()
        self.went: list[tuple[Pod, PodClass]] = []
        self.came: list[tuple[Pod, PodClass]] = []
        self.watched = False

    def update(
        self, pods: tuple[Iterable[Pod], Iterable[Pod]], namespaces: tuple[Iterable[Namespace], Iterable[Namespace]]
    ) -> list[Pod]:
        """Remove objects, then add objects; each pair is (removed, added), and an added object replaces the old one.

        Returns the old versions of the pods that are removed or replaced.
        """
        self._gone = []
        for pod in pods[0]:
            self._remove(self._space(pod.namespace), pod.name)
        for namespace in namespaces[0]:
            self._label(namespace.name, None)
        for namespace in namespaces[1]:
            self._label(namespace.name, namespace.labels)
        self._add(pods[1])
        for name in {*(pod.namespace for pod in pods[0]), *(namespace.name for namespace in namespaces[0])}:
            if self._spaces[name].is_gone:
                del self._spaces[name]
        return self._gone

    def _add(self, pods: Iterable[Pod]) -> None:
        """Add pods; look-ups of the namespace are rare, as pods of one namespace mostly come one after the other."""
        space, namespace = _Space(), None
        for pod in pods:
            if pod.namespace != namespace:
                namespace, space = pod.namespace, self._space(pod.namespace)
            name = pod.name
            if name in space.class_of:
                self._remove(space, name)
            found = self._class_of(space, pod)
            found.pods[name] = pod
            space.class_of[name] = found
            if found.sets or self.watched:
                self.came.append((pod, found))

    def query(self, namespace: str, peer: PodPeer) -> PodQuery:
        """The query for a policy's peer; ``namespace`` is the namespace of the policy."""
        key = (namespace if peer.namespace_selector is None else "", peer)
        if key not in self._queries:
            query = self._queries[key] = PodQuery(key)
            self._selected[query] = set()
            for name, space in self._asked(query):
                if query.asks(name, space.labels):
                    space.queries.add(query)
                    self._select(query, space.all_classes())
        return self._queries[key]

    def drop(self, query: PodQuery) -> None:
        """Remove a query that no peer set uses any more."""
        if query.sets or query.named:
            return
        del self._queries[query.key]
        for _, space in self._asked(query):
            space.queries.discard(query)
        for found in self._selected.pop(query):
            found.queries.discard(query)

    def classes(self, query: PodQuery) -> set[PodClass]:
        """The classes of pods that a query selects."""
        return self._selected[query]

    def select(self, namespace: str, selector: Selector) -> Iterator[Pod]:
        """The pods of a namespace that a selector selects."""
        if space := self._spaces.get(namespace):
            for found in space.all_classes():
                if matches(selector, found.labels):
                    yield from found.pods.values()

    def __iter__(self) -> Iterator[Pod]:
        return (pod for pod, _ in self.with_classes())

    def with_classes(self) -> Iterator[tuple[Pod, PodClass]]:
        """All pods, each with its class."""
        for space in self._spaces.values():
            for found in space.all_classes():
                yield from ((pod, found) for pod in found.pods.values())

    @property
    def namespaces(self) -> tuple[Namespace, ...]:
        """The namespaces with a Namespace object."""
        return tuple(Namespace(name, space.labels) for name, space in self._spaces.items() if space.labels is not None)

    def _space(self, namespace: str) -> _Space:
        space = self._spaces.get(namespace)
        if space is None:
            space = self._spaces[namespace] = _Space()
            space.queries = {query for query in self._queries.values() if query.asks(namespace, None)}
        return space

    def _asked(self, query: PodQuery) -> Iterable[tuple[str, _Space]]:
        """The namespaces that a query may cover."""
        if query.namespaces is None:
            return ((query.namespace, self._space(query.namespace)),)
        return self._spaces.items()

    def _class_of(self, space: _Space, pod: Pod) -> PodClass:
        labels, ports = frozenset(pod.labels.items()), pod.ports
        alike = space.classes.get(labels)
        if alike is None:
            alike = space.classes[labels] = []
        for found in alike:
            if found.ports is ports or found.ports == ports:
                return found
        found = PodClass(pod.labels, ports)
        alike.append(found)
        for query in space.queries:
            self._select(query, (found,))
        return found

    def _remove(self, space: _Space, name: str) -> None:
        found = space.class_of.pop(name, None)
        if found is None:
            return
        pod = found.pods.pop(name)
        self._gone.append(pod)
        if found.sets or self.watched:
            self.went.append((pod, found))
        if not found.pods:
            labels = frozenset(found.labels.items())
            space.classes[labels].remove(found)
            if not space.classes[labels]:
                del space.classes[labels]
            for query in tuple(found.queries):
                self._deselect(query, found)
            self.changed.discard(found)

    def _label(self, name: str, labels: Mapping[str, str] | None) -> None:
        space = self._space(name)
        if space.labels == labels:
            return
        space.labels = labels
        queries = {query for query in self._queries.values() if query.asks(name, labels)}
        for query in space.queries - queries:
            for found in space.all_classes():
                if found in self._selected[query]:
                    self._deselect(query, found)
        for query in queries - space.queries:
            self._select(query, space.all_classes())
        space.queries = queries

    def _select(self, query: PodQuery, classes: Iterable[PodClass]) -> None:
        for found in classes:
            if matches(query.selector, found.labels):
                self._selected[query].add(found)
                found.queries.add(query)
                self.changed.add(found)
                for named in query.named:
                    named.join(found.ports)

    def _deselect(self, query: PodQuery, found: PodClass) -> None:
        self._selected[query].discard(found)
        found.queries.discard(query)
        self.changed.add(found)
        for named in query.named:
            named.leave(found.ports)
