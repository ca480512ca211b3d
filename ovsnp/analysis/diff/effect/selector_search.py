"""Finds label selectors that select given pods and no others."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import combinations

from ovsnp.analysis.reach.workloads import lasting_labels
from ovsnp.model.cluster import Pod
from ovsnp.model.selector import Operator, Requirement, Selector
from ovsnp.oracle import selects

EVERY = Selector()
"""Selects all pods."""

Labels = Mapping[str, str]


def in_namespace(pods: Sequence[Pod], keys: Collection[str]) -> tuple[list[Selector], list[str]]:
    """Selectors for some of a namespace's pods, and the names of pods with the same labels as pods not wanted."""
    alike: dict[frozenset[tuple[str, str]], list[Pod]] = defaultdict(list)
    for pod in pods:
        alike[lasting_labels(pod)].append(pod)
    wanted, others, rest = [], [], []
    for labels, those in alike.items():
        meant = [pod.name for pod in those if pod.key in keys]
        if len(meant) == len(those):
            wanted.append(dict(labels))
        else:
            others.append(dict(labels))
            rest += meant
    if not others:
        return [EVERY], []
    return _selectors(wanted, others), sorted(rest)


def _selectors(wanted: list[dict[str, str]], others: list[dict[str, str]]) -> list[Selector]:
    """Few selectors: one, if one is enough; else one after another, each selecting as many of the rest as possible."""
    if not wanted:
        return []
    one = shortest(selectors_of(wanted, others), wanted)
    if one is not None:
        return [one]
    found, left = [], wanted
    while left:
        candidates = {
            each for labels in left for each in _of_labels(labels) if not any(selects(each, other) for other in others)
        }
        best = shortest(candidates, left)
        if best is None:
            # No one or two labels tell these from the others.
            best = _exactly(left[0], others)
        found.append(best)
        left = [labels for labels in left if not selects(best, labels)]
    return sorted(found)


def shortest(candidates: Iterable[Selector], wanted: list[dict[str, str]]) -> Selector | None:
    """Of the candidates that select most, the shortest in words; None if there are none."""
    return min(
        candidates,
        key=lambda each: (-sum(selects(each, labels) for labels in wanted), _length(each), str(each)),
        default=None,
    )


def _length(selector: Selector) -> tuple[int, int, int]:
    without = sum(each.operator is not Operator.IN for each in selector.requirements)
    words = sum(max(1, len(each.values)) for each in selector.requirements)
    return words + without, without, len(str(selector))


def selectors_of(wanted: list[dict[str, str]], others: list[dict[str, str]]) -> Iterator[Selector]:
    """Selectors of all wanted labels and none of the others: by one key, or by up to three labels that all have."""
    for key in sorted({key for labels in wanted for key in labels} | {key for labels in others for key in labels}):
        for requirement in _on_key(key, wanted, others):
            if _parts(requirement, wanted, others):
                yield Selector((requirement,))
    common = set(wanted[0].items()).intersection(*(labels.items() for labels in wanted))
    for size in (1, 2, 3):
        found = [Selector(tuple(_is(*label) for label in some)) for some in combinations(sorted(common), size)]
        exact = [each for each in found if not any(selects(each, labels) for labels in others)]
        yield from exact
        if exact:
            return


def _parts(requirement: Requirement, wanted: list[dict[str, str]], others: list[dict[str, str]]) -> bool:
    selector = Selector((requirement,))
    return all(selects(selector, labels) for labels in wanted) and not any(
        selects(selector, labels) for labels in others
    )


def _on_key(key: str, wanted: list[dict[str, str]], others: list[dict[str, str]]) -> Iterator[Requirement]:
    values = tuple(sorted({labels[key] for labels in wanted if key in labels}))
    outside = tuple(sorted({labels[key] for labels in others if key in labels}))
    if values:
        yield Requirement(key, Operator.IN, values)
        yield Requirement(key, Operator.EXISTS)
    yield Requirement(key, Operator.DOES_NOT_EXIST)
    if outside:
        yield Requirement(key, Operator.NOT_IN, outside)


def _of_labels(labels: Labels) -> Iterator[Selector]:
    told = sorted(labels.items())
    for size in (1, 2):
        for some in combinations(told, size):
            yield Selector(tuple(_is(*label) for label in some))


def _is(key: str, value: str) -> Requirement:
    return Requirement(key, Operator.IN, (value,))


def _exactly(labels: Labels, others: list[dict[str, str]]) -> Selector:
    """A selector with all labels of a pod, and without the keys that only others have."""
    more = {key for other in others for key in other if key not in labels}
    here = [_is(*label) for label in labels.items()]
    return Selector(tuple(sorted([*here, *(Requirement(key, Operator.DOES_NOT_EXIST) for key in more)])))
