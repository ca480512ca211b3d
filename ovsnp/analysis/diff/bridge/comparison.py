"""Compares the flows of a bridge with the policies: what the pods of its node gain and lose by `apply`."""

from collections import defaultdict
from collections.abc import Iterator

from ovsnp.analysis.diff.bridge.disagreements import Pairs, disagreements
from ovsnp.analysis.diff.bridge.ends import NodeEnds
from ovsnp.analysis.diff.bridge.own_cells import OwnCell, Rows, with_themselves
from ovsnp.analysis.diff.bridge.traffic import CellClasses
from ovsnp.analysis.diff.effect import Effect
from ovsnp.analysis.diff.effect.lines import EffectLine, Writer, merged
from ovsnp.analysis.diff.effect.pod_names import PodTerms, PodWords
from ovsnp.analysis.verification.expectation.proof_context import ProofContext
from ovsnp.analysis.verification.proof import contexts
from ovsnp.analysis.verification.simulator.reading import FlowDump
from ovsnp.analysis.verification.simulator.walk import Simulator
from ovsnp.gc_pause import gc_paused
from ovsnp.model.bridge import BridgePorts
from ovsnp.model.cluster import Cluster
from ovsnp.model.options import Options


@gc_paused()
def compare_bridge(bridge: FlowDump, cluster: Cluster, ports: BridgePorts, options: Options) -> Effect:
    """Take every connection of the node's pods through the flows; raises SwitchError where a flow cannot be judged."""
    bridge = bridge.without_learned()
    simulator = Simulator(bridge)
    found = list(contexts(bridge, cluster, ports, options))
    return Effect(
        merged(line for context in found for line in _lines(context, simulator)),
        (),
        tuple(context.version for context in found),
        None,
        None,
        None,
    )


def _lines(context: ProofContext, simulator: Simulator) -> Iterator[EffectLine]:
    found = disagreements(context, simulator, context.expect.options.bridge)
    named = {each for pairs in (found.gained, found.lost) for near, row in pairs.items() for each in (near, *row)}
    ends, traffic = NodeEnds(context, named), CellClasses(context.cells)
    writer = _NodeWriter(context, ends, traffic)
    admitted, denied = _themselves(context, ends, traffic)
    size = len(ends.numbers)
    yield from writer.lines(with_themselves(_rows(found.gained, ends, traffic), admitted, size), gained=True)
    yield from writer.lines(with_themselves(_rows(found.lost, ends, traffic), denied, size), gained=False)


def _themselves(context: ProofContext, ends: NodeEnds, traffic: CellClasses) -> tuple[list[OwnCell], list[OwnCell]]:
    """The node's pods with the traffic to themselves that policies would admit, and deny, if they applied to it."""
    alike: dict[int, list[int]] = defaultdict(list)
    for far in context.locals():
        alike[far.number].append(ends.numbers[far.address])
    admitted, denied = [], []
    for far in context.locals():
        number, cells = ends.numbers[far.address], context.expect.allowed(far, far, True)
        others = tuple(each for each in alike[far.number] if each != number)
        admitted.append(OwnCell(number, others, traffic.of(cells)))
        denied.append(OwnCell(number, others, traffic.of(context.cells.all & ~cells)))
    return admitted, denied


def _rows(pairs: Pairs, ends: NodeEnds, traffic: CellClasses) -> Rows:
    rows: Rows = {}
    for near, row in pairs.items():
        for far, cells in row.items():
            found = traffic.of(cells)
            if found and near in ends.numbers and far in ends.numbers:
                rows.setdefault(ends.numbers[near], {})[ends.numbers[far]] = found
    return rows


class _NodeWriter(Writer):
    """Makes lines about a node's pods; words may be limited to the pods on the node where that is shorter."""

    def __init__(self, context: ProofContext, ends: NodeEnds, traffic: CellClasses) -> None:
        super().__init__(ends, ends.family, traffic.classes, ends.reasons)
        self._node = context.expect.options.node
        here = {each.pod.key: each.pod for each in context.expect.locals}
        self._here = PodWords(here.values(), ends.new.cluster.namespaces)
        self._local = here.keys()

    def pod_words(self, keys: frozenset[str]) -> tuple[PodTerms, str | None]:
        """Words for pods, and the node to which the words are limited, if any."""
        everywhere = self.names.name(keys)
        if self._node is None or not keys <= self._local:
            return everywhere, None
        here = self._here.name(keys)
        return (here, self._node) if len(here.words(self._node)) < len(str(everywhere)) else (everywhere, None)
