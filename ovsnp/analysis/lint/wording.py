"""Words that several checks use."""

from collections.abc import Sequence

from ovsnp.model.cluster import Pod
from ovsnp.model.selector import Selector

_SHOWN = 4
"""The most words of a list that are shown."""


def some_pods(pods: Sequence[Pod]) -> str:
    """``default/db-0``, or ``default/db-0 and 3 more pods``."""
    others = len(pods) - 1
    return f"{pods[0].title} and {others} more pod{'s' if others > 1 else ''}" if others else pods[0].title


def listed(words: Sequence[str], last: str = "and") -> str:
    """``a``, ``a and b``, ``a, b and c``."""
    return f"{', '.join(words[:-1])} {last} {words[-1]}" if len(words) > 1 else "".join(words)


def first_few(words: Sequence[str]) -> list[str]:
    """The words, or the first of many words and ``...``."""
    return [*words[:_SHOWN], *(["..."] if len(words) > _SHOWN else [])]


def shown(selector: Selector) -> str:
    """A selector in kubectl's notation; an empty selector in words."""
    return str(selector) or "everything"
