"""``ovsnp mtu``."""

import click

from ovsnp.cli.configuration import config_option
from ovsnp.cli.plain import tell
from ovsnp.model.options import Encap

_IP = {4: 20, 6: 40}
_UDP = 8
_TUNNEL = 8
"""The bytes of the Geneve header without options, and of the VXLAN header."""
_ETHERNET = 14
_OPTION = 4 + 16
"""The bytes of the larger of the two Geneve options with a source pod's address: its header and an IPv6 address."""
_IPV6_LEAST = 1280
"""The MTU that every link must have for IPv6 (RFC 8200, 5)."""


@click.command()
@click.option("--underlay", type=click.IntRange(576, 65535), required=True, metavar="MTU", help="The MTU of the nodes.")
@click.option(
    "--encap", type=click.Choice(Encap, case_sensitive=False), default=Encap.GENEVE, help="The tunnel between nodes."
)
@click.option("--ipv6-underlay", is_flag=True, help="The tunnel addresses of the nodes are IPv6.")
@config_option
def mtu(underlay: int, encap: Encap, ipv6_underlay: bool) -> None:
    """Print the MTU for pods and gateways: the MTU of the underlay without what the tunnel adds to a packet.

    The tunnel adds its headers and the option with the source pod's address. The same number suits pods of both
    families, with and without --masquerade.
    """
    left = pod_mtu(underlay, encap, 6 if ipv6_underlay else 4)
    click.echo(left)
    if left < _IPV6_LEAST:
        tell(f"too small for IPv6, which needs {_IPV6_LEAST}")


def pod_mtu(underlay: int, encap: Encap, version: int) -> int:
    """The size of the largest IP packet of a pod that fits the underlay's MTU in a tunnel over IP of ``version``."""
    carrier = _OPTION if encap is Encap.GENEVE else 0
    return underlay - _IP[version] - _UDP - _TUNNEL - carrier - _ETHERNET
