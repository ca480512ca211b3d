"""``ovsnp apply``."""

import click

from ovsnp.apply import ApplyResult
from ovsnp.apply import apply as apply_to_bridge
from ovsnp.apply.apply_document import document
from ovsnp.cli.options import Request, established_option, remove_missing_option, shared_options
from ovsnp.cli.plain import say
from ovsnp.cli.planned import living_cluster
from ovsnp.cli.ports import tell_left_out
from ovsnp.document import document_text
from ovsnp.errors import UsageError
from ovsnp.model.options import Established


@click.command()
@remove_missing_option
@established_option
@shared_options
def apply(request: Request, *, remove_missing: bool, established: Established) -> None:
    """Compile manifests, and change the bridge to exactly these flows, in one transaction.

    A second apply changes nothing. An open connection goes on until it ends, even if the new policies would not admit
    it; with --established cut, apply ends exactly the connections that the policies forbid.

    If the bridge serves pods that the input lacks, or if the input has no Node and the bridge has tunnels of nodes,
    apply changes nothing and exits with 3.
    """
    if request.ports:
        raise UsageError("--ports is for compile; apply reads the ports of the bridge it changes")
    cluster = living_cluster(request)
    options = request.options(cluster)
    outcome = apply_to_bridge(
        request.location, cluster, options, remove_missing=remove_missing, established=established
    )
    if request.output == "json":
        click.echo(document_text(document(options, outcome)), nl=False)
    else:
        for line in _lines(options.bridge, outcome):
            say(line)
    tell_left_out(request, outcome.without_port, outcome.odd)


def _lines(bridge: str, outcome: ApplyResult) -> list[str]:
    lines = [f"{bridge}: {words}" for words in outcome.bridge]
    if outcome.added or outcome.changed or outcome.deleted:
        flows = f"{outcome.added} added, {outcome.changed} changed, {outcome.deleted} deleted"
    else:
        flows = "nothing to change"
    lines.append(f"{bridge}: flows: {flows}")
    if outcome.groups:
        lines.append(f"{bridge}: groups: {outcome.groups} added, changed or deleted")
    if outcome.cut:
        lines.append(f"{bridge}: connections to endpoints that are gone: {outcome.cut} cut")
    if outcome.forgotten:
        whose = "pods that are gone" if outcome.known else "unknown pods (no record of who held which address)"
        lines.append(f"{bridge}: connections of {whose}: {outcome.forgotten} forgotten")
    if outcome.cut_by_policy:
        lines.append(f"{bridge}: connections that the policies forbid: {outcome.cut_by_policy} cut")
    if outcome.emptied:
        zones = ", ".join(map(str, outcome.emptied))
        lines.append(f"{bridge}: conntrack zones emptied, as Open vSwitch flushes some protocols no other way: {zones}")
    return lines
