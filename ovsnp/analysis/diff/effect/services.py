"""Makes the lines about Services: what pods gain and lose beyond the lines between pods.

That is: Services, ports and endpoints that come or go; pods that reach themselves through a Service; and with
``service_blocks`` the cluster IPs that ipBlocks of egress rules hold.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

import msgspec

from ovsnp.analysis.diff.effect.frontends import FrontendPair
from ovsnp.analysis.diff.effect.pod_names import PodTerms, PodWords
from ovsnp.analysis.diff.effect.service_changes import ServiceChanges
from ovsnp.analysis.wording.ports import range_words
from ovsnp.model.address import family, format_address
from ovsnp.oracle import NodeEnd, PodEnd, ServingBackend
from ovsnp.oracle.indexed_oracle import IndexedOracle


class ServiceLine(msgspec.Struct, frozen=True):
    """A gain or a loss: each source to a port of a Service, where one of the endpoints serves it.

    With ``itself`` each source is served by itself only. ``pods`` are the sources' names.
    """

    gained: bool
    sources: PodTerms
    service: str
    port: str
    served_by: str
    itself: bool
    pods: frozenset[str]
    frontends: tuple[FrontendPair, ...]
    endpoints: frozenset[ServingBackend]

    @property
    def families(self) -> tuple[int, ...]:
        """The address families for which it holds."""
        return tuple(sorted({family(frontend.address) for frontend in self.frontends}))


class ServiceWriter:
    """Makes the lines for the changes of one family; ``names`` finds words for the pods that stay."""

    def __init__(self, clusters: Sequence[IndexedOracle], names: PodWords) -> None:
        self._names = names
        self._clusters = clusters
        self._endpoints = [PodWords(each.cluster.pods, each.cluster.namespaces) for each in clusters]

    def lines(self, found: ServiceChanges) -> Iterator[ServiceLine]:
        """The lines, by Service and port."""
        for frontend in found.frontends():
            for gained in (True, False):
                yield from self._of(frontend, found, gained=gained)

    def _of(self, frontend: FrontendPair, found: ServiceChanges, *, gained: bool) -> Iterator[ServiceLine]:
        served: dict[frozenset[str], set[ServingBackend]] = defaultdict(set)
        itself: set[str] = set()
        for change in found.changes(frontend, gained=gained):
            if change.itself:
                itself |= {key for key, address in change.source.pods.items() if address == change.backend.address}
            else:
                served[frozenset(change.source.pods)].add(change.backend)
        by_endpoints: dict[frozenset[ServingBackend], set[str]] = defaultdict(set)
        for pods, endpoints in served.items():
            by_endpoints[frozenset(endpoints)] |= pods
        for those, keys in by_endpoints.items():
            yield self._line(frontend, frozenset(keys), those, gained=gained)
        if itself:
            yield self._line(frontend, frozenset(itself), frozenset(), gained=gained)

    def _line(
        self, frontend: FrontendPair, keys: frozenset[str], endpoints: frozenset[ServingBackend], *, gained: bool
    ) -> ServiceLine:
        port = range_words(frontend.protocol, frontend.number)
        words = self._served_by(frontend, endpoints, 1 if gained else 0) if endpoints else "itself"
        sources = self._names.name(keys)
        return ServiceLine(gained, sources, frontend.service, port, words, not endpoints, keys, (frontend,), endpoints)

    def _served_by(self, frontend: FrontendPair, endpoints: frozenset[ServingBackend], side: int) -> str:
        """The endpoints in words, by their names in the cluster where they serve."""
        pods: dict[int, set[str]] = defaultdict(set)
        words = []
        for backend in sorted(endpoints):
            port = range_words(frontend.protocol, backend.port)
            match self._clusters[side].who(backend.address):
                case PodEnd(pod=pod):
                    pods[backend.port].add(pod.key)
                case NodeEnd(node=node):
                    words.append(f"node/{node.name} {port}")
                case _:
                    words.append(f"{format_address(backend.address)} {port}")
        for number, keys in sorted(pods.items()):
            words.append(f"{self._endpoints[side].name(frozenset(keys))} {range_words(frontend.protocol, number)}")
        return ", ".join(words)


def merged_services(lines: Iterable[ServiceLine]) -> tuple[ServiceLine, ...]:
    """Join lines that say the same of several cluster IPs of a Service; gains come first."""
    found: dict[tuple[object, ...], list[ServiceLine]] = defaultdict(list)
    for line in lines:
        found[line.gained, line.service, line.port, str(line.sources), line.served_by].append(line)
    joined = (
        msgspec.structs.replace(
            those[0],
            pods=frozenset().union(*(each.pods for each in those)),
            frontends=tuple(dict.fromkeys(frontend for each in those for frontend in each.frontends)),
            endpoints=frozenset().union(*(each.endpoints for each in those)),
        )
        for those in found.values()
    )
    return tuple(sorted(joined, key=lambda line: (not line.gained, line.service, line.port, str(line.sources))))
