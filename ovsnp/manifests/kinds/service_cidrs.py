"""ServiceCIDRs: the blocks of the cluster IPs."""

from collections.abc import Mapping

from ovsnp.manifests.kinds import wire
from ovsnp.manifests.kinds.blocks import read_prefix
from ovsnp.model.address import Prefix
from ovsnp.model.cluster import Node
from ovsnp.yaml_reader.report import MistakeReport

_CIDRS = ("spec", "cidrs")


def read_service_cidr(
    spec: wire.ApiServiceCIDRSpec, nodes: Mapping[str, Node], report: MistakeReport
) -> tuple[Prefix, ...]:
    """The blocks, at most one of each family, as in validateServiceCIDRSpec (pkg/apis/networking/validation).

    A block that overlaps a pod CIDR is left out, with a note: for the bridge, an address in a ServiceCIDR is a cluster
    IP or leads nowhere.
    """
    found: list[Prefix] = []
    usable: list[Prefix] = []
    for index, text in enumerate(spec.cidrs or ()):
        path = (*_CIDRS, index)
        cidr = read_prefix(text or "", path, report)
        if cidr is None:
            continue
        if any(cidr.family == other.family for other in found):
            message = f"{cidr} is the ServiceCIDR's second IPv{cidr.family} block; a ServiceCIDR has one of each family"
            report.add(path, message)
        else:
            found.append(cidr)
            if overlap := _overlap(cidr, nodes):
                report.note(path, f"{overlap}; ovsnp leaves the block out")
            else:
                usable.append(cidr)
    if not spec.cidrs:
        report.add(_CIDRS, "missing; write the block that cluster IPs are in")
    return tuple(usable)


def _overlap(cidr: Prefix, nodes: Mapping[str, Node]) -> str | None:
    for name, node in sorted(nodes.items()):
        for block in node.pod_cidrs:
            if cidr.contains(block) or block.contains(cidr):
                return f"{cidr} overlaps {block}, where the pods of node {name} are"
    return None
