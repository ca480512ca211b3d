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
    """A policy that isolates pods."""

    policy: PolicyKey
    file: str
    line: LineNumber | None


class MatrixIsolation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The policies that isolate pods, in each direction."""

    egress: Sequence[MatrixPolicy]
    ingress: Sequence[MatrixPolicy]


class MatrixParty(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A row and column: ends with the same answers."""

    name: str
    kind: PartyKind
    namespace: Annotated[str | None, Meta(description="the namespace of the pods; null: no pods")]
    workload: Annotated[
        str | None,
        Meta(description="KIND/NAMESPACE/NAME of the owner of the pods; null: the input names none"),
    ]
    pods: Annotated[Sequence[str], Meta(description="the names of the pods in this namespace")]
    nodes: Annotated[Sequence[str], Meta(description="the nodes of a row of nodes, or the nodes on which the pods run")]
    addresses: Annotated[
        Sequence[str], Meta(description="of nodes; of addresses outside, as FIRST-LAST or one address")
    ]
    isolated_by: MatrixIsolation


class MatrixRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A rule that cells name by its index."""

    policy: PolicyKey
    path: Annotated[str, Meta(description="the rule in the policy's object: spec.ingress[0]")]
    file: str
    line: LineNumber | None


class MatrixPorts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A range of ports of one protocol, first and last included."""

    protocol: Protocol
    first: PortNumber
    last: PortNumber


class MatrixFamily(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The traffic that policies allow in one address family."""

    family: IPVersion
    everything: Annotated[bool, Meta(description="true: every port and every protocol is allowed")]
    portless: Annotated[bool, Meta(description="true: protocols without ports, such as ICMP, are allowed")]
    allowed: Sequence[MatrixPorts]
    egress: Annotated[Sequence[Count], Meta(description="rules that admit this traffic; none where no policy isolates")]
    ingress: Sequence[Count]


class MatrixCell(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"source": "from", "destination": "to"}
):
    """A source and a destination that may connect."""

    source: str
    destination: str
    ports: Annotated[str, Meta(description="the ports that policies allow, in words; with --port, of this port")]
    exempt: Annotated[
        Exemption | None,
        Meta(
            description="why policies do not decide between all members (`wholly`) or some of them; null: they decide"
        ),
    ]
    wholly: Annotated[bool, Meta(description="true: exempt between all members; false: between some, or none")]
    families: Annotated[Sequence[MatrixFamily], Meta(min_length=1, max_length=2)]


class MatrixDocument(msgspec.Struct, frozen=True, rename={"sources": "from", "destinations": "to"}):
    """The matrix: the pairs that may connect."""

    by: By
    strict_nodes: bool
    port: Annotated[str | None, Meta(description="the PORT of --port")]
    sources: Annotated[Sequence[str], Meta(description="the sources in the question")]
    destinations: Annotated[Sequence[str], Meta(description="the destinations in the question")]
    parties: Sequence[MatrixParty]
    rules: Annotated[Sequence[MatrixRule], Meta(description="cells name a rule by the index in this list")]
    cells: Annotated[
        Sequence[MatrixCell],
        Meta(description="the pairs that may connect; every other pair is denied, or is not judged (no end is a pod)"),
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
