"""The options of everything that makes flows for a bridge."""

import click

from ovsnp.cli.candidates import node_names
from ovsnp.model.options import Encap

FLOWS = (
    click.option("--bridge", default="br-int", show_default=True, metavar="NAME", help="The integration bridge."),
    click.option("--node", metavar="NAME", shell_complete=node_names, help="The node of this bridge."),
    click.option(
        "--encap", type=click.Choice(Encap, case_sensitive=False), default=Encap.GENEVE, help="The tunnel protocol."
    ),
    click.option("--strict-nodes/--no-strict-nodes", help="Only a pod's own node may always reach it."),
    click.option(
        "--masquerade/--no-masquerade", help="Send Service-bound traffic to other nodes from the gateway's address."
    ),
    click.option(
        "--service-blocks/--no-service-blocks", help="An ipBlock of an egress rule also matches the cluster IP."
    ),
    click.option("--service-cidr", multiple=True, metavar="CIDR", help="A block of cluster IPs; may be repeated."),
    click.option(
        "--geneve-class",
        type=click.IntRange(0, 0xFFFF),
        default=0xFFFF,
        metavar="NUMBER",
        help="Class of the Geneve options with the source pod's address.  [default: 65535]",
    ),
    click.option(
        "--geneve-types",
        type=(click.IntRange(0, 0x7F), click.IntRange(0, 0x7F)),
        default=(1, 2),
        metavar="IPV4 IPV6",
        help="Types of these options.  [default: 1 2]",
    ),
)
"""The options on which the flows of a bridge depend."""

DATABASE = click.option(
    "--db",
    type=click.Path(),
    multiple=True,
    metavar="SOCKET",
    help="The database of Open vSwitch; for trace one for each node, also as NODE=SOCKET.",
)
