"""The matrix as JSON; docs/matrix.schema.json is its schema."""

from collections.abc import Iterator
from typing import Any

from ovsnp.analysis.matrix.deciding import deciding
from ovsnp.analysis.matrix.view import Shown, View
from ovsnp.analysis.reach.parties import Party
from ovsnp.analysis.wording.places import Places
from ovsnp.analysis.wording.traffics import traffics_of
from ovsnp.model.policy import Direction
from ovsnp.oracle.classes import Classes
from ovsnp.oracle.rulebook import CompiledRule


def document(view: View, places: Places) -> dict[str, Any]:
    """What may be opened by whom to whom, and by which rules; a pair that has no cell is denied."""
    rules = _Rules(places)
    reach = view.reach
    cells = [_cell(view, shown, rules) for source in view.sources for shown in view.shown(source)]
    together = {party.name: party for party in (*view.sources, *view.destinations)}
    return {
        "by": reach.by.value,
        "strict_nodes": reach.strict_nodes,
        "port": view.asked.written if view.asked else None,
        "from": [party.name for party in view.sources],
        "to": [party.name for party in view.destinations],
        "parties": [_party(view, party, places) for party in reach.parties if party.name in together],
        "rules": rules.found,
        "cells": cells,
    }


class _Rules:
    """The rules that cells name, each told once; a cell has their indexes."""

    def __init__(self, places: Places) -> None:
        self._places = places
        self._indexes: dict[str, int] = {}
        self.found: list[dict[str, Any]] = []

    def index(self, facts: CompiledRule) -> int:
        key = str(facts.admission)
        if key not in self._indexes:
            self._indexes[key] = len(self.found)
            policy, direction, rule = facts.admission.policy, facts.admission.direction, facts.admission.rule
            field = self._places.rule(policy, direction, rule)
            self.found.append(
                {"policy": policy.key, "path": field.path, "file": field.span.file, "line": field.span.line or None}
            )
        return self._indexes[key]


def _party(view: View, party: Party, places: Places) -> dict[str, Any]:
    return {
        "name": party.name,
        "kind": party.kind.value,
        "namespace": party.namespace,
        "workload": party.workload.key if party.workload else None,
        "pods": [pod.name for pod in party.pods],
        "nodes": sorted(party.nodes),
        "addresses": list(party.addresses),
        "isolated_by": {
            direction.section: list(_isolating(view, party, direction, places))
            for direction in (Direction.EGRESS, Direction.INGRESS)
        },
    }


def _isolating(view: View, party: Party, direction: Direction, places: Places) -> Iterator[dict[str, Any]]:
    number = next(iter(party.classes.values()))
    for policy in view.reach.relation.rules.isolating(direction, number):
        span = places.policy(policy).span
        yield {"policy": policy.key, "file": span.file, "line": span.line or None}


def _cell(view: View, shown: Shown, rules: _Rules) -> dict[str, Any]:
    return {
        "from": shown.source.name,
        "to": shown.destination.name,
        "ports": shown.ports,
        "exempt": shown.cell.exempt.value if shown.cell.exempt else None,
        "wholly": shown.cell.wholly,
        "families": [
            {
                "family": each.family,
                **_traffics(view.reach.classes, shown.cell.ports[each.family]),
                "egress": [rules.index(facts) for facts in each.egress],
                "ingress": [rules.index(facts) for facts in each.ingress],
            }
            for each in deciding(view.reach, shown)
        ],
    }


def _traffics(classes: Classes, bits: int) -> dict[str, Any]:
    traffics = traffics_of(classes, bits)
    return {
        "everything": traffics.everything,
        "portless": traffics.portless,
        "allowed": [
            {"protocol": protocol.value, "first": run.first, "last": run.last}
            for protocol, runs in traffics.ports.items()
            for run in runs
        ],
    }
