"""Rules to clauses."""

from collections import defaultdict
from collections.abc import Collection, Iterable

from ovsnp.classify.peers import identify
from ovsnp.classify.ports import masks
from ovsnp.model.clauses import Clauses, Identity, PeerEntry, RuleClauses, SubjectClass
from ovsnp.model.ruleset import PeerSet, ResolvedRule, RuleSet
from ovsnp.pipeline.numbers import number


def classify(rule_set: RuleSet) -> Clauses:
    """Number the subjects, identities and rules of one direction; rules whose peers have no address are left out."""
    subject_of = _subjects(rule_set)
    direct, by_service = (
        identify(
            {rule.peers.name: rule.peers for rule in rule_set.rules if rule.peers and rule.service is which}.values()
        )
        for which in (False, True)
    )
    within = {False: _within(direct), True: _within(by_service)}
    numbers = number(rule.key for rule in rule_set.rules)
    rules = [
        RuleClauses(
            numbers[rule.key],
            rule.key,
            rule.ref,
            _by_pods(subject_of[pod.key] for pod in rule.subjects),
            within[rule.service].get(rule.peers.name, ()) if rule.peers else None,
            masks(rule.ports) if rule.ports else None,
            rule.service,
        )
        for rule in rule_set.rules
    ]
    return Clauses(
        rule_set.direction,
        _by_pods(subject_of.values()),
        direct,
        tuple(rule for rule in rules if rule.identities != ()),
        by_service,
    )


def _peer_sets(rules: Iterable[ResolvedRule]) -> Collection[PeerSet]:
    return {rule.peers.name: rule.peers for rule in rules if rule.peers}.values()


def _within(entries: Iterable[PeerEntry]) -> dict[str, tuple[Identity, ...]]:
    """The identities of the addresses in each peer set."""
    found: dict[str, set[Identity]] = defaultdict(set)
    for identity in {entry.identity for entry in entries if entry.identity}:
        for name in identity.sets:
            found[name].add(identity)
    return {name: tuple(sorted(those, key=lambda identity: identity.sets)) for name, those in found.items()}


def _subjects(rule_set: RuleSet) -> dict[str, SubjectClass]:
    selecting: dict[str, list[str]] = {pod.key: [] for pod in rule_set.isolated}
    for rule in rule_set.rules:
        for pod in rule.subjects:
            selecting[pod.key].append(rule.key)
    alike: dict[str, list[str]] = defaultdict(list)
    for pod_key, rules in selecting.items():
        alike["\n".join(("selected by", *rules))].append(pod_key)
    numbers = number(alike)
    return {
        pod_key: subject
        for name, pods in alike.items()
        for subject in [SubjectClass(numbers[name], tuple(sorted(pods)))]
        for pod_key in pods
    }


def _by_pods(subjects: Iterable[SubjectClass]) -> tuple[SubjectClass, ...]:
    return tuple(sorted(set(subjects), key=lambda subject: subject.pods))
