"""The matrix as JSON."""

from collections.abc import Iterator, Sequence
from typing import Annotated

import msgspec
from msgspec import Meta

from ovsnp.analysis.matrix.deciding import Deciding, deciding
from ovsnp.analysis.matrix.view import Shown, View
from ovsnp.analysis.reach.parties import By, Party, PartyKind
from ovsnp.analysis.wording.places import Places
from ovsnp.analysis.wording.traffics import traffics_of
from ovsnp.document import Count, IPVersion, LineNumber, PortNumber
from ovsnp.model.policy import Direction
from ovsnp.model.ports import Protocol
from ovsnp.oracle import Exemption
from ovsnp.oracle.rulebook import CompiledRule

PolicyKey = Annotated[str, Meta(description="NAMESPACE/NAME")]


class MatrixPolicy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A policy that isolates."""

    policy: PolicyKey
    file: str
    line: LineNumber | None


class MatrixIsolation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The policies that isolate pods, in each direction."""

    egress: Sequence[MatrixPolicy]
    ingress: Sequence[MatrixPolicy]


class MatrixParty(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A row and column: ends of which the same is to say."""

    name: str
    kind: PartyKind
    namespace: Annotated[str | None, Meta(description="of pods")]
    workload: Annotated[
        str | None,
        Meta(description="KIND/NAMESPACE/NAME of what the pods belong to; null: the input does not say"),
    ]
    pods: Annotated[Sequence[str], Meta(description="their names in this namespace")]
    nodes: Annotated[Sequence[str], Meta(description="those that it is, or those that its pods run on")]
    addresses: Annotated[Sequence[str], Meta(description="of nodes; of outsiders FIRST-LAST, or one address")]
    isolated_by: MatrixIsolation


class MatrixRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A rule that cells name by its index."""

    policy: PolicyKey
    path: Annotated[str, Meta(description="the rule in the policy's object: spec.ingress[0]")]
    file: str
    line: LineNumber | None


class MatrixPorts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Ports of one protocol in a row, first and last included."""

    protocol: Protocol
    first: PortNumber
    last: PortNumber


class MatrixFamily(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What policies allow by one address family."""

    family: IPVersion
    everything: Annotated[bool, Meta(description="every port and every protocol")]
    portless: Annotated[bool, Meta(description="protocols without ports, such as ICMP")]
    allowed: Sequence[MatrixPorts]
    egress: Annotated[Sequence[Count], Meta(description="rules that admit any of it; none where no policy isolates")]
    ingress: Sequence[Count]


class MatrixCell(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"source": "from", "destination": "to"}
):
    """A source and a destination that may connect."""

    source: str
    destination: str
    ports: Annotated[str, Meta(description="what policies allow, or of the port that was asked about, in words")]
    exempt: Annotated[
        Exemption | None,
        Meta(description="everything is allowed, whatever policies say, between a pod and itself, or a pod and nodes"),
    ]
    wholly: Annotated[bool, Meta(description="so between all members; else only between some of them")]
    families: Annotated[Sequence[MatrixFamily], Meta(min_length=1, max_length=2)]


class MatrixDocument(msgspec.Struct, frozen=True, rename={"sources": "from", "destinations": "to"}):
    """Who reaches whom."""

    by: By
    strict_nodes: bool
    port: Annotated[str | None, Meta(description="what --port asked about")]
    sources: Annotated[Sequence[str], Meta(description="the sources that were asked about")]
    destinations: Annotated[Sequence[str], Meta(description="the destinations that were asked about")]
    parties: Sequence[MatrixParty]
    rules: Annotated[Sequence[MatrixRule], Meta(description="those that cells name by their index")]
    cells: Annotated[
        Sequence[MatrixCell],
        Meta(description="a pair of a source and a destination that has none is denied, or has nothing to be judged"),
    ]


def document(view: View, places: Places) -> MatrixDocument:
    """What may be opened by whom to whom, and by which rules; a pair that has no cell is denied."""
    rules = _Rules(places)
    reach = view.reach
    cells = [_cell(view, shown, rules) for source in view.sources for shown in view.shown(source)]
    together = {party.name: party for party in (*view.sources, *view.destinations)}
    return MatrixDocument(
        by=reach.by,
        strict_nodes=reach.strict_nodes,
        port=view.asked.written if view.asked else None,
        sources=[party.name for party in view.sources],
        destinations=[party.name for party in view.destinations],
        parties=[_party(view, party, places) for party in reach.parties if party.name in together],
        rules=rules.found,
        cells=cells,
    )


class _Rules:
    """The rules that cells name, each told once; a cell has their indexes."""

    def __init__(self, places: Places) -> None:
        self._places = places
        self._indexes: dict[str, int] = {}
        self.found: list[MatrixRule] = []

    def index(self, facts: CompiledRule) -> int:
        key = str(facts.admission)
        if key not in self._indexes:
            self._indexes[key] = len(self.found)
            policy, direction, rule = facts.admission.policy, facts.admission.direction, facts.admission.rule
            field = self._places.rule(policy, direction, rule)
            self.found.append(MatrixRule(policy.key, field.path, field.span.file, field.span.line or None))
        return self._indexes[key]


def _party(view: View, party: Party, places: Places) -> MatrixParty:
    return MatrixParty(
        name=party.name,
        kind=party.kind,
        namespace=party.namespace,
        workload=party.workload.key if party.workload else None,
        pods=[pod.name for pod in party.pods],
        nodes=sorted(party.nodes),
        addresses=party.addresses,
        isolated_by=MatrixIsolation(
            egress=[*_isolating(view, party, Direction.EGRESS, places)],
            ingress=[*_isolating(view, party, Direction.INGRESS, places)],
        ),
    )


def _isolating(view: View, party: Party, direction: Direction, places: Places) -> Iterator[MatrixPolicy]:
    number = next(iter(party.classes.values()))
    for policy in view.reach.relation.rules.isolating(direction, number):
        span = places.policy(policy).span
        yield MatrixPolicy(policy.key, span.file, span.line or None)


def _cell(view: View, shown: Shown, rules: _Rules) -> MatrixCell:
    return MatrixCell(
        source=shown.source.name,
        destination=shown.destination.name,
        ports=shown.ports,
        exempt=shown.cell.exempt,
        wholly=shown.cell.wholly,
        families=[_family(view, shown, each, rules) for each in deciding(view.reach, shown)],
    )


def _family(view: View, shown: Shown, each: Deciding, rules: _Rules) -> MatrixFamily:
    traffics = traffics_of(view.reach.classes, shown.cell.ports[each.family])
    return MatrixFamily(
        family=each.family,
        everything=traffics.everything,
        portless=traffics.portless,
        allowed=[
            MatrixPorts(protocol, run.first, run.last) for protocol, runs in traffics.ports.items() for run in runs
        ],
        egress=[rules.index(facts) for facts in each.egress],
        ingress=[rules.index(facts) for facts in each.ingress],
    )
