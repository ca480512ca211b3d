"""The checks, on one screen."""

from collections.abc import Callable, Iterator, Mapping
from enum import Enum, auto

import msgspec

from ovsnp.analysis.lint.blocks import blocks_of_pods, blocks_of_services
from ovsnp.analysis.lint.directions import namespaces_with_rules_in_one_direction, rules_of_types_not_listed
from ovsnp.analysis.lint.dns import egress_without_dns
from ovsnp.analysis.lint.finding import Finding, Severity
from ovsnp.analysis.lint.lint_index import LintIndex
from ovsnp.analysis.lint.named_ports import ports_that_no_pod_has
from ovsnp.analysis.lint.peers import peers_that_match_nothing
from ovsnp.analysis.lint.pointless import entries_that_another_makes_pointless, rules_that_another_makes_pointless
from ovsnp.analysis.lint.selection import pods_that_no_policy_isolates, policies_that_select_nothing
from ovsnp.analysis.lint.service_ports import ports_of_services
from ovsnp.model.cluster import Cluster

UNUSED_IGNORE = "unused-ignore"


class Needs(Enum):
    """The pods that a check needs in the input; no selector selects pods of host networks, or pods that have ended."""

    NOTHING = auto()
    PODS = auto()
    PODS_TO_SELECT = auto()

    def met(self, cluster: Cluster) -> bool:
        """True if the input has such pods."""
        if self is Needs.NOTHING or cluster.pods:
            return True
        return self is Needs.PODS and bool(cluster.host_pods or cluster.ended_pods)


class Check(msgspec.Struct, frozen=True):
    """A check: ``what`` it finds, and ``why`` that matters, in one sentence each.

    ``severity`` is that of its findings, unless a finding has another one. The check does not run on an input without
    the pods that it ``needs``. A check that is ``opt_in`` runs only if it is selected.
    """

    what: str
    why: str
    find: Callable[[LintIndex], Iterator[Finding]]
    severity: Severity
    needs: Needs = Needs.NOTHING
    opt_in: bool = False


def _nothing(_: LintIndex) -> Iterator[Finding]:
    return iter(())


CHECKS: Mapping[str, Check] = {
    "selects-nothing": Check(
        "A policy selects no pod.",
        "It protects nothing, and whoever reads it believes it does.",
        policies_that_select_nothing,
        Severity.WARNING,
        needs=Needs.PODS,
    ),
    "peer-matches-nothing": Check(
        "A peer names nobody.",
        "The rule does not admit those it seems to.",
        peers_that_match_nothing,
        Severity.WARNING,
        needs=Needs.PODS,
    ),
    "unknown-port-name": Check(
        "A named port is one that no pod has.",
        "The entry matches nothing, so the connections it is meant for are dropped.",
        ports_that_no_pod_has,
        Severity.WARNING,
        needs=Needs.PODS_TO_SELECT,
    ),
    "port-of-service": Check(
        "A rule names the port of a Service, and the pods behind it listen on another one.",
        "Policies are judged behind the Service, on the port of the pods, so connections to the Service are dropped.",
        ports_of_services,
        Severity.WARNING,
        needs=Needs.PODS_TO_SELECT,
    ),
    "ignored-rules": Check(
        "Rules stand in a section that policyTypes does not list.",
        "The API ignores them, whatever they say.",
        rules_of_types_not_listed,
        Severity.ERROR,
    ),
    "pointless-rule": Check(
        "Another rule admits all that this one does.",
        "Narrowing or removing the rule changes nothing, as the other one still admits.",
        rules_that_another_makes_pointless,
        Severity.WARNING,
    ),
    "pointless-entry": Check(
        "Another peer or port of the same rule holds all that this one does.",
        "Narrowing or removing the entry changes nothing, as the other one still matches.",
        entries_that_another_makes_pointless,
        Severity.WARNING,
    ),
    "block-of-pods": Check(
        "A block or an exception names addresses of pods.",
        "A pod gets another address whenever it is made anew, and its old one goes to some other pod.",
        blocks_of_pods,
        Severity.WARNING,
    ),
    "block-of-services": Check(
        "A block names cluster IPs.",
        "Policies are judged on the pod behind a Service, so the block admits nobody.",
        blocks_of_services,
        Severity.WARNING,
    ),
    "egress-without-dns": Check(
        "Pods may send to someone, but not to a DNS server.",
        "Nearly every connection begins with a name, so what the other rules admit fails all the same.",
        egress_without_dns,
        Severity.WARNING,
        needs=Needs.PODS_TO_SELECT,
    ),
    "one-direction": Check(
        "The policies of a namespace have rules for one direction only.",
        "The other direction is either wide open or wholly shut, and neither is written anywhere.",
        namespaces_with_rules_in_one_direction,
        Severity.NOTICE,
    ),
    "unisolated-pod": Check(
        "No policy isolates a pod.",
        "All traffic from and to it is allowed.",
        pods_that_no_policy_isolates,
        Severity.NOTICE,
        needs=Needs.PODS_TO_SELECT,
        opt_in=True,
    ),
    UNUSED_IGNORE: Check(
        "A comment ignores a check that finds nothing there.",
        "Later it may hide a finding that nobody has looked at.",
        _nothing,  # found in the comments, when all other findings are known
        Severity.NOTICE,
    ),
}
"""The checks by their identifiers, which never change: comments in manifests name them."""
