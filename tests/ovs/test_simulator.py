"""The simulator of `ovsnp verify` compared with Open vSwitch: a trace sends packets of every question the same way."""

import os
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from random import Random

import pytest
from msgspec.structs import replace

from ovsnp.analysis.verification.counterexample import commanded, packet_fields
from ovsnp.analysis.verification.packet import packet_text
from ovsnp.analysis.verification.proof import prove, questions
from ovsnp.analysis.verification.questions.bridge_question import BridgeQuestion
from ovsnp.analysis.verification.questions.services.endpoint_choice import ServiceQuestion
from ovsnp.analysis.verification.simulator.packets import Translated, Unsupported
from ovsnp.analysis.verification.simulator.places import place, read_value
from ovsnp.analysis.verification.simulator.reading import FlowDump, read_bridge
from ovsnp.analysis.verification.simulator.relevance import Relevance
from ovsnp.analysis.verification.simulator.space import Sets, Value, bits_of
from ovsnp.analysis.verification.simulator.walk import Simulator
from ovsnp.compiler import local_pods, render_text
from ovsnp.lower import rules
from ovsnp.manifests import load_objects
from ovsnp.model.cluster import Cluster
from ovsnp.model.options import Encap, Options
from tests.support.clusters import random_cluster, random_services
from tests.support.golden_cases import CASES, cluster_of, options_of
from tests.support.instance import DummySwitch
from tests.support.traced import TracedCluster, offline_ports

CLUSTERS = int(os.environ.get("OVSNP_CLUSTERS", "20"))
MOST = 40
"""The most questions of one kind that are asked on a node, with one packet each: they differ in little."""
COMPARED = {
    *("dl_src", "dl_dst", "nw_src", "nw_dst", "ipv6_src", "ipv6_dst", "nw_ttl", "icmp_type", "nd_target", "nd_tll"),
    *("arp_op", "arp_spa", "arp_tpa", "arp_sha", "arp_tha", "tun_dst", "tun_ipv6_dst", "tun_id"),
    *("tun_metadata0", "tun_metadata1", "reg0", "reg1", "reg2", "reg3", "reg4", "reg7", "reg8", "reg9"),
}
"""Fields of the final packet that are compared; the simulator does not follow reg5 and reg6 (admitting rules)."""


def sampled(question: BridgeQuestion, random: Random) -> Sets:
    """One packet of a question."""
    return tuple(1 << random.choice(list(bits_of(bits))) for bits in question.sets)


Outcome = tuple[int | None, dict[str, int]]
"""The port by which a packet leaves (None: it is dropped), and its fields at that time."""


def outcomes(simulator: Simulator, question: BridgeQuestion, sets: Sets) -> list[Outcome]:
    """The possible outcomes of a packet in the simulator; none if it is translated, as a trace does not translate."""
    found: list[Outcome] = []
    for packets in simulator.walk(question.space).run(question.start(), sets, question.memory):
        assert not any(isinstance(effect, Unsupported) for effect in packets.effects)
        if any(isinstance(effect, Translated) for effect in packets.effects):
            return []
        sent = [numbers(question, {**each.fields, "port": each.port}) for each in packets.sent]
        found += [(fields["port"], fields) for fields in sent] if sent else [(None, {})]
    return found


def numbers(question: BridgeQuestion, fields: Mapping[str, Value]) -> dict[str, int]:
    """The fields of one packet."""
    known = {base: question.space.known(value, question.sets) for base, value in fields.items()}
    return {base: value for base, value in known.items() if isinstance(value, int)}


def alike(outcome: Outcome, port: int | None, final: str, relevance: Relevance) -> bool:
    """True if Open vSwitch agrees: on the port, and in all named fields on the bits that decide anything."""
    if outcome[0] != port or port is None:
        return outcome[0] == port
    for part in final.split(","):
        name, _, text = part.partition("=")
        where = place(name) if name in COMPARED else None
        if where:
            differing = outcome[1].get(where.base, 0) ^ read_value(text, 128)[0] << where.lsb
            if differing & where.mask & relevance.mask(where.base):
                return False
    return True


def asked(bridge: FlowDump, cluster: Cluster, node: str | None, options: Options) -> Iterator[BridgeQuestion]:
    pods = tuple(pod for pod in cluster.pods if pod.node == node or node is None)
    for question in questions(bridge, cluster, offline_ports(pods), options):
        if isinstance(question, ServiceQuestion):
            question.begun = []
        # A trace knows the state of a connection, but not its address translation.
        if not question.table and not any(memory.undo for memory in question.memory.values()):
            yield question


def some(asked: Iterable[BridgeQuestion], random: Random) -> Iterator[BridgeQuestion]:
    """At most ``MOST`` questions of each kind."""
    kinds: dict[str, list[BridgeQuestion]] = defaultdict(list)
    for question in asked:
        kinds[question.kind].append(question)
    for those in kinds.values():
        yield from random.sample(those, min(len(those), MOST))


def disagreements(traced: TracedCluster, cluster: Cluster, options: Options, random: Random) -> list[str]:
    """The packets that the simulator and Open vSwitch treat differently."""
    wrong = []
    for node in tuple(cluster.nodes) or (None,):
        bridge = read_bridge(render_text(traced.programs[node]).splitlines())
        simulator, relevance = Simulator(bridge), Relevance(bridge)
        for question in some(asked(bridge, cluster, node, replace(options, node=node)), random):
            sets = sampled(question, random)
            expected = outcomes(simulator, replace(question, sets=sets), sets)
            packet, states = commanded(packet_text(packet_fields(question, sets)), question, simulator, sets)
            port, final = traced.way(node, packet, *states)
            if expected and not any(alike(each, port, final, relevance) for each in expected):
                wrong.append(f"{question.kind} {question.note}: {packet} {states}: {port} {final}, not {expected}")
    return wrong


@pytest.mark.parametrize("seed", range(CLUSTERS))
def test_random_packets_go_the_same_way(dummy_switch: DummySwitch, monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    if seed % 4 == 2:
        monkeypatch.setattr(rules, "MOST_CLAUSES", 1)
    random = Random(seed)
    objects = random_cluster(random)
    cluster = load_objects([*objects, *random_services(random, objects)])
    options = Options(strict_nodes=seed % 3 == 0, masquerade=seed % 2 == 0, service_blocks=seed % 4 == 0,
                      encap=Encap.VXLAN if seed % 5 == 1 else Encap.GENEVE)  # fmt: skip
    traced = TracedCluster(dummy_switch, cluster, options)
    try:
        assert disagreements(traced, cluster, options, random) == []
    finally:
        traced.close()


@pytest.mark.parametrize("case", CASES)
def test_packets_of_golden_cases_go_the_same_way(dummy_switch: DummySwitch, case: str) -> None:
    cluster, options = cluster_of(case), options_of(case)
    traced = TracedCluster(dummy_switch, cluster, options)
    try:
        assert disagreements(traced, cluster, options, Random(case)) == []
    finally:
        traced.close()


@pytest.mark.parametrize("case", CASES)
def test_what_open_vswitch_stored_of_golden_cases_is_proved(dummy_switch: DummySwitch, case: str) -> None:
    cluster, options = cluster_of(case), options_of(case)
    traced = TracedCluster(dummy_switch, cluster, options)
    try:
        for node in tuple(cluster.nodes) or (None,):
            dumped = read_bridge([*traced.dump(node).splitlines(), *traced.dump_groups(node).splitlines()])
            report = prove(dumped, cluster, offline_ports(local_pods(cluster, node)), replace(options, node=node))
            assert [(each.question.kind, each.fault.what) for each in report.findings] == []
    finally:
        traced.close()
