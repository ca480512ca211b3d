"""Blocks that a policy should not name: addresses of pods, which change, and cluster IPs, which admit nobody."""

from collections import Counter
from collections.abc import Iterator

from ovsnp.analysis.lint.entries import rules
from ovsnp.analysis.lint.finding import Finding, of_policy
from ovsnp.analysis.lint.lint_index import LintIndex
from ovsnp.model.address import host_prefix, merge
from ovsnp.model.policy import Direction, IPBlock, NetworkPolicy
from ovsnp.yaml_reader.paths import Path


def blocks_of_pods(index: LintIndex) -> Iterator[Finding]:
    """Blocks and exceptions that are a part of the pods' network, or the address of a pod.

    The whole network of the pods in a family does not change, so a policy may name it.
    """
    cidrs = frozenset(merge(cidr for node in index.cluster.nodes.values() for cidr in node.pod_cidrs))
    families = Counter(cidr.family for cidr in cidrs)
    networks = {cidr for cidr in cidrs if families[cidr.family] == 1}
    gateways = {host_prefix(address) for node in index.cluster.nodes.values() for address in node.gateways}
    holders = {host_prefix(address): pod.key for pod in index.cluster.pods for address in pod.addresses}
    for policy, path, block in _blocks(index):
        for where, prefix in (((*path, "cidr"), block.cidr), *(((*path, "except"), part) for part in block.excepts)):
            part = prefix not in networks and any(each in cidrs for each in prefix.supernets())
            if prefix in gateways or not (prefix in holders or part):
                continue
            now = f" (now it is of {holders[prefix]})" if prefix in holders else ""
            message = f"{prefix} names addresses of pods, and these change with every pod that comes or goes{now}"
            yield of_policy(policy, where, message, "name the pods by podSelector and labels")


def _blocks(index: LintIndex) -> Iterator[tuple[NetworkPolicy, Path, IPBlock]]:
    for policy in index.cluster.policies:
        for rule in rules(policy):
            for path, peer in rule.peers():
                if isinstance(peer, IPBlock):
                    yield policy, (*path, "ipBlock"), peer


def blocks_of_services(index: LintIndex) -> Iterator[Finding]:
    """Blocks that are a cluster IP, or lie in a CIDR of cluster IPs; for egress only without ``service_blocks``."""
    cluster_ips = {
        host_prefix(address): service.key for service in index.cluster.services for address in service.cluster_ips
    }
    service_cidrs = frozenset(index.service_cidrs)
    for policy, path, block in _blocks(index):
        service = cluster_ips.get(block.cidr)
        around = next((cidr for cidr in block.cidr.supernets() if cidr in service_cidrs), None)
        egress = path[1] == Direction.EGRESS.section
        if (service is None and around is None) or (egress and index.service_blocks):
            continue
        what = f"the cluster IP of Service {service}" if service else f"in {around}, where cluster IPs are"
        if egress:
            message = f"{block.cidr} is {what}, and policies judge the pod behind it, so the block admits nobody"
            remedy = "name the Service's pods by podSelector, and their own port"
        else:
            message = f"{block.cidr} is {what}, and nothing is ever sent from there, so the block admits nobody"
            remedy = "name those who send by podSelector"
        yield of_policy(policy, (*path, "cidr"), message, remedy)
