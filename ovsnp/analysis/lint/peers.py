"""Peers that name no pod and no address."""

from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from functools import cache

from ovsnp.analysis.lint.absent import absent, no_pods, such_pods
from ovsnp.analysis.lint.covers import empty, satisfiable
from ovsnp.analysis.lint.entries import rules
from ovsnp.analysis.lint.finding import Finding, Severity, of_policy
from ovsnp.analysis.lint.lint_index import LintIndex
from ovsnp.analysis.lint.outside import CONTROLLER, NAMESPACE, WiderCluster, correct_labels
from ovsnp.analysis.lint.wording import first_few, listed, shown
from ovsnp.model.policy import IPBlock, NetworkPolicy, PodPeer
from ovsnp.model.selector import Selector
from ovsnp.yaml_reader.paths import Path

_LIKE = 0.75
"""The least similarity of two names of which one may be a misspelling of the other: shpo for shop."""
_CANNOT_TELL = "lint cannot tell whom the peer admits"


def peers_that_match_nothing(index: LintIndex) -> Iterator[Finding]:
    """Items of ``from`` and ``to`` that name no pod, and blocks whose exceptions leave nothing."""
    nobody = _Nobody(index)
    for policy in index.cluster.policies:
        for rule in rules(policy):
            for path, peer in rule.peers():
                if isinstance(peer, IPBlock):
                    if empty(peer):
                        yield _emptied(policy, (*path, "ipBlock", "except"), peer)
                elif not index.named(policy, peer):
                    yield nobody.finding(policy, path, peer)


def _emptied(policy: NetworkPolicy, path: Path, block: IPBlock) -> Finding:
    message = f"the exceptions leave nothing of {block.cidr}, so the peer admits nobody"
    return of_policy(policy, path, message, "except less, or remove the peer", Severity.ERROR)


