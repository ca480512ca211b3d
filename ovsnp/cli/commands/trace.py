"""``ovsnp trace``."""

import re
import sys

import click
import msgspec

from ovsnp.analysis.naming.questions import Written, read_question
from ovsnp.analysis.naming.roster import Roster
from ovsnp.analysis.trace.nodes import NodeSwitch, read_nodes
from ovsnp.analysis.trace.packet import SOURCE_PORT
from ovsnp.analysis.trace.trace_document import document
from ovsnp.analysis.trace.trace_text import lines
from ovsnp.analysis.trace.tracing import TraceTerms, check, one_packet
from ovsnp.analysis.trace.tracing import trace as traced
from ovsnp.cli.candidates import living_destinations, living_sources
from ovsnp.cli.options import Request, require_node, shared_options
from ovsnp.cli.plain import tell
from ovsnp.cli.planned import living_cluster
from ovsnp.cli.questions import QuestionCommand, family_options
from ovsnp.cli.terminal import Terminal
from ovsnp.document import document_text
from ovsnp.errors import Exit, UsageError
from ovsnp.model.cluster import Cluster
from ovsnp.model.options import Options
from ovsnp.oracle.terms import Terms
from ovsnp.switch.location import locate

_OF_NODE = re.compile(r"([a-z0-9][a-z0-9.-]*)=(.+)")
_OF_THE_LAB = {
    "filename": "-f",
    "cluster": "--cluster",
    "db": "--db",
    "bridge": "--bridge",
    "encap": "--encap",
    "strict_nodes": "--strict-nodes",
    "masquerade": "--masquerade",
}
_TYPED = click.core.ParameterSource.COMMANDLINE


@click.command(cls=QuestionCommand)
@click.argument("source", metavar="SRC", shell_complete=living_sources)
@click.argument("destination", metavar="DST", shell_complete=living_destinations)
@click.argument("port", metavar="[PORT]", required=False)
@click.option("--raw", is_flag=True, help="Also show the output of ofproto/trace.")
@click.option("--lab", is_flag=True, help="Trace on all nodes of a standing lab, with its manifests and options.")
@click.option("--name", default="ovsnp", show_default=True, help="The name of the lab, with --lab.")
@click.option(
    "--source-port",
    type=click.IntRange(1, 65535),
    default=SOURCE_PORT,
    show_default=True,
    metavar="NUMBER",
    help="The client's port, which decides the endpoint that a Service gives to a connection.",
)
@family_options
@shared_options
@click.pass_context
def trace(
    ctx: click.Context,
    request: Request,
    *,
    source: str,
    destination: str,
    port: str | None,
    raw: bool,
    lab: bool,
    name: str,
    source_port: int,
    version: int | None,
) -> None:
    """Follow the first packet from SRC to DST through the real bridges, table by table.

    SRC, DST and PORT are as for ovsnp explain. --db may be given once for each node, as SOCKET or NODE=SOCKET, so that
    the path continues through the tunnel. No packet is sent, and nothing changes. Exits with 1 if the bridges do not do
    what the policies say.
    """
    if request.ports:
        raise UsageError("--ports is for compile; trace reads the ports of the bridges it traces on")
    if lab:
        cluster, options, switches = _lab(ctx, request, name)
    else:
        cluster, options, switches = living_cluster(request), request.choices, _switches(request)
    if request.node:
        require_node(cluster, request.node)
    roster = Roster(cluster, options.service_cidrs, strict_nodes=options.strict_nodes)
    question = one_packet(read_question(roster, Written(source, destination, port, version)))
    check(question)
    nodes = read_nodes(cluster, switches, options)
    terms = Terms(options.strict_nodes, options.service_blocks, request.node)
    ways = list(traced(cluster, nodes, question, TraceTerms(terms, source_port)))
    if request.output == "json":
        click.echo(document_text(document(question, ways, source_port, raw=raw)), nl=False)
    else:
        console = Terminal(no_color=request.no_color or None, highlight=False)
        for line in lines(question, ways, source_port, raw=raw):
            console.write(line)
        for note in question.notes:
            request.tell(f"note: {note}")
    if not all(way.agrees for way in ways):
        tell("ovsnp: the bridges do not do what the policies say")
        sys.exit(Exit.NO)


def _switches(request: Request) -> list[NodeSwitch]:
    """Each --db with the node that it names; for a single --db, --node may name the node."""
    if len(request.databases) < 2:
        of_node = _OF_NODE.fullmatch(request.db or "")
        return [NodeSwitch(locate(of_node[2]), of_node[1]) if of_node else NodeSwitch(request.location, request.node)]
    found = [(_OF_NODE.fullmatch(text), text) for text in request.databases]
    return [NodeSwitch(locate(named[2]), named[1]) if named else NodeSwitch(locate(text)) for named, text in found]


def _lab(ctx: click.Context, request: Request, name: str) -> tuple[Cluster, Options, list[NodeSwitch]]:
    """The cluster, options and switches of a standing lab; raises UsageError if it is missing or of containers."""
    from ovsnp.lab import standing  # noqa: PLC0415 -- needed only for --lab
    from ovsnp.lab.runtime import NETNS  # noqa: PLC0415

    given = [option for field, option in _OF_THE_LAB.items() if ctx.get_parameter_source(field) is _TYPED]
    if given:
        raise UsageError(f"--lab takes {', '.join(given)} from the lab; leave it out")
    found = standing.find(name)
    if found.settings.runtime != NETNS:
        raise UsageError(f"lab {name} is of containers, whose sockets cannot be reached from here; trace within them")
    request.tell_notes(found.cluster)
    options = msgspec.structs.replace(
        request.choices,
        bridge=standing.BRIDGE,
        encap=found.settings.encap,
        strict_nodes=found.settings.strict_nodes,
        masquerade=found.settings.masquerade,
    )
    return found.cluster, options, [NodeSwitch(locate(found.runtime.database(at)), node) for node, at in found.nodes]
