"""Rules whose clauses have the same match, and are too many for one flow."""

import pytest

from ovsnp.compiler import compile_cluster
from ovsnp.flows.action import Conjunction
from ovsnp.flows.flow import Flow
from ovsnp.flows.match import Match, exactly
from ovsnp.flows.modification import AddFlow
from ovsnp.flows.note import FlowNote, Purpose
from ovsnp.lower import rules
from ovsnp.model.bridge import BridgePort, BridgePorts
from ovsnp.model.options import Options
from ovsnp.model.policy import Rule
from ovsnp.model.ports import PortEntry, Protocol
from ovsnp.pipeline.priorities import RULE_CLAUSE
from ovsnp.pipeline.registers import INGRESS_RULE, INGRESS_SUBJECT
from ovsnp.switch.openflow.bundle import MOST
from ovsnp.switch.openflow.modifications import encode_change
from tests.support.model_objects import EVERYTHING, cluster, namespace, node, pod, policy

HERE = node("node-0", "172.16.0.10", "10.0.0.0/24")
PORTS = BridgePorts(1, BridgePort(2, 2), {"default/web": BridgePort(10, 10)})


def test_clauses_are_in_several_flows_that_a_packet_meets_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules, "MOST_CLAUSES", 2)
    opened = [Rule((), (PortEntry(Protocol.TCP, port),)) for port in range(80, 85)]
    state = cluster(
        HERE, namespace("default"), pod("default/web", "10.0.0.2"), policy("default/in", EVERYTHING, ingress=opened)
    )
    program = compile_cluster(state, PORTS, Options(node="node-0"))
    of_rules = [flow for flow in program.flows if flow.table == "IngressRule" and flow.priority == RULE_CLAUSE]
    of_clauses = [flow for flow in of_rules if any(term.field is INGRESS_SUBJECT for term in flow.match.terms)]
    first, *others = sorted((str(flow.match) for flow in of_clauses), key=len)
    assert sorted(others) == [f"{first},{INGRESS_RULE.base}=0/{bits}" for bits in ("0x1", "0x2")]
    assert sorted(len(flow.actions) for flow in of_clauses) == [1, 2, 2]
    assert sorted(rule.index for flow in of_clauses for rule in flow.rules) == [*range(5)]


def test_flow_with_the_most_clauses_fits_into_a_message() -> None:
    clauses = tuple(Conjunction(number, 1, 3) for number in range(1, rules.MOST_CLAUSES + 1))
    match = Match("", (exactly(INGRESS_SUBJECT, 1),))
    flow = Flow("IngressRule", RULE_CLAUSE, match, clauses, FlowNote(Purpose.SUBJECT))
    assert len(encode_change(AddFlow(flow)).body) <= MOST
