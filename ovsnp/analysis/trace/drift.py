"""Checks that a bridge has the flows that the manifests compile to: most contradictions come from a difference."""

from collections.abc import Iterator

from ovsnp.analysis.trace.nodes import TracedNode
from ovsnp.apply.plan import plan
from ovsnp.errors import SwitchError
from ovsnp.switch.dump import parse_dump, parse_group
from ovsnp.switch.ofctl import dump_flows, dump_groups


def drift(node: TracedNode) -> Iterator[str]:
    """A sentence about the changes that `apply` would make on the bridge; none without changes. Raises SwitchError."""
    flows = [parse_dump(line) for line in dump_flows(node.location, node.bridge)]
    groups = [parse_group(line) for line in dump_groups(node.location, node.bridge)]
    whose = f"node {node.name}" if node.name else node.bridge
    try:
        change = plan(flows, groups, node.program)
    except SwitchError as error:
        yield f"{whose}: {error}"
        return
    if change:
        numbers = f"{len(change.added)} to add, {len(change.changed) + len(change.replaced)} to change"
        yield (
            f"{whose} has not the flows that these manifests compile to with these options (ovsnp apply): {numbers},"
            f" {len(change.deleted)} to delete"
        )
