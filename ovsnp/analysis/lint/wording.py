"""Words that several checks use."""

from collections.abc import Iterable, Mapping, Sequence

from ovsnp.model.cluster import Pod
from ovsnp.model.selector import Requirement, Selector
from ovsnp.oracle import selects

_SHOWN = 4
"""How many of many words are shown."""


def some_pods(pods: Sequence[Pod]) -> str:
    """``default/db-0``, or ``default/db-0 and 3 more pods``."""
    others = len(pods) - 1
    return f"{pods[0].title} and {others} more pod{'s' if others > 1 else ''}" if others else pods[0].title


def listed(words: Sequence[str], last: str = "and") -> str:
    """``a``, ``a and b``, ``a, b and c``."""
    return f"{', '.join(words[:-1])} {last} {words[-1]}" if len(words) > 1 else "".join(words)


def first_few(words: Sequence[str]) -> list[str]:
    """The words, or the first ones and ``...`` where they are many."""
    return [*words[:_SHOWN], *(["..."] if len(words) > _SHOWN else [])]


def shown(selector: Selector) -> str:
    """A selector in kubectl's notation; one that is empty in words."""
    return str(selector) or "everything"


def why_none(selector: Selector, candidates: Iterable[Mapping[str, str]], what: str) -> str:
    """Why a selector selects none of the labels: what they are instead. ``what`` they are the labels of: ``pod``."""
    labels = list(candidates)
    if not labels:
        return f"there is no {what}"
    for requirement in selector.requirements:
        if not any(selects(Selector((requirement,)), each) for each in labels):
            return _instead(requirement, labels, what)
    return f"no {what} meets all of that at once"


def _instead(requirement: Requirement, labels: Sequence[Mapping[str, str]], what: str) -> str:
    values = sorted({each[requirement.key] for each in labels if requirement.key in each})
    if not values:
        return f"no {what} has a label {requirement.key}"
    quoted = [value or '""' for value in values]
    return f"{requirement.key} is {listed(first_few(quoted), 'or')}"
