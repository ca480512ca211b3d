"""ServiceCIDRs: the blocks that cluster IPs are in."""

from collections.abc import Mapping

from ovsnp.manifests.kinds import wire
from ovsnp.manifests.kinds.blocks import read_prefix
from ovsnp.manifests.report import Report
from ovsnp.model.address import Prefix
from ovsnp.model.cluster import Node

_CIDRS = ("spec", "cidrs")


def read_service_cidr(spec: wire.ServiceCIDRSpec, nodes: Mapping[str, Node], report: Report) -> tuple[Prefix, ...]:
    """The blocks, one of each family at most, as validateServiceCIDRSpec has it (pkg/apis/networking/validation).

    None may overlap the block of a node's pods: to the bridge, what is in a ServiceCIDR and is no Service's is nobody.
    """
    found: list[Prefix] = []
    for index, text in enumerate(spec.cidrs or ()):
        path = (*_CIDRS, index)
        cidr = read_prefix(text or "", path, report)
        if cidr is None:
            continue
        if any(cidr.family == other.family for other in found):
            message = f"{cidr} is the ServiceCIDR's second IPv{cidr.family} block; a ServiceCIDR has one of each family"
            report.add(path, message)
        else:
            report.add(path, _overlap(cidr, nodes))
            found.append(cidr)
    if not spec.cidrs:
        report.add(_CIDRS, "missing; write the block that cluster IPs are in")
    return tuple(found)


def _overlap(cidr: Prefix, nodes: Mapping[str, Node]) -> str | None:
    for name, node in sorted(nodes.items()):
        for block in node.pod_cidrs:
            if cidr.contains(block) or block.contains(cidr):
                return f"{cidr} overlaps {block} of node {name}; cluster IPs need a block that no pods are in"
    return None
