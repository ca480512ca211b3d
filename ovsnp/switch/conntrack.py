"""Connections that the datapath tracks, by way of ``ovs-appctl``'s socket (ovs-dpctl(8))."""

import errno
import os
import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

from ovsnp.errors import SwitchError
from ovsnp.model.address import Address, family, format_address, parse_address
from ovsnp.model.ports import Protocol
from ovsnp.pipeline.fields import IP_PROTO
from ovsnp.switch.control import control
from ovsnp.switch.location import Location

_ENTRY = re.compile(
    r"^(tcp|udp|sctp),orig=\(src=([^,)]+),dst=([^,)]+)(?:,sport=(\d+),dport=(\d+))?\),"
    r"reply=\(src=([^,)]+),dst=[^,)]+(?:,sport=(\d+))?",
    re.MULTILINE,
)
_ENDED = os.strerror(errno.ENOENT)
"""What Open vSwitch says where the connection has ended meanwhile."""


class Tracked(NamedTuple):
    """A connection: who opened it to which address, and who answers; ports are 0 where the datapath keeps none."""

    protocol: Protocol
    source: str
    source_port: int
    address: Address
    port: int
    answers: Address
    answers_port: int

    @property
    def tuple(self) -> str:
        """The addresses and ports of its first packet, as ``dpctl/flush-conntrack`` takes them."""
        name = "nw" if family(self.address) == 4 else "ipv6"
        ports = f",ct_tp_src={self.source_port},ct_tp_dst={self.port}" if self.port else ""
        ends = f"ct_{name}_src={self.source},ct_{name}_dst={format_address(self.address)}"
        return f"{ends},ct_nw_proto={IP_PROTO[self.protocol]}{ports}"


def cut(location: Location, zones: tuple[int, ...], gone: Callable[[Tracked], bool]) -> int:
    """Have the datapath forget connections of these zones; returns how many.

    Each is named whole: given part of a tuple, Open vSwitch 3.1 leaves some of those that match (3.3 none). It takes
    no datapath's name beside a tuple either, so there must be one datapath.
    Raises SwitchError where ovs-vswitchd cannot be asked.
    """
    with control(location) as there:
        found = 0
        for zone in zones:
            for tracked in filter(gone, _entries(there.command("dpctl/dump-conntrack", f"zone={zone}"))):
                try:
                    there.command("dpctl/flush-conntrack", f"zone={zone}", tracked.tuple)
                except SwitchError as error:
                    if _ENDED not in str(error):
                        raise
                found += 1
        return found


def _entries(text: str) -> Iterator[Tracked]:
    for protocol, source, to, sport, dport, answers, aport in _ENTRY.findall(text):
        yield Tracked(
            Protocol(protocol.upper()),
            source,
            int(sport or 0),
            parse_address(to),
            int(dport or 0),
            parse_address(answers),
            int(aport or 0),
        )
