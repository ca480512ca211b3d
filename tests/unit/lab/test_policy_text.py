"""A policy in a few words."""

import pytest

from ovsnp.errors import Place
from ovsnp.lab.policy_text import sentences
from ovsnp.model.address import parse_prefix
from ovsnp.model.policy import Direction, IPBlock, NetworkPolicy, PodPeer, Rule
from ovsnp.model.ports import PortEntry, Protocol
from ovsnp.model.selector import Operator, Requirement, Selector

DB = Selector((Requirement("role", Operator.IN, ("db",)),))
MINE = Selector((Requirement("project", Operator.IN, ("mine",)),))


@pytest.mark.parametrize(
    ("rule", "sentence"),
    [
        (Rule(), "anyone on any port"),
        (Rule((PodPeer(DB, None),), (PortEntry(port=80),)), "pods role=db on 80/tcp"),
        (Rule((PodPeer(None, MINE),), (PortEntry(),)), "pods in namespaces project=mine on any tcp port"),
        (Rule((PodPeer(Selector(), Selector()),)), "pods of any label anywhere on any port"),
        (
            Rule((IPBlock(parse_prefix("10.0.0.0/8"), (parse_prefix("10.1.0.0/16"),)), PodPeer(DB, None))),
            "10.0.0.0/8 except 10.1.0.0/16 or pods role=db on any port",
        ),
        (Rule((), (PortEntry(Protocol.UDP, 5, 9), PortEntry(port="web"))), "anyone on 5-9/udp, web/tcp"),
    ],
)
def test_rules(rule: Rule, sentence: str) -> None:
    policy = NetworkPolicy("default", "p", DB, frozenset({Direction.EGRESS}), (), (rule,), Place("x"))
    assert list(sentences(policy)) == ["default/p on pods role=db", f"  egress to {sentence}"]


def test_a_listed_direction_without_rules_admits_none() -> None:
    policy = NetworkPolicy("default", "p", Selector(), frozenset(Direction), (), (), Place("x"))
    assert list(sentences(policy)) == ["default/p on pods of any label", "  ingress: none", "  egress: none"]