class _Nobody:
    """Finds the reason why a peer names no pod."""

    def __init__(self, index: LintIndex) -> None:
        self._index = index
        self._outside = WiderCluster(index)
        namespaces = index.cluster.namespaces

        @cache
        def near(name: str) -> Sequence[str]:
            return get_close_matches(name, namespaces, 1, _LIKE)

        self._near = near

    def finding(self, policy: NetworkPolicy, path: Path, peer: PodPeer) -> Finding:
        """The finding about a peer that names no pod."""
        return (
            _impossible(policy, path, peer)
            or self._absent(policy, path, peer)
            or self._not_in_input(policy, path, peer)
            or self._no_namespace(policy, path, peer)
            or self._no_pod(policy, path, peer)
        )

    def _absent(self, policy: NetworkPolicy, path: Path, peer: PodPeer) -> Finding | None:
        """The finding if there are such pods, but no selector selects them."""
        selector = peer.pod_selector or Selector()
        pods = absent(self._index, policy.namespace, peer)
        if pods is None:
            return None
        message = f"{such_pods(_where(policy, peer), selector)} {pods.unselected}, and the peer admits nobody"
        remedy = "remove the peer, unless more such pods are to come"
        if pods.hosts:
            blocks = f" ({pods.nodes})" if pods.nodes else ""
            remedy = f"write an ipBlock with the addresses of the nodes instead{blocks}"
        return of_policy(policy, _of_pods(path, peer), message, remedy, pods.severity)

    def _not_in_input(self, policy: NetworkPolicy, path: Path, peer: PodPeer) -> Finding | None:
        """The finding if the peer may name pods that the cluster has, but the input does not."""
        missing = self._outside.missing(peer.namespace_selector or Selector())
        if missing:
            message = f"the input has no {self._missing(missing)}, so {_CANNOT_TELL}"
            remedy = f"add the {_objects(missing)} pods if they are to be judged"
            return of_policy(policy, (*path, "namespaceSelector"), message, remedy, Severity.NOTICE)
        if self._outside.serves_names(policy, peer):
            message = f"the input has no DNS servers, so {_CANNOT_TELL}"
            remedy = "add their pods if they are to be judged"
            return of_policy(policy, (*path, "podSelector"), message, remedy, Severity.NOTICE)
        return None

    def _no_namespace(self, policy: NetworkPolicy, path: Path, peer: PodPeer) -> Finding | None:
        """The finding if no namespace has the labels."""
        if peer.namespace_selector is None or self._index.namespaces(policy.namespace, peer):
            return None
        selector, inside = peer.namespace_selector, (*path, "namespaceSelector")
        if unknown := self._outside.unknown(selector):
            labels = f"the labels of {listed(first_few(unknown))} are not known"
            message = f"no Namespace of the input has {selector}, but {labels}, so {_CANNOT_TELL}"
            remedy = "correct the labels, or add the Namespace that has them"
            return of_policy(policy, inside, message, remedy, Severity.NOTICE)
        because = self._index.namespace_labels.why_none(selector)
        message = f"no namespace has {selector} ({because}), so the peer admits nobody"
        return of_policy(policy, inside, message, correct_labels(self._index, "peer", NAMESPACE))

    def _no_pod(self, policy: NetworkPolicy, path: Path, peer: PodPeer) -> Finding:
        """The finding if no pod of the namespaces has the labels."""
        index, selector, inside = self._index, peer.pod_selector or Selector(), _of_pods(path, peer)
        labels = index.labels(policy.namespace, peer)
        if not labels.things:
            message = f"{no_pods(index, policy.namespace, peer)}, so the peer admits nobody"
            remedy = "correct the namespace, unless its pods are still to come"
            return of_policy(policy, inside, message, remedy, Severity.NOTICE)
        none = f"no pod {_where(policy, peer)} has {shown(selector)} ({labels.why_none(selector)})"
        message = f"{none}, so the peer admits nobody"
        elsewhere = _elsewhere(index, policy, selector) if peer.namespace_selector is None else ()
        if elsewhere:
            own = "a podSelector alone means the policy's own namespace"
            message = f"{message}; {own}, such pods are in {', '.join(elsewhere)}"
            return of_policy(policy, inside, message, "add a namespaceSelector beside it")
        return of_policy(policy, inside, message, correct_labels(index, "peer", CONTROLLER))

    def _missing(self, names: Sequence[str]) -> str:
        """The namespaces that the input does not have, in words; for only one, with a similar name that it has."""
        near = self._near(names[0]) if len(names) == 1 else ()
        meant = f" (did you mean {near[0]}?)" if near else ""
        return f"Namespace{'s' if len(names) > 1 else ''} {listed(names)}{meant}"


def _objects(missing: Sequence[str]) -> str:
    return "Namespaces and their" if len(missing) > 1 else "Namespace and its"


def _impossible(policy: NetworkPolicy, path: Path, peer: PodPeer) -> Finding | None:
    """The finding if one of the selectors can never select anything."""
    selectors = ("namespace", peer.namespace_selector), ("pod", peer.pod_selector)
    for what, selector in selectors:
        if selector is not None and not satisfiable(selector):
            message = f"no {what} can ever be selected by {selector}, so the peer admits nobody"
            remedy = "correct the requirements: they exclude each other"
            return of_policy(policy, (*path, f"{what}Selector"), message, remedy, Severity.ERROR)
    return None


def _where(policy: NetworkPolicy, peer: PodPeer) -> str:
    """The namespaces that a peer is about, in words."""
    if peer.namespace_selector is None:
        return f"of {policy.namespace}"
    every = not peer.namespace_selector.requirements
    return "of all namespaces" if every else f"of the namespaces with {peer.namespace_selector}"


def _of_pods(path: Path, peer: PodPeer) -> Path:
    """The path of the entry that selects the pods."""
    return path if peer.pod_selector is None else (*path, "podSelector")


def _elsewhere(index: LintIndex, policy: NetworkPolicy, selector: Selector) -> Sequence[str]:
    """Up to three namespaces with pods that the selector would select."""
    return sorted({pod.namespace for pod in index.named(policy, PodPeer(selector, Selector()))})[:3]
