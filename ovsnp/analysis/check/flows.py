"""Compares a bridge's flows with expectations."""

from collections.abc import Iterator, Mapping

from msgspec.structs import replace

from ovsnp.analysis.check.judging import FlowMiss, Judged
from ovsnp.analysis.check.node_views import Demand, Halves, NodeView
from ovsnp.analysis.explain.reasons import Outcome
from ovsnp.analysis.verification.counterexample import counterexample_of
from ovsnp.analysis.verification.expectation.next_hops import NextHop
from ovsnp.analysis.verification.expectation.verdicts import AllDropped, AllOpen, AllPass, Verdicts
from ovsnp.analysis.verification.proof import FaultyFlow
from ovsnp.analysis.verification.questions.bridge_question import BridgeQuestion, Remembered
from ovsnp.analysis.verification.questions.bridge_question import judged as faults
from ovsnp.analysis.verification.simulator.packets import Packets, Translated
from ovsnp.analysis.verification.simulator.reading import FlowDump, ReadFlow
from ovsnp.analysis.verification.simulator.space import Space, Value
from ovsnp.analysis.verification.simulator.walk import Simulator
from ovsnp.analysis.wording.ports import traffic_name
from ovsnp.model.address import family, format_address
from ovsnp.model.bridge import BridgePorts
from ovsnp.model.cluster import Cluster
from ovsnp.model.options import Options
from ovsnp.oracle import ServingBackend
from ovsnp.pipeline.conntrack import ZONE
from ovsnp.pipeline.tables import TABLES

_TABLES = {table.id: table.name for table in TABLES}
_VERDICTS: Mapping[Outcome | None, Verdicts] = {
    Outcome.ALLOWED: AllPass(),
    Outcome.DENIED: AllDropped(),
    None: AllOpen(),
}


class BridgeFlows:
    """The flows of one node's bridge, run packet by packet in a simulator."""

    def __init__(self, bridge: FlowDump, cluster: Cluster, ports: BridgePorts, options: Options) -> None:
        self._halves, self._name = Halves(cluster, ports, options), options.bridge
        self._space = Space([{}])
        self._walk = Simulator(bridge.without_learned()).walk(self._space)

    def ask(self, judged: Judged) -> Judged:
        """Add the packets that the flows treat otherwise than expected, and the number of undecided connections."""
        question, expected = judged.asked.question, judged.asked.expectation.expected
        misses: list[FlowMiss] = []
        silent = 0
        for connection in question.connections:
            halves = [half for half in self._halves.of(connection, expected) if not half.open]
            silent += not halves
            name = f"{question.source} to {question.destination}, {traffic_name(connection.traffic)}"
            misses += [miss for half in halves for miss in self._misses(half, name)]
        return replace(judged, misses=tuple(misses), silent=silent)

    def _misses(self, half: NodeView, name: str) -> Iterator[FlowMiss]:
        """The faults of one packet, with each endpoint that the flows may choose for it."""
        sets = self._space.everything
        for packets in self._walk.run(half.fields, sets):
            given = _given(packets)
            demand = half.demands.get(given, half.otherwise) if given else half.otherwise
            words = f", given {format_address(given.address)} port {given.port}" if given else ""
            question = self._question(half, demand, (name, f"{half.came}{words}"))
            for fault in faults(question, packets):
                example = counterexample_of(FaultyFlow(question, fault, 1), packets, sets, self._name)
                yield FlowMiss(example, _last_table(packets))

    def _question(self, half: NodeView, demand: Demand, words: tuple[str, str]) -> BridgeQuestion:
        name, note = words
        verdicts, space = _VERDICTS[demand.wanted], self._space
        leaves, version = _leaving(demand.way), 4 if "nw_dst" in half.fields else 6
        return BridgeQuestion(
            "expectation",
            space,
            [[name]],
            half.fields,
            space.everything,
            verdicts,
            leaves,
            Remembered(ZONE[version], ()),
            note=note,
            sealed=False,
        )


def _leaving(way: NextHop) -> dict[str, Value]:
    tunnel = {family(way.tunnel): int.from_bytes(way.tunnel, "big")} if way.tunnel else {}
    return {
        "port": way.port,
        "dl_dst": way.mac,
        "tun_dst": tunnel.get(4, 0),
        "tun_ipv6_dst": tunnel.get(6, 0),
    }


def _given(packets: Packets) -> ServingBackend | None:
    """The endpoint that the flows chose for a Service's connection; None without a Service."""
    translated = [each.nat for each in packets.effects if isinstance(each, Translated) and each.nat.side == "dst"]
    return ServingBackend(translated[-1].address, (translated[-1].ports or (0, 0))[0]) if translated else None


def _last_table(packets: Packets) -> str:
    last = packets.met[-1]
    number = last.table if isinstance(last, ReadFlow) else last
    return _TABLES.get(number, f"table {number}")
