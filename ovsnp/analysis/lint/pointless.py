"""Rules that another rule makes pointless, and entries that another entry of the same rule makes pointless."""

from collections.abc import Iterator

from ovsnp.analysis.lint.covers import peer_within, possible
from ovsnp.analysis.lint.entries import RuleEntry, rules
from ovsnp.analysis.lint.finding import Finding, Severity, of_policy
from ovsnp.analysis.lint.holders import PeerHolders, RuleHolders, admits_someone
from ovsnp.analysis.lint.lint_index import LintIndex
from ovsnp.analysis.lint.port_holders import PortHolders
from ovsnp.model.cluster import Cluster
from ovsnp.yaml_reader.paths import Path, format_path


def rules_that_another_makes_pointless(index: LintIndex) -> Iterator[Finding]:
    """Rules that could go, whatever pods may come: another rule admits all connections that they admit.

    Of rules that admit the same, the first stays, so all pointless rules can go at once. Rules that admit nobody are
    findings of another check.
    """
    for policies in index.policies.values():
        entries = [[rule for rule in rules(policy) if admits_someone(rule)] for policy in policies]
        of_all = RuleHolders(index.cluster, [rule for group in entries for rule in group])
        for group in entries:
            own = RuleHolders(index.cluster, group)
            for narrow in group:
                if wide := own.of(narrow) or of_all.of(narrow):
                    yield _finding(narrow, wide)


def _finding(narrow: RuleEntry, wide: RuleEntry) -> Finding:
    if wide.policy is narrow.policy:
        message = f"{format_path(wide.path)} admits all that this rule does, so it changes nothing"
        return of_policy(narrow.policy, narrow.path, message, "remove it, or narrow the other one")
    message = (
        f"{wide}, of another policy, admits all that this rule does, so it changes nothing while that one is there"
    )
    remedy = "remove one of the two, or keep this one if the other policy is not yours"
    return of_policy(narrow.policy, narrow.path, message, remedy, Severity.NOTICE)


def entries_that_another_makes_pointless(index: LintIndex) -> Iterator[Finding]:
    """Peers and ports that another peer or port of the same rule holds."""
    for policy in index.cluster.policies:
        for rule in rules(policy):
            for path, wide in (*_peers_inside(index.cluster, rule), *_ports_inside(rule)):
                message = f"{format_path(wide)} holds all that this entry does, so it changes nothing"
                yield of_policy(policy, path, message, "remove it, or narrow the other one")


def _peers_inside(cluster: Cluster, rule: RuleEntry) -> Iterator[tuple[Path, Path]]:
    """The paths of peers that another peer holds, each with the path of the other; of peers that name the same, the
    first stays.

    Peers that can name nobody are findings of another check.
    """
    peers = [(path, peer) for path, peer in rule.peers() if possible(peer)]
    holders = PeerHolders(cluster, rule.policy.namespace, [peer for _, peer in peers])
    for place, (path, narrow) in enumerate(peers):
        for other in holders.of(narrow):
            same = other == place or peer_within(cluster, rule.policy.namespace, peers[other][1], narrow)
            if other < place or not same:
                yield path, peers[other][0]
                break


def _ports_inside(rule: RuleEntry) -> Iterator[tuple[Path, Path]]:
    """The same for ports."""
    ports = [*rule.ports()]
    holders = PortHolders([entry for _, entry in ports])
    for place, (path, narrow) in enumerate(ports):
        wide = holders.of(narrow)
        if wide is not None and wide != place:
            yield path, ports[wide][0]
