"""The labels that a selector selects (docs/semantics.md)."""

from collections.abc import Mapping

import pytest

from ovsnp.model.selector import Operator, Requirement, Selector
from ovsnp.oracle.selectors import selects
from tests.support.model_objects import EVERYTHING, expressed

IN, NOT_IN, EXISTS, ABSENT = Operator.IN, Operator.NOT_IN, Operator.EXISTS, Operator.DOES_NOT_EXIST


def test_an_empty_selector_selects_everything() -> None:
    assert selects(EVERYTHING, {})
    assert selects(EVERYTHING, {"tier": "web"})


@pytest.mark.parametrize(
    ("selector", "labels", "expected"),
    [
        (expressed("tier", IN, "web", "db"), {"tier": "db"}, True),
        (expressed("tier", IN, "web", "db"), {"tier": "cache"}, False),
        (expressed("tier", IN, "web", "db"), {"app": "db"}, False),
        (expressed("tier", IN, ""), {"tier": ""}, True),
        (expressed("tier", IN, ""), {}, False),
        (expressed("tier", NOT_IN, "web", "db"), {"tier": "cache"}, True),
        (expressed("tier", NOT_IN, "web", "db"), {"tier": "web"}, False),
        (expressed("tier", NOT_IN, "web"), {"app": "web"}, True),
        (expressed("tier", NOT_IN, ""), {"tier": ""}, False),
        (expressed("tier", EXISTS), {"tier": "web"}, True),
        (expressed("tier", EXISTS), {"tier": ""}, True),
        (expressed("tier", EXISTS), {"app": "tier"}, False),
        (expressed("tier", ABSENT), {}, True),
        (expressed("tier", ABSENT), {"tier": ""}, False),
        (expressed("tier", ABSENT), {"app": "tier"}, True),
    ],
)
def test_operators(selector: Selector, labels: Mapping[str, str], expected: bool) -> None:
    assert selects(selector, labels) is expected


def test_requirements_are_and() -> None:
    selector = Selector((Requirement("app", IN, ("web",)), Requirement("tier", EXISTS)))
    assert selects(selector, {"app": "web", "tier": "x"})
    assert not selects(selector, {"app": "web"})
    assert not selects(selector, {"tier": "x"})
