"""Chooses rows and columns of the matrix."""

from collections.abc import Iterator, Sequence

from ovsnp.analysis.naming.ends import (
    DEFAULT_NAMESPACE,
    ClusterIPEnd,
    Destination,
    Source,
    Target,
    name_of,
)
from ovsnp.analysis.naming.near_names import advice, nearest
from ovsnp.analysis.naming.roster import Roster
from ovsnp.analysis.reach.cells import Reach
from ovsnp.analysis.reach.parties import Party, PartyKind
from ovsnp.errors import UsageError
from ovsnp.model.address import Prefix, family
from ovsnp.oracle import Endpoint, NodeEnd, OutsideEnd, PodEnd


class Choosing:
    """Chooses the parties that words name.

    A word is the name of a party, also without the brackets and without the namespace default; or ``NAMESPACE/`` or
    ``outside/``; or a name that SRC and DST of ``explain`` may be, which means the parties of that end, for a Service
    the parties of the endpoints. ``service_cidrs`` are service CIDRs that no object of the cluster names.
    """

    def __init__(self, reach: Reach, service_cidrs: Sequence[Prefix] = ()) -> None:
        self._reach = reach
        self._oracle = reach.classes.clusters[0]
        self._roster = Roster(self._oracle.cluster, service_cidrs, strict_nodes=reach.strict_nodes)

    def sources(self, words: Sequence[str]) -> tuple[Party, ...]:
        """The parties, in the matrix's order; all without words. Raises UsageError for a word that names no party."""
        return self._chosen({name for word in words for name in self._called(word) or self._source(word)}, words)

    def destinations(self, words: Sequence[str]) -> tuple[Party, ...]:
        """Like `sources`, for destinations."""
        return self._chosen({name for word in words for name in self._called(word) or self._destination(word)}, words)

    def _chosen(self, names: set[str], words: Sequence[str]) -> tuple[Party, ...]:
        return tuple(party for party in self._reach.parties if party.name in names) if words else self._reach.parties

    def _called(self, word: str) -> list[str]:
        if not word.endswith("/"):
            return [party.name for party in self._reach.parties if _is_called(party, word)]
        found = [party.name for party in self._reach.parties if party.name.startswith(word)]
        if not found:
            spaces = sorted({party.namespace for party in self._reach.parties if party.namespace})
            hint = advice([f"{each}/" for each in nearest(word[:-1], spaces)], spaces, "namespaces with pods")
            raise UsageError(f"namespace {word[:-1]} has no pods; {hint}")
        return found

    def _source(self, word: str) -> list[str]:
        return self._holding(word, self._roster.source(word))

    def _destination(self, word: str) -> list[str]:
        return self._holding(word, self._roster.destination(word))

    def _holding(self, word: str, target: Source | Target) -> list[str]:
        """The parties that contain an end; for a Service, the parties that contain its endpoints."""
        ends = [each for end in target.ends for each in self._behind(end)]
        found = [party.name for party in self._reach.parties if any(self._is(party, end) for end in ends)]
        if not found:
            raise UsageError(f"{word} is not in the matrix: nobody is there")
        return found

    def _behind(self, end: Destination) -> Iterator[Endpoint]:
        if not isinstance(end, ClusterIPEnd):
            yield end
            return
        if end.service is None:
            return
        backends = {
            backend.address
            for port in end.service.ports
            for backend in self._oracle.backends(end.service, port, family(end.address), None)
        }
        if not backends:
            raise UsageError(f"{name_of(end)} has no endpoints")
        yield from map(self._oracle.who, sorted(backends))

    def _is(self, party: Party, end: Endpoint) -> bool:
        match end:
            case PodEnd(pod=pod):
                return pod in party.pods
            case NodeEnd(node=node):
                return party.kind is PartyKind.NODE and node.name in party.nodes
            case OutsideEnd(address=address):
                return self._reach.classes.of(address).number in party.outside


def _is_called(party: Party, word: str) -> bool:
    short = party.name.removeprefix(f"{DEFAULT_NAMESPACE}/")
    return any(name == word or name.partition("[")[0] == word for name in (party.name, short))
