"""``ovsnp wait``."""

import sys
from pathlib import Path

import click

from ovsnp.analysis.enforcement.status_text import policy_lines
from ovsnp.analysis.enforcement.waiting import wait_until_enforced
from ovsnp.cli.configuration import config_option
from ovsnp.cli.live import context_option, kubeconfig_option
from ovsnp.cli.plain import tell
from ovsnp.cli.policy_names import offered_typed_policies, read_typed_policy_name
from ovsnp.cli.time_span import read_span
from ovsnp.errors import Exit
from ovsnp.kubernetes.configuration import find_api_server
from ovsnp.kubernetes.connection import ApiConnection


@click.command()
@click.argument("policy", metavar="networkpolicy/NAME", shell_complete=offered_typed_policies)
@click.option("-n", "--namespace", metavar="NAMESPACE", default="default", show_default=True, help="Its namespace.")
@click.option("--timeout", type=read_span, default="30s", show_default=True, metavar="SPAN", help="How long to wait.")
@kubeconfig_option
@context_option
@config_option
def wait(policy: str, *, namespace: str, timeout: float, kubeconfig: Path | None, context: str | None) -> None:
    """Wait until a policy is enforced on all nodes with a pod that it selects; exit with 1 when the time is up.

    The policy is that of the moment when the command starts, or a later one.
    """
    named = read_typed_policy_name(policy, namespace)
    with ApiConnection(find_api_server(kubeconfig, context)) as connection:
        found = wait_until_enforced(connection, named, timeout)
    if found is None:
        tell("ovsnp: the time is up before the cluster was read; give a longer --timeout")
        sys.exit(Exit.NO)
    if found.lacking:
        for line in policy_lines(found):
            tell(line)
        tell("ovsnp: the time is up")
        sys.exit(Exit.NO)
