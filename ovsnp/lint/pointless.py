"""Rules that another rule makes pointless, and entries that another of the same rule does."""

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from ovsnp.lint.covers import empty, peer_within, peers_within, port_within, ports_within, satisfiable, selector_within
from ovsnp.lint.entries import RuleEntry, rules
from ovsnp.lint.finding import Finding, Severity, of_policy
from ovsnp.lint.scene import Scene
from ovsnp.manifests.paths import Path, format_path
from ovsnp.model.cluster import Cluster
from ovsnp.model.policy import IPBlock, Peer
from ovsnp.model.selector import Operator, Selector

_Entry = TypeVar("_Entry")


def rules_that_another_makes_pointless(scene: Scene) -> Iterator[Finding]:
    """Rules that could go, whatever pods may come: another one admits all they do, to all whom they admit it to."""
    for policies in scene.policies.values():
        entries = [rule for policy in policies for rule in rules(policy) if satisfiable(policy.pod_selector)]
        near = _Near(entries)
        for narrow in entries:
            if wide := _cover(scene.cluster, narrow, near.to(narrow.policy.pod_selector)):
                yield _finding(narrow, wide)


class _Near:
    """Which rules are worth a look, so that not every two of a namespace are held against each other.

    Where a policy wants certain values of a label, all that it is to hold must want one of them too.
    """

    def __init__(self, entries: Sequence[RuleEntry]) -> None:
        self._rules: dict[tuple[str, str], list[RuleEntry]] = {}
        self._any: list[RuleEntry] = []
        for entry in entries:
            wanted = _wanted(entry.policy.pod_selector)
            for key, value in wanted:
                if key == wanted[0][0]:
                    self._rules.setdefault((key, value), []).append(entry)
            if not wanted:
                self._any.append(entry)

    def to(self, selector: Selector) -> list[RuleEntry]:
        """The rules that may hold all of a rule with this selector, in order."""
        found = {id(entry): entry for label in _wanted(selector) for entry in self._rules.get(label, ())}
        return sorted((*self._any, *found.values()), key=_order)


def _wanted(selector: Selector) -> list[tuple[str, str]]:
    """The labels of which the selector wants one for each key."""
    return [
        (each.key, value) for each in selector.requirements if each.operator is Operator.IN for value in each.values
    ]


def _cover(cluster: Cluster, narrow: RuleEntry, candidates: Sequence[RuleEntry]) -> RuleEntry | None:
    """The rule that makes this one pointless, of the same policy if there is one there.

    Of rules that say the same, the first stays: so all that is called pointless can go at once.
    """
    others = (wide for wide in candidates if wide is not narrow and _within(cluster, narrow, wide))
    found = [wide for wide in others if _order(wide) < _order(narrow) or not _within(cluster, wide, narrow)]
    return next((wide for wide in found if wide.policy is narrow.policy), found[0] if found else None)


def _order(rule: RuleEntry) -> tuple[str, int]:
    return rule.policy.key, rule.position


def _within(cluster: Cluster, narrow: RuleEntry, wide: RuleEntry) -> bool:
    return (
        narrow.direction is wide.direction
        and selector_within(narrow.policy.pod_selector, wide.policy.pod_selector)
        and ports_within(narrow.rule.ports, wide.rule.ports)
        and peers_within(cluster, narrow.policy.namespace, narrow.rule.peers, wide.rule.peers)
    )


def _finding(narrow: RuleEntry, wide: RuleEntry) -> Finding:
    if wide.policy is narrow.policy:
        message = f"{format_path(wide.path)} admits all that this rule does, so it changes nothing"
        return of_policy(narrow.policy, narrow.path, message, "remove it, or narrow the other one")
    message = (
        f"{wide}, of another policy, admits all that this rule does, so it changes nothing while that one is there"
    )
    remedy = "remove one of the two, or keep this one if the other policy is not yours"
    return of_policy(narrow.policy, narrow.path, message, remedy, Severity.NOTICE)


def entries_that_another_makes_pointless(scene: Scene) -> Iterator[Finding]:
    """Peers and ports of which another one of the same rule holds all."""
    for policy in scene.cluster.policies:
        for rule in rules(policy):
            peers = [(path, peer) for path, peer in rule.peers() if _possible(peer)]

            def peer_inside(narrow: Peer, wide: Peer, namespace: str = policy.namespace) -> bool:
                return peer_within(scene.cluster, namespace, narrow, wide)

            for path, wide in (*_covered(peers, peer_inside), *_covered([*rule.ports()], port_within)):
                message = f"{format_path(wide)} holds all that this entry does, so it changes nothing"
                yield of_policy(policy, path, message, "remove it, or narrow the other one")


def _covered(
    entries: Sequence[tuple[Path, _Entry]], within: Callable[[_Entry, _Entry], bool]
) -> Iterator[tuple[Path, Path]]:
    """The ways to entries that are inside another one, and to that one; of equal ones the first stays."""
    for place, (path, narrow) in enumerate(entries):
        for other, (wide_path, wide) in enumerate(entries):
            if other != place and within(narrow, wide) and (other < place or not within(wide, narrow)):
                yield path, wide_path
                break


def _possible(peer: Peer) -> bool:
    """Whether the peer could name anyone: one that cannot is another check's finding."""
    if isinstance(peer, IPBlock):
        return not empty(peer)
    return all(satisfiable(each or Selector()) for each in (peer.pod_selector, peer.namespace_selector))
