"""``ovsnp status``."""

import sys
from pathlib import Path

import click

from ovsnp.analysis.enforcement.cluster_state import NEEDED, ClusterState
from ovsnp.analysis.enforcement.enforcement import (
    NodeHealth,
    PolicyEnforcement,
    enforcement,
    health,
    no_such_policy,
)
from ovsnp.analysis.enforcement.status_document import document
from ovsnp.analysis.enforcement.status_text import lines, summary
from ovsnp.cli.configuration import config_option
from ovsnp.cli.live import context_option, kubeconfig_option
from ovsnp.cli.options import OUTPUTS, output_option
from ovsnp.cli.plain import say, tell
from ovsnp.cli.policy_names import NamedPolicy, offered_policies, read_policy_name
from ovsnp.document import document_text
from ovsnp.errors import Exit, UsageError
from ovsnp.kubernetes.configuration import find_api_server
from ovsnp.kubernetes.connection import ApiConnection
from ovsnp.kubernetes.listing import list_kind


@click.command()
@click.argument("policy", metavar="[[NAMESPACE/]NAME]", required=False, shell_complete=offered_policies)
@click.option("--node", metavar="NAME", help="Only this node, and the policies that select one of its pods.")
@kubeconfig_option
@context_option
@output_option(OUTPUTS)
@click.option("--quiet", is_flag=True, help="Write only errors to stderr.")
@config_option
def status(
    policy: str | None, *, node: str | None, kubeconfig: Path | None, context: str | None, output: str, quiet: bool
) -> None:
    """Say on which nodes each policy of the cluster is enforced, and why not elsewhere; and how each agent is.

    A policy is enforced on a node if the agent there has had Open vSwitch confirm the flows for the current generation
    of the policy. The policy concerns the nodes with a pod that it selects. Exits with 1 if something is not enforced,
    or if an agent is not well.
    """
    named = read_policy_name(policy) if policy else None
    state = ClusterState()
    with ApiConnection(find_api_server(kubeconfig, context)) as connection:
        for resource in NEEDED:
            state.take(list_kind(connection, resource), connection.server_time)
    policies = _policies(state, named, node)
    nodes = _nodes(state, policies if named else None, node)
    if output == "json":
        click.echo(document_text(document(policies, nodes)), nl=False)
    else:
        for line in lines(policies, nodes):
            say(line)
        if not quiet:
            tell(summary(policies))
    if any(each.lacking for each in policies) or any(each.status and each.trouble for each in nodes):
        sys.exit(Exit.NO)


def _policies(state: ClusterState, named: NamedPolicy | None, node: str | None) -> list[PolicyEnforcement]:
    """The policies that the answer is about; raises UsageError if the named one is not there."""
    if named and named not in state.policies:
        raise no_such_policy(*named)
    found = [enforcement(state, name, state.policies[name]) for name in sorted(state.policies)]
    if named:
        found = [each for each in found if (each.namespace, each.name) == named]
    return [each.on(node) for each in found if node in each.nodes] if node else found


def _nodes(state: ClusterState, policies: list[PolicyEnforcement] | None, node: str | None) -> list[NodeHealth]:
    """The nodes that the answer is about; raises UsageError if the named one is not there."""
    names = state.nodes | state.agents.keys()
    if node and node not in names:
        raise UsageError(f"the cluster has no Node {node}; there are {', '.join(sorted(names)) or 'none'}")
    if policies is not None:
        names = {each for policy in policies for each in policy.nodes}
    return [health(state, each) for each in sorted(names) if node in (None, each)]
