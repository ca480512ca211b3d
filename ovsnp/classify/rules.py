"""Turns rules into clauses."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from typing import TypeVar

from ovsnp.classify.peers import Peers
from ovsnp.classify.ports import masks
from ovsnp.classify.subjects import Subjects
from ovsnp.ir.clauses import ClauseChanges, PortMask, RuleClauses, SubjectClass
from ovsnp.ir.ruleset import PeerTable, ResolvedRule
from ovsnp.model.changes import keep
from ovsnp.pipeline.numbers import Numbers

_Key = TypeVar("_Key")


class ClauseRules:
    """The rules of one direction as clauses with numbers; a rule whose peers have no address is left out."""

    def __init__(self, peers: Mapping[PeerTable, Peers]) -> None:
        self._peers = peers
        self._rules: dict[str, ResolvedRule] = {}
        self._masks: dict[str, tuple[PortMask, ...] | None] = {}
        self._clauses: dict[str, RuleClauses] = {}
        self._numbers = Numbers()
        self._isolated: set[str] = set()
        self._selecting: dict[str, set[str]] = defaultdict(set)
        self._using: dict[tuple[PeerTable, str], set[str]] = defaultdict(set)
        self._subjects = Subjects()
        self._subject_numbers: dict[str, int] = {}

    def update(
        self,
        isolated: Mapping[str, bool],
        rules: Mapping[str, ResolvedRule | None],
        sets: Mapping[PeerTable, Collection[str]],
    ) -> ClauseChanges:
        """Take changed pods and rules, and the peer sets with other identities; returns the changes of the clauses."""
        if not isolated and not rules and not any(sets.values()):
            return ClauseChanges({}, {}, {})
        came = {key for key, rule in rules.items() if rule and key not in self._rules}
        went = {key for key, rule in rules.items() if rule is None and key in self._rules}
        pods = {*isolated}
        for key, rule in rules.items():
            pods |= self._take(key, rule)
        for pod, is_isolated in isolated.items():
            (self._isolated.add if is_isolated else self._isolated.discard)(pod)
        touched = {*rules, *self._numbers.update(went, came)}
        subjects = self._subjects.update({pod: self._rules_of(pod) for pod in pods})
        for name in subjects:
            touched.update(name.split("\n")[1:])
        for table, names in sets.items():
            for name in names:
                touched |= self._using.get((table, name), set())
        return ClauseChanges(subjects, self._numbers_of(pods, subjects), self._changed(touched))

    def _take(self, key: str, rule: ResolvedRule | None) -> set[str]:
        """Replace the rule with this key (None: remove it); returns the pods that it selects now, or no longer."""
        before = self._rules.pop(key, None)
        old, new = set(before.subjects if before else ()), set(rule.subjects if rule else ())
        if before:
            del self._masks[key]
            if before.peers is not None:
                _discard(self._using, (before.table, before.peers), key)
        for pod in old - new:
            _discard(self._selecting, pod, key)
        for pod in new - old:
            self._selecting[pod].add(key)
        if rule:
            self._rules[key] = rule
            self._masks[key] = masks(rule.ports) if rule.ports else None
            if rule.peers is not None:
                self._using[rule.table, rule.peers].add(key)
        return old ^ new

    def _rules_of(self, pod: str) -> list[str] | None:
        """The keys of the rules that select a pod, sorted; None if the pod is not isolated."""
        return sorted(self._selecting.get(pod, ())) if pod in self._isolated else None

    def _numbers_of(self, pods: set[str], subjects: Mapping[str, SubjectClass | None]) -> dict[str, int]:
        """The pods whose subject number has changed, with the new number; 0: the pod is not isolated."""
        numbers = dict.fromkeys(pods - self._isolated, 0)
        for subject in subjects.values():
            if subject:
                numbers.update(dict.fromkeys(subject.pods, subject.number))
        numbers.update((pod, self._subjects.of(pod).number) for pod in pods & self._isolated)
        changed = {pod: number for pod, number in numbers.items() if number != self._subject_numbers.get(pod, 0)}
        keep(self._subject_numbers, {pod: number or None for pod, number in changed.items()})
        return changed

    def _changed(self, keys: Iterable[str]) -> dict[str, RuleClauses | None]:
        changed: dict[str, RuleClauses | None] = {}
        for key in keys:
            after = self._clauses_of(key)
            if after != self._clauses.get(key):
                changed[key] = after
        keep(self._clauses, changed)
        return changed

    def _clauses_of(self, key: str) -> RuleClauses | None:
        rule = self._rules.get(key)
        if rule is None:
            return None
        identities = self._peers[rule.table].identities_of(rule.peers) if rule.peers is not None else None
        if identities == ():
            return None
        subjects = {self._subjects.of(pod) for pod in rule.subjects}
        by_pods = tuple(sorted(subjects, key=lambda subject: subject.pods))
        return RuleClauses(self._numbers[key], key, rule.ref, by_pods, identities, self._masks[key], rule.table)


def _discard(index: dict[_Key, set[str]], key: _Key, item: str) -> None:
    index[key].discard(item)
    if not index[key]:
        del index[key]
