"""``ovsnp matrix``."""

import gc
import sys
from functools import partial

import click

from ovsnp import Reach
from ovsnp.analysis.matrix.notations import output
from ovsnp.analysis.matrix.view import View
from ovsnp.analysis.reach.parties import By
from ovsnp.cli.candidates import destinations, sources
from ovsnp.cli.fitting import columns
from ovsnp.cli.options import OUTPUTS, Request, shared_options
from ovsnp.cli.planned import planned_clusters


@click.command()
@partial(shared_options, outputs=(*OUTPUTS, "csv", "dot", "html"))
@click.option(
    "--by",
    type=click.Choice(By, case_sensitive=False),
    default=By.WORKLOAD,
    help="What a row stands for.  [default: workload]",
)
@click.option("--from", multiple=True, metavar="SRC", shell_complete=sources, help="Only this source; may be repeated.")
@click.option(
    "--to", multiple=True, metavar="DST", shell_complete=destinations, help="Only this destination; may be repeated."
)
@click.option("--port", metavar="PORT", help="Only this port: 6379, 53/udp, the name of a port, or icmp.")
def matrix(request: Request, *, by: By, port: str | None, **ends: tuple[str, ...]) -> None:
    """Say who reaches whom, and at which ports.

    SRC and DST are the name of a row, or NAMESPACE/ for all of its pods. They may also be as for ovsnp explain: then
    they stand for the rows that have some of these pods. DST may also be svc/NAMESPACE/NAME for the endpoints of a
    Service. The answers come from the policies alone; no Open vSwitch is needed. -o html writes one page that needs no
    network.
    """
    (cluster,) = planned_clusters(request, request.cluster())
    gc.freeze()  # all objects stay to the end, and the collector would visit them again and again
    reach = Reach(cluster, by, strict_nodes=request.strict_nodes)
    if not cluster.pods:
        of_hosts = " of their own (all are hostNetwork)" if cluster.host_pods else ""
        request.tell(f"note: the manifests have no pods{of_hosts}, so no policy applies")
    view = View(reach, ends["from"], ends["to"], port or "", request.service_cidrs)
    for part in output(view, request.output, columns(sys.stdout)):
        click.echo(part, nl=False)
