"""Puts sets of pods into words by namespace and labels: few words that mean these pods and no others."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence, Set
from functools import cached_property

import msgspec

from ovsnp.analysis.diff.effect.selector_search import EVERY, in_namespace, selectors_of, shortest
from ovsnp.analysis.reach.workloads import lasting_labels
from ovsnp.model.cluster import Namespace, Pod
from ovsnp.model.selector import Operator, Selector
from ovsnp.oracle import selects

_TRIED = 200
"""Different sets of labels up to which one selector for several namespaces is looked for."""


class PodTerm(msgspec.Struct, frozen=True, order=True):
    """Pods of a scope, by labels or by one name.

    The scope is a namespace, all namespaces with a label (``KEY=VALUE``), or all namespaces (``*``), except the
    namespaces ``beside``.
    """

    scope: str
    selector: Selector = EVERY
    name: str | None = None
    beside: tuple[str, ...] = ()

    def __str__(self) -> str:
        scope = f"[{self.scope}]" if "=" in self.scope else self.scope
        beside = f" (not in {', '.join(self.beside)})" if self.beside else ""
        if self.name is None and self.scope == "*" and self.selector == EVERY:
            return f"all pods{beside}"
        return f"{scope}/{self.name if self.name is not None else str(self.selector) or '*'}{beside}"


class PodTerms(msgspec.Struct, frozen=True):
    """The pods of any of the terms; with ``but``, all pods except those of the terms."""

    terms: tuple[PodTerm, ...]
    but: bool = False

    def __str__(self) -> str:
        return self.words(None)

    def words(self, node: str | None) -> str:
        """The words, limited to the pods on a node if one is named."""
        on = f" on {node}" if node else ""
        if self.but:
            return f"all pods{on} but {', '.join(map(str, self.terms))}"
        return ", ".join(f"{term}{on}" for term in self.terms)


def _weight(pods: PodTerms) -> float:
    """How much there is to read; negative requirements of selectors weigh more."""
    without = (Operator.NOT_IN, Operator.DOES_NOT_EXIST)
    negations = sum(each.operator in without for term in pods.terms for each in term.selector.requirements)
    return len(pods.terms) + 1.5 * negations + pods.but


class PodWords:
    """Finds words for sets of these pods, which are named by ``NAMESPACE/NAME``."""

    def __init__(self, pods: Iterable[Pod], namespaces: Mapping[str, Namespace]) -> None:
        self._given = pods
        self._namespaces = namespaces
        self._known: dict[frozenset[str], PodTerms] = {}
        self._in_namespace: dict[frozenset[str], tuple[list[Selector], list[str]]] = {}
        self._having: dict[Selector, frozenset[str]] = {}

    @cached_property
    def _pods(self) -> Mapping[str, Pod]:
        return {pod.key: pod for pod in self._given}

    @cached_property
    def _spaces(self) -> Mapping[str, Sequence[Pod]]:
        found: dict[str, list[Pod]] = defaultdict(list)
        for pod in self._pods.values():
            found[pod.namespace].append(pod)
        return found

    @cached_property
    def _alike(self) -> Mapping[frozenset[tuple[str, str]], Set[str]]:
        """The pods that have the same lasting labels."""
        found: dict[frozenset[tuple[str, str]], set[str]] = defaultdict(set)
        for key, pod in self._pods.items():
            found[lasting_labels(pod)].add(key)
        return found

    def name(self, keys: frozenset[str]) -> PodTerms:
        """The words for these pods, at least one."""
        if keys not in self._known:
            terms = self._anywhere(keys) or self._terms(keys)
            others = frozenset(self._pods.keys() - keys)
            ways = [PodTerms(terms)]
            if others and _weight(ways[0]) > 1:
                ways.append(PodTerms(self._anywhere(others) or self._terms(others), but=True))
            self._known[keys] = min(ways, key=lambda way: (_weight(way), len(str(way))))
        return self._known[keys]

    def one_by_one(self, keys: Iterable[str]) -> PodTerms:
        """The words for these pods by their names."""
        pods = (self._pods[key] for key in keys)
        return PodTerms(tuple(sorted(PodTerm(pod.namespace, name=pod.name) for pod in pods)))

    def _anywhere(self, keys: frozenset[str]) -> tuple[PodTerm, ...]:
        """One selector that means these pods, in all namespaces together; empty if none is found."""
        if len(keys) == len(self._pods):
            return (PodTerm("*"),)
        if len({self._pods[key].namespace for key in keys}) < 2 or len(self._alike) > _TRIED:
            return ()
        kinds = {labels: pods & keys for labels, pods in self._alike.items()}
        if any(kinds[labels] and kinds[labels] != pods for labels, pods in self._alike.items()):
            return ()
        wanted, others = (
            [dict(each) for each, meant in kinds.items() if bool(meant) is which] for which in (True, False)
        )
        found = shortest(selectors_of(wanted, others), wanted)
        return () if found is None else (PodTerm("*", found),)

    def meant(self, pods: PodTerms) -> frozenset[str]:
        """The keys of the pods that the words mean."""
        found = frozenset(key for key, pod in self._pods.items() if any(self._means(term, pod) for term in pods.terms))
        return frozenset(self._pods.keys() - found) if pods.but else found

    def _means(self, term: PodTerm, pod: Pod) -> bool:
        if pod.namespace in term.beside or not self._in_scope(term.scope, pod.namespace):
            return False
        return pod.name == term.name if term.name is not None else selects(term.selector, pod.labels)

    def _in_scope(self, scope: str, namespace: str) -> bool:
        if scope in ("*", namespace):
            return True
        key, equals, value = scope.partition("=")
        return bool(equals) and self._namespaces[namespace].labels.get(key) == value

    def _terms(self, keys: frozenset[str]) -> tuple[PodTerm, ...]:
        everywhere: dict[Selector, set[str]] = defaultdict(set)
        named = []
        by_space: dict[str, list[str]] = defaultdict(list)
        for key in keys:
            by_space[self._pods[key].namespace].append(key)
        for space, meant in sorted(by_space.items()):
            selectors, rest = self._of_space(space, frozenset(meant))
            for selector in selectors:
                everywhere[selector].add(space)
            named += [PodTerm(space, name=name) for name in rest]
        found = [term for selector, spaces in everywhere.items() for term in self._scoped(selector, spaces)]
        return tuple(sorted([*found, *named]))

    def _of_space(self, space: str, keys: frozenset[str]) -> tuple[list[Selector], list[str]]:
        if len(keys) == len(self._spaces[space]):
            return [EVERY], []
        if keys not in self._in_namespace:
            self._in_namespace[keys] = in_namespace(self._spaces[space], keys)
        return self._in_namespace[keys]

    def _spaces_with(self, selector: Selector) -> frozenset[str]:
        """The namespaces in which a selector selects a pod."""
        if selector not in self._having:
            self._having[selector] = frozenset(
                name for name, pods in self._spaces.items() if any(selects(selector, pod.labels) for pod in pods)
            )
        return self._having[selector]

    def _scoped(self, selector: Selector, spaces: set[str]) -> list[PodTerm]:
        """The terms for a selector in several namespaces.

        One term for all namespaces, or for a label of namespaces, if it selects no pod elsewhere; else one with
        exceptions, if these are few; else one for each namespace.
        """
        each_by_itself = [PodTerm(space, selector) for space in sorted(spaces)]
        if len(spaces) < 2:
            return each_by_itself
        meant = self._spaces_with(selector)
        if meant == spaces:
            return [PodTerm("*", selector)]
        labels = (set(self._namespaces[name].labels.items()) for name in spaces)
        for key, value in sorted(set.intersection(*labels)):
            if {name for name in meant if self._namespaces[name].labels.get(key) == value} == spaces:
                return [PodTerm(f"{key}={value}", selector)]
        others = meant - spaces
        return [PodTerm("*", selector, beside=tuple(sorted(others)))] if len(others) < len(spaces) else each_by_itself
