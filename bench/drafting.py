"""Time of the console's pages, and of its answers about an edit of one policy, stage by stage."""

import json
import time
from collections.abc import Iterator, Sequence
from statistics import median
from typing import Any

import msgspec

from bench.console_pages import measure_pages
from bench.inputs import Inputs
from bench.table import Cell, table, verdict
from ovsnp.analysis.diff.effect import compare
from ovsnp.console.draft import Deletion, Draft, DraftSession, Edit, Stage
from ovsnp.manifests import load
from ovsnp.model.cluster import Cluster
from ovsnp.oracle.terms import Terms

BAR = {"L": 1.5}
"""The seconds in which the effect of the first edit must be known."""

STAGES = (Stage.READ, Stage.PODS, Stage.EFFECT, Stage.LINT, Stage.MATRIX)
HEAD = ("input", "edit", "first effect, s", "bar", "verdict", "effect, s", "lint, s", "matrix, s", "compare, s", "KB")


def measure(inputs: Inputs) -> Iterator[str]:
    """A table for each size, so that a busy machine has some rows soon."""
    yield "## The console"
    yield from measure_pages(inputs)
    yield "### Drafts, stage by stage"
    yield (
        "Processor time. The first effect is that of a new session, from the draft to the effect; the other stages are"
        f" medians of {inputs.runs} edits of the same session. `compare` is the same effect without a session."
    )
    for size in inputs.sizes:
        if size != "XL":
            yield table(HEAD, [*_rows(inputs, size)])


def _rows(inputs: Inputs, size: str) -> Iterator[tuple[Cell, ...]]:
    file = inputs.file(size, minimal=True)
    snapshot = load([str(file)])
    objects = json.loads(file.read_text(encoding="utf-8"))["items"]
    for name, edit in _edits([each for each in objects if each["kind"] == "NetworkPolicy"]):
        session = DraftSession(snapshot)
        first = _stages(session, edit)
        again = [_stages(session, edit) for _ in range(inputs.runs)]
        effect, lint, matrix = (
            median(each[STAGES.index(stage)] for each in again) for stage in (Stage.EFFECT, Stage.LINT, Stage.MATRIX)
        )
        until = sum(first[: STAGES.index(Stage.EFFECT) + 1])
        bar = BAR.get(size)
        shown = "-" if bar is None else f"{bar:g}"
        alone = _compared(snapshot, edit)
        answer = len(msgspec.json.encode(session.answer(edit))) / 1e3
        yield size, name, until, shown, verdict(until, bar), effect, lint, matrix, alone, answer


def _edits(policies: Sequence[dict[str, Any]]) -> Iterator[tuple[str, Edit]]:
    rule = next(each for each in policies if each["metadata"]["name"] == "allow-external")
    deny = next(each for each in policies if each["metadata"]["name"] == "default-deny")
    port = {**rule, "spec": {**rule["spec"], "ingress": [{"ports": [{"port": 8443}]}]}}
    block = {"ipBlock": {"cidr": "192.0.2.0/24", "except": ["192.0.2.8/32"]}}
    wide = {**rule, "spec": {"podSelector": {}, "policyTypes": ["Ingress"], "ingress": [{"from": [block]}]}}
    yield "another port", Draft(port, _key(rule))
    yield "another block, all pods", Draft(wide, _key(rule))
    yield "a new policy", Draft({**wide, "metadata": {**rule["metadata"], "name": "drafted"}})
    ports = [{"ports": [{"port": port}]} for port in range(2000, 4000, 2)]
    yield "1,000 rules, 1,000 ports", Draft({**rule, "spec": {**wide["spec"], "ingress": ports}}, _key(rule))
    yield "no default deny", Deletion(_key(deny))


def _key(policy: dict[str, Any]) -> str:
    return f"{policy['metadata']['namespace']}/{policy['metadata']['name']}"


def _stages(session: DraftSession, edit: Edit) -> list[float]:
    """The time of each stage."""
    times, began = [], time.process_time()
    for _ in session.stages(edit):
        ended = time.process_time()
        times.append(ended - began)
        began = ended
    return times


def _compared(snapshot: Cluster, edit: Edit) -> float:
    """The time of the effect of the policy's end, without a session."""
    left = tuple(each for each in snapshot.policies if each.key != edit.replaces)
    began = time.process_time()
    compare(snapshot, msgspec.structs.replace(snapshot, policies=left), Terms())
    return time.process_time() - began
