"""Finds the policy rules that a flow on the bridge serves, by the numbers in the flow.

A flow on the bridge has no names: its cookie has the number of the rule by which it admits, and a clause has the
numbers of its conjunctions. The number of a rule is made of the rule's name, so the name is found by numbering the
names of all rules that there could have been.
"""

from collections.abc import Iterator, Mapping

from ovsnp.analysis.verification.simulator.actions import ParsedConjunction, read_actions
from ovsnp.flows.program import Program
from ovsnp.ir.ruleset import RuleRef
from ovsnp.model.cluster import Cluster
from ovsnp.model.policy import Direction
from ovsnp.pipeline.cookies import rule_of
from ovsnp.pipeline.numbers import number
from ovsnp.switch.dump import InstalledFlow

_GONE = 8
"""The number of further rules that a policy may have had in each direction."""


class RuleNames:
    """The names of rules by number: the rules compiled for the bridge, and others that the policies may have had."""

    def __init__(self, program: Program, cluster: Cluster) -> None:
        self._compiled = {flow.number: flow.rules[0] for flow in program.flows if flow.number and flow.rules}
        self._cluster = cluster
        self._possible: Mapping[int, RuleRef] | None = None

    def of(self, flow: InstalledFlow) -> tuple[tuple[RuleRef, ...], tuple[int, ...]]:
        """The rules that a flow on the bridge serves, and the numbers of its rules that no policy can have had."""
        clauses = (each for each in read_actions(flow.actions) if isinstance(each, ParsedConjunction))
        numbers = {rule_of(flow.cookie), *(clause.id for clause in clauses)} - {0}
        found = {each: self._name(each) for each in numbers}
        rules = {rule for rule in found.values() if rule}
        return tuple(sorted(rules)), tuple(sorted(each for each, rule in found.items() if not rule))

    def _name(self, wanted: int) -> RuleRef | None:
        if wanted in self._compiled:
            return self._compiled[wanted]
        if self._possible is None:
            self._possible = {name: ref for ref in _refs(self._cluster) for name in _numbers(ref)}
        return self._possible.get(wanted)


def _refs(cluster: Cluster) -> Iterator[RuleRef]:
    for policy in cluster.policies:
        for direction in Direction:
            for index in range(len(policy.rules(direction)) + _GONE):
                yield RuleRef(policy.namespace, policy.name, direction, index)


def _numbers(ref: RuleRef) -> Iterator[int]:
    for name in (str(ref), f"{ref} by cluster IP"):
        yield number([name])[name]
