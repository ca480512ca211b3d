"""Peers that name nobody."""

from collections.abc import Iterator

from ovsnp.lint.absent import absent, such_pods
from ovsnp.lint.covers import empty, satisfiable
from ovsnp.lint.entries import rules
from ovsnp.lint.finding import Finding, Severity, of_policy
from ovsnp.lint.scene import Scene
from ovsnp.lint.wording import shown, why_none
from ovsnp.manifests.paths import Path
from ovsnp.model.policy import IPBlock, NetworkPolicy, PodPeer
from ovsnp.model.selector import Selector
from ovsnp.verify import selects

_CORRECT = "correct the labels, or remove the peer"
_IMPOSSIBLE = "correct the requirements: they exclude each other"


def peers_that_match_nothing(scene: Scene) -> Iterator[Finding]:
    """Items of ``from`` and ``to`` that no pod meets, and blocks of which the exceptions leave nothing."""
    for policy in scene.cluster.policies:
        for rule in rules(policy):
            for path, peer in rule.peers():
                if isinstance(peer, IPBlock):
                    if empty(peer):
                        yield _emptied(policy, (*path, "ipBlock", "except"), peer)
                elif not scene.named(policy, peer):
                    yield _names_nobody(scene, policy, path, peer)


def _emptied(policy: NetworkPolicy, path: Path, block: IPBlock) -> Finding:
    message = f"the exceptions leave nothing of {block.cidr}, so the peer admits nobody"
    return of_policy(policy, path, message, "except less, or remove the peer", Severity.ERROR)


def _names_nobody(scene: Scene, policy: NetworkPolicy, path: Path, peer: PodPeer) -> Finding:
    if peer.namespace_selector is None:
        return _no_pod(scene, policy, path, peer, {policy.namespace}, f"of {policy.namespace}")
    inside = (*path, "namespaceSelector")
    namespaces = scene.cluster.namespaces
    found = {name for name, each in namespaces.items() if selects(peer.namespace_selector, each.labels)}
    if found:
        every = not peer.namespace_selector.requirements
        where = "of all namespaces" if every else f"of the namespaces with {peer.namespace_selector}"
        return _no_pod(scene, policy, path, peer, found, where)
    if not satisfiable(peer.namespace_selector):
        message = f"no namespace can ever be selected by {peer.namespace_selector}, so the peer admits nobody"
        return of_policy(policy, inside, message, _IMPOSSIBLE, Severity.ERROR)
    because = why_none(peer.namespace_selector, (each.labels for each in namespaces.values()), "namespace")
    message = f"no namespace has {peer.namespace_selector} ({because}), so the peer admits nobody"
    return of_policy(policy, inside, message, _CORRECT)


def _no_pod(
    scene: Scene, policy: NetworkPolicy, path: Path, peer: PodPeer, namespaces: set[str], where: str
) -> Finding:
    """The finding where it is the pods that lack: ``where`` says in words which namespaces these are."""
    selector = peer.pod_selector or Selector()
    inside = path if peer.pod_selector is None else (*path, "podSelector")
    if not satisfiable(selector):
        message = f"no pod can ever be selected by {selector}, so the peer admits nobody"
        return of_policy(policy, inside, message, _IMPOSSIBLE, Severity.ERROR)
    if pods := absent(scene, namespaces, selector):
        message = f"{such_pods(where, selector)} {pods.state}"
        remedy = "remove the peer, unless more such pods are to come"
        if pods.hosts:
            remedy = f"write an ipBlock with the addresses of the nodes instead ({pods.nodes})"
        return of_policy(policy, inside, f"{message}, and the peer admits nobody", remedy, pods.severity)
    labels = [kind.labels for name in sorted(namespaces) for kind in scene.kinds.get(name, ())]
    if not labels:
        message = f"there are no pods in {', '.join(sorted(namespaces))}, so the peer admits nobody"
        remedy = "correct the namespace, unless its pods are still to come"
        return of_policy(policy, inside, message, remedy, Severity.NOTICE)
    message = f"no pod {where} has {shown(selector)} ({why_none(selector, labels, 'pod')}), so the peer admits nobody"
    elsewhere = _elsewhere(scene, selector) if peer.namespace_selector is None else ()
    if elsewhere:
        message += f"; a podSelector alone means the policy's own namespace, such pods are in {', '.join(elsewhere)}"
        return of_policy(policy, inside, message, "add a namespaceSelector beside it")
    return of_policy(policy, inside, message, _CORRECT)


def _elsewhere(scene: Scene, selector: Selector) -> tuple[str, ...]:
    """Up to three namespaces with pods that the selector would select."""
    found = (name for name in sorted(scene.kinds) if any(scene.living(name, selector)))
    return tuple(name for name, _ in zip(found, range(3), strict=False))
