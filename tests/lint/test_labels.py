"""The reason why a selector selects nothing, found without asking every pod for every selector."""

from collections.abc import Callable, Mapping, Sequence

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ovsnp.analysis.lint import CHECKS, LintIndex
from ovsnp.analysis.lint import labels as lint_labels
from ovsnp.analysis.lint.labels import Labels
from ovsnp.analysis.lint.wording import first_few, listed
from ovsnp.model.cluster import Cluster
from ovsnp.model.policy import PodPeer, Rule
from ovsnp.model.ports import PortEntry, Protocol
from ovsnp.model.selector import Operator, Requirement, Selector
from ovsnp.oracle import selection, selects
from tests.lint.test_covers import LABELS, selectors
from tests.support.model_objects import EVERYTHING, cluster, expressed, labelled, namespace, pod, policy

MANY = 300


def why_none(selector: Selector, labels: Sequence[Mapping[str, str]]) -> str:
    """The definition: the first requirement that none of the labels meets, and the values that there are instead."""
    if not labels:
        return "there is no pod"
    for requirement in selector.requirements:
        if not any(selects(Selector((requirement,)), each) for each in labels):
            values = sorted({each[requirement.key] or '""' for each in labels if requirement.key in each})
            return (
                f"{requirement.key} is {listed(first_few(values), 'or')}"
                if values
                else f"no pod has a label {requirement.key}"
            )
    return "no pod meets all of that at once"


@given(st.lists(st.sampled_from(LABELS), max_size=4), selectors)
def test_reason_is_the_first_requirement_that_nobody_meets(labels: list[dict[str, str]], selector: Selector) -> None:
    assert Labels(labels, "pod").why_none(selector) == why_none(selector, labels)


@given(st.lists(st.sampled_from(LABELS), max_size=8), selectors, st.sets(st.integers(0, 7)))
def test_things_that_a_selector_selects_are_those_of_the_oracle(
    labels: list[dict[str, str]], selector: Selector, among: set[int]
) -> None:
    inside = {number for number in among if number < len(labels)}
    expected = {number for number in inside if selects(selector, labels[number])}
    assert selection.Labelled(labels).selected(selector, inside) == expected


def address(number: int) -> str:
    return f"10.0.{number // 250}.{number % 250 + 1}"


SELECTORS: dict[str, Callable[[int], Selector]] = {
    "values": lambda number: labelled(app=f"none{number}"),
    "labels": lambda number: expressed(f"none{number}", Operator.EXISTS),
    "values that no pod has together": lambda number: labelled(app=f"a{number}", tier=f"t{(number + 1) % MANY}"),
    "a label and a value": lambda number: Selector(
        (Requirement("app", Operator.EXISTS), Requirement("tier", Operator.IN, (f"none{number}",)))
    ),
}

WHERE: dict[str, Callable[[int, Selector], Cluster]] = {
    "policies": lambda number, selector: cluster(policy(f"default/{number}", selector)),
    "peers of the namespace": lambda number, selector: _admitting(number, PodPeer(selector, None)),
    "peers of all namespaces": lambda number, selector: _admitting(number, PodPeer(selector, EVERYTHING)),
    "namespaces": lambda number, selector: _admitting(number, PodPeer(None, selector)),
}


def _admitting(number: int, peer: PodPeer) -> Cluster:
    return cluster(policy(f"default/{number}", ingress=[Rule((peer,), (PortEntry(Protocol.TCP, f"n{number}"),))]))


@pytest.mark.parametrize("where", WHERE)
@pytest.mark.parametrize("shape", SELECTORS)
def test_labels_that_are_asked_about_grow_with_their_number(
    shape: str, where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = 0

    def counted(selector: Selector, labels: Mapping[str, str]) -> bool:
        nonlocal asked
        asked += 1
        return selects(selector, labels)

    monkeypatch.setattr(selection, "selects", counted)
    monkeypatch.setattr(lint_labels, "selects", counted)
    there = cluster(
        *(namespace(f"space{number}", app=f"a{number}", tier=f"t{number}") for number in range(MANY)),
        *(pod(f"default/{number}", address(number), app=f"a{number}", tier=f"t{number}") for number in range(MANY)),
        *(pod(f"space{number}/0", address(MANY + number), app="b") for number in range(MANY)),
    )
    parts = [WHERE[where](number, SELECTORS[shape](number)) for number in range(MANY)]
    index = LintIndex(msgspec.structs.replace(there, policies=tuple(each for part in parts for each in part.policies)))
    found = [*CHECKS["selects-nothing"].find(index), *CHECKS["peer-matches-nothing"].find(index)]
    assert len(found) == MANY
    assert asked <= 20 * MANY
