"""Turns local pods into subjects: the pods that the same rules select have one number."""

from collections import defaultdict
from collections.abc import Mapping

from ovsnp.ir.clauses import SubjectClass
from ovsnp.model.changes import keep
from ovsnp.pipeline.numbers import Numbers


class Subjects:
    """The isolated local pods of one direction, in classes that no rule tells apart.

    A class is named after the rules that select its pods.
    """

    def __init__(self) -> None:
        self._name_of: dict[str, str] = {}
        self._pods: dict[str, set[str]] = defaultdict(set)
        self._numbers = Numbers()
        self._classes: dict[str, SubjectClass] = {}

    def update(self, selecting: Mapping[str, list[str] | None]) -> dict[str, SubjectClass | None]:
        """Take the sorted rules that select some pods (None: not isolated); returns the classes that have changed."""
        touched: set[str] = set()
        for pod, rules in selecting.items():
            before = self._name_of.pop(pod, None)
            if before is not None:
                self._pods[before].discard(pod)
                touched.add(before)
            if rules is not None:
                name = self._name_of[pod] = "\n".join(("selected by", *rules))
                self._pods[name].add(pod)
                touched.add(name)
        gone = {name for name in touched if not self._pods[name]}
        for name in gone:
            del self._pods[name]
        came = [name for name in touched - gone if name not in self._classes]
        touched |= self._numbers.update(gone & self._classes.keys(), came)
        changed: dict[str, SubjectClass | None] = {}
        for name in touched:
            pods = self._pods.get(name)
            after = SubjectClass(self._numbers[name], tuple(sorted(pods))) if pods else None
            if after != self._classes.get(name):
                changed[name] = after
        keep(self._classes, changed)
        return changed

    def of(self, pod: str) -> SubjectClass:
        """The class of an isolated pod."""
        return self._classes[self._name_of[pod]]
