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
        "The policy protects no pod, but its reader believes that it does.",
        policies_that_select_nothing,
        Severity.WARNING,
        needs=Needs.PODS,
    ),
    "peer-matches-nothing": Check(
        "A peer names no pod and no address.",
        "The rule does not admit the connections that it seems to admit.",
        peers_that_match_nothing,
        Severity.WARNING,
        needs=Needs.PODS,
    ),
    "unknown-port-name": Check(
        "A rule names a port by a name that no pod has.",
        "The entry matches no connection, so the connections that it is for are dropped.",
        ports_that_no_pod_has,
        Severity.WARNING,
        needs=Needs.PODS_TO_SELECT,
    ),
    "port-of-service": Check(
        "A rule names the port of a Service, and the pods behind the Service listen on another port.",
        "Policies apply behind the Service, to the port of the pods, so connections to the Service are dropped.",
        ports_of_services,
        Severity.WARNING,
        needs=Needs.PODS_TO_SELECT,
    ),
    "ignored-rules": Check(
        "A policy has rules in a section that its policyTypes does not list.",
        "The API ignores these rules.",
        rules_of_types_not_listed,
        Severity.ERROR,
    ),
    "pointless-rule": Check(
        "Another rule admits all connections that this rule admits.",
        "A change that narrows or removes the rule has no effect, as the other rule still admits the connections.",
        rules_that_another_makes_pointless,
        Severity.WARNING,
    ),
    "pointless-entry": Check(
        "Another peer or port of the same rule matches everything that this entry matches.",
        "A change that narrows or removes the entry has no effect, as the other entry still matches.",
        entries_that_another_makes_pointless,
        Severity.WARNING,
    ),
    "block-of-pods": Check(
        "A block or an exception has addresses of pods.",
        "A pod that is created again gets another address, and another pod may get the old address.",
        blocks_of_pods,
        Severity.WARNING,
    ),
    "block-of-services": Check(
        "A block has cluster IPs.",
        "Policies apply to the pod behind a Service, so the block admits no connection.",
        blocks_of_services,
        Severity.WARNING,
    ),
    "egress-without-dns": Check(
        "Pods may open connections, but none to a DNS server.",
        "Nearly every connection begins with a look-up of a name, so connections that other rules admit fail too.",
        egress_without_dns,
        Severity.WARNING,
        needs=Needs.PODS_TO_SELECT,
    ),
    "one-direction": Check(
        "The policies of a namespace have rules for one direction only.",
        "In the other direction everything is allowed or everything is dropped, and no rule says which.",
        namespaces_with_rules_in_one_direction,
        Severity.NOTICE,
    ),
    "unisolated-pod": Check(
        "No policy isolates a pod.",
        "All traffic from and to the pod is allowed.",
        pods_that_no_policy_isolates,
        Severity.NOTICE,
        needs=Needs.PODS_TO_SELECT,
        opt_in=True,
    ),
    UNUSED_IGNORE: Check(
        "A comment ignores a check that finds nothing there.",
        "Later the comment may hide a new finding.",
        _nothing,  # found in the comments, when all other findings are known
        Severity.NOTICE,
    ),
}
"""The checks by their identifiers, which never change: comments in manifests name them."""
