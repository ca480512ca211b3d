"""The labels of all pods or namespaces together: they say why a selector selects none of these."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from itertools import islice

from ovsnp.analysis.lint.wording import first_few, listed
from ovsnp.model.selector import Requirement, Selector
from ovsnp.oracle import selects


class Labels:
    """The labels of some things; ``what`` is the word for one of them: ``pod`` or ``namespace``."""

    def __init__(self, labels: Iterable[Mapping[str, str]], what: str) -> None:
        self._what = what
        self._values: dict[str, set[str]] = defaultdict(set)
        self._with_key: Counter[str] = Counter()
        self.things = 0
        for each in labels:
            self.things += 1
            self._with_key.update(each.keys())
            for key, value in each.items():
                self._values[key].add(value)
        self._instead = cache(self._find_instead)

    def why_none(self, selector: Selector) -> str:
        """The reason why a selector selects none of the things: the labels that these have instead."""
        if not self.things:
            return f"there is no {self._what}"
        for requirement in selector.requirements:
            alone = Selector((requirement,))
            if not any(selects(alone, each) for each in self._examples(requirement)):
                return self._instead(requirement.key)
        return f"no {self._what} meets all of that at once"

    def _examples(self, requirement: Requirement) -> Iterator[Mapping[str, str]]:
        """The cases that a requirement distinguishes: no key, each value that it mentions, and one other value."""
        key, mentioned = requirement.key, requirement.values
        values = self._values.get(key, set())
        if self._with_key[key] < self.things:
            yield {}
        yield from ({key: value} for value in mentioned if value in values)
        yield from ({key: value} for value in islice((each for each in values if each not in mentioned), 1))

    def _find_instead(self, key: str) -> str:
        if key not in self._values:
            return f"no {self._what} has a label {key}"
        quoted = [value or '""' for value in sorted(self._values[key])]
        return f"{key} is {listed(first_few(quoted), 'or')}"
