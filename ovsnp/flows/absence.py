"""Holds flows against what no datapath may be asked: to match that a field is absent (`ovsnp.pipeline.datapath`)."""

from collections import defaultdict
from collections.abc import Iterable, Mapping

from ovsnp.errors import DeclarationError
from ovsnp.flows.flow import Flow
from ovsnp.flows.match import Term
from ovsnp.pipeline.datapath import WITNESS
from ovsnp.pipeline.fields import Field


def check_absences(flows: Iterable[Flow]) -> None:
    """Raises DeclarationError where a verdict hangs on the absence of a field that has a witness.

    A flow that matches such a field must match its witness, too. The other flows of the table drop packets with the
    witness, or do not take them. A packet that no flow takes is dropped.
    """
    tables: dict[str, list[Flow]] = defaultdict(list)
    for flow in flows:
        tables[flow.table].append(flow)
    for there in tables.values():
        witnessed = [flow for flow in there if _witnessed(flow)]
        for flow in witnessed:
            _check_witness(flow)
        if witnessed:
            _check_others((flow for flow in there if not _witnessed(flow)), _whole_values(witnessed))


def _witnessed(flow: Flow) -> list[Field]:
    return [term.field for term in flow.match.terms if term.field in WITNESS]


def _check_witness(flow: Flow) -> None:
    for field in _witnessed(flow):
        witness = WITNESS[field]
        if Term(witness.field, witness.value, witness.field.full_mask) not in flow.match.terms:
            raise DeclarationError(f"{flow.slot} matches {field.name} without {witness.field.name}={witness.value}")


def _check_others(others: Iterable[Flow], whole: Mapping[Field, set[int]]) -> None:
    for flow in others:
        if flow.actions and not any(
            term.field in whole and term.mask == term.field.full_mask and term.value not in whole[term.field]
            for term in flow.match.terms
        ):
            raise DeclarationError(f"{flow.slot} takes a packet where a field is absent that another flow matches")


def _whole_values(flows: list[Flow]) -> dict[Field, set[int]]:
    """The values of those fields that each of the flows matches whole."""
    values: dict[Field, set[int]] = defaultdict(set)
    count: dict[Field, int] = defaultdict(int)
    for term in (term for flow in flows for term in flow.match.terms if term.mask == term.field.full_mask):
        values[term.field].add(term.value)
        count[term.field] += 1
    return {field: found for field, found in values.items() if count[field] == len(flows)}
