"""Pods that the input has, but that no selector selects: pods of host networks, and pods that have ended."""

import msgspec

from ovsnp.analysis.lint.finding import Severity
from ovsnp.analysis.lint.lint_index import LintIndex
from ovsnp.analysis.lint.wording import first_few, listed, some_pods
from ovsnp.model.address import host_prefix
from ovsnp.model.cluster import Cluster, Pod
from ovsnp.model.policy import PodPeer
from ovsnp.model.selector import Selector


class Absent(msgspec.Struct, frozen=True):
    """The pods (at least one) that have the labels of a selector, but are in host networks or have ended."""

    hosts: tuple[Pod, ...]
    ended: tuple[Pod, ...]

    @property
    def state(self) -> str:
        """The state of the pods, as the end of a sentence about them."""
        states = ["are in the network of their node (hostNetwork)"] if self.hosts else []
        states += ["have ended"] if self.ended else []
        return listed(states, "or")

    @property
    def unselected(self) -> str:
        """The state of the pods, and the consequence: no selector selects them."""
        return f"{self.state}, so no selector selects them ({some_pods((*self.hosts, *self.ended))})"

    @property
    def severity(self) -> Severity | None:
        """A notice if all of the pods have ended, as more such pods may come; None: the severity of the check."""
        return None if self.hosts else Severity.NOTICE

    @property
    def nodes(self) -> str:
        """The addresses of the nodes that the pods of host networks are on; empty if they are not known yet."""
        blocks = sorted({host_prefix(address) for pod in self.hosts for address in pod.addresses})
        return ", ".join(first_few([*map(str, blocks)]))


def absent(index: LintIndex, namespace: str, peer: PodPeer) -> Absent | None:
    """The pods that a peer of a policy of this namespace would name if they counted; None if there are none."""
    hosts, ended = index.hosts.by(namespace, peer), index.ended.by(namespace, peer)
    return Absent(hosts, ended) if hosts or ended else None


def why_nothing_to_select(cluster: Cluster) -> str:
    """The beginning of a sentence about an input without any pod that a selector could select."""
    if cluster.host_pods or cluster.ended_pods:
        return f"all pods of the input {Absent(cluster.host_pods, cluster.ended_pods).state}"
    return "ovsnp leaves out all pods of the input" if cluster.idle else "the input has no pods"


def no_pods(index: LintIndex, namespace: str, peer: PodPeer) -> str:
    """The beginning of a sentence about the namespaces of a peer, where no selector selects any of their pods."""
    where = listed(first_few(index.namespaces(namespace, peer)))
    pods = absent(index, namespace, PodPeer(None, peer.namespace_selector))
    return f"all pods in {where} {pods.state}" if pods else f"the input has no pods in {where}"


def such_pods(where: str, selector: Selector) -> str:
    """The subject of a sentence about these pods; ``where`` says in words which namespaces they are of."""
    return f"the pods{f' with {selector}' if selector.requirements else ''} {where}"
