"""``ovsnp compile``."""

import click

from ovsnp import compile_cluster, render_json, render_text
from ovsnp.cli.options import Request, shared_options
from ovsnp.cli.planned import living_cluster
from ovsnp.cli.ports import choose_ports, tell_ports


@click.command()
@shared_options
def compile(request: Request) -> None:
    """Compile manifests to the flows of one node's bridge.

    The text is a file for ovs-ofctl -O OpenFlow15 bundle BRIDGE FILE.
    """
    cluster = living_cluster(request)
    options = request.options(cluster)
    ports = choose_ports(request, cluster, options)
    program = compile_cluster(cluster, ports, options)
    where = "assumed" if ports.assumed else f"of {request.ports or request.location.database}"
    request.detail(
        f"{len(cluster.pods)} pods, {len(cluster.policies)} policies: {len(program.flows)} flows and"
        f" {len(program.groups)} groups for {len(ports.pods)} local pods; ports {where}"
    )
    render = render_json if request.output == "json" else render_text
    click.echo(render(program), nl=False)
    tell_ports(request, cluster, options, ports)
