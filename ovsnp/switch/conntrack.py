"""Connections that the datapath tracks (ovs-dpctl(8), "CONNECTION TRACKING TABLE COMMANDS")."""

import errno
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from ovsnp.errors import SwitchError
from ovsnp.switch.control import Control, control
from ovsnp.switch.datapath import Datapath
from ovsnp.switch.location import Location
from ovsnp.switch.ofctl import flush_connection, flush_zone

_ENTRY = re.compile(
    r"^(\w+),orig=\(src=([^,)]+),dst=([^,)]+)(?:,([^)]*))?\),"
    r"reply=\(src=([^,)]+),dst=([^,)]+)(?:,([^)]*))?\)(?:.*?,timeout=(\d+))?(?:.*?,labels=0x([0-9a-f]+))?"
    r"(?:.*?,protoinfo=\(state=(\w+))?",
    re.MULTILINE,
)
_NUMBERS = {"icmp": 1, "igmp": 2, "tcp": 6, "udp": 17, "dccp": 33, "icmpv6": 58, "sctp": 132, "udplite": 136}
_FIELDS = {
    "sport": "ct_tp_src",
    "dport": "ct_tp_dst",
    "id": "icmp_id",
    "type": "icmp_type",
    "code": "icmp_code",
}
_ENDED = os.strerror(errno.ENOENT)
"""The message of Open vSwitch if the connection has ended meanwhile."""


class Tracked(NamedTuple):
    """A connection as `ovs-appctl dpctl/dump-conntrack` prints it, with addresses and numbers as text.

    ``opening`` are the ports of its first packet (``sport``, ``dport``; for ICMP ``id``, ``type``, ``code``),
    ``answering`` those of the answer; a datapath that keeps no ports of a protocol has 0 or nothing there. ``answers``
    is the source address of the answer, ``answered`` its destination. ``timeout`` is the number of seconds after which
    the datapath forgets the connection if no packet comes. ``state`` is that of TCP and SCTP, as far as the datapath
    follows it.
    """

    protocol: str
    source: str
    destination: str
    opening: str
    answers: str
    answered: str
    answering: str
    timeout: str
    hexadecimal: str
    state: str = ""

    @property
    def label(self) -> int:
        """The ct_label, a number of 128 bits."""
        return int(self.hexadecimal or "0", 16)

    @property
    def port(self) -> int:
        """The destination port of the first packet; 0 if there is none."""
        return int(_numbers(self.opening).get("dport", 0))

    @property
    def source_port(self) -> int:
        """The source port of the first packet; 0 if there is none."""
        return int(_numbers(self.opening).get("sport", 0))

    @property
    def answering_port(self) -> int:
        """The source port of the answer; 0 if there is none."""
        return int(_numbers(self.answering).get("sport", 0))

    @property
    def answered_port(self) -> int:
        """The destination port of the answer; 0 if there is none."""
        return int(_numbers(self.answering).get("dport", 0))

    @property
    def icmp(self) -> tuple[int, int, int] | None:
        """Type and code of an ICMP connection's first packet, and the identifier in its answer; None: not ICMP."""
        opening, answering = _numbers(self.opening), _numbers(self.answering)
        if "id" not in opening:
            return None
        return int(opening["type"]), int(opening["code"]), int(answering["id"])

    @property
    def protocol_number(self) -> int:
        """The number of the IP protocol."""
        return _NUMBERS.get(self.protocol) or int(self.protocol)

    @property
    def tuple(self) -> str:
        """The addresses and ports of the first packet, as ``dpctl/flush-conntrack`` takes them."""
        name = "ipv6" if ":" in self.source else "nw"
        numbers = _numbers(self.opening)
        if "id" not in numbers:
            numbers = {key: value for key, value in numbers.items() if value != "0"}
        ends = f"ct_{name}_src={self.source},ct_{name}_dst={self.destination},ct_nw_proto={self.protocol_number}"
        return ",".join((ends, *(f"{_FIELDS[key]}={value}" for key, value in numbers.items() if key in _FIELDS)))


def _numbers(text: str) -> dict[str, str]:
    return dict(part.partition("=")[::2] for part in text.split(",")) if text else {}


class Conntrack:
    """The connections of a bridge's datapath; `conntrack` makes it.

    A connection is flushed by its whole tuple: with part of a tuple, Open vSwitch 3.1 leaves some of the connections
    that match (3.3 leaves none). If there are several datapaths (the kernel's and a userspace one), 3.1 takes no
    datapath name together with a tuple. The socket of the bridge (``ovs-ofctl ct-flush``) needs no name, but costs one
    process for each connection.
    """

    def __init__(self, location: Location, bridge: str, datapath: Datapath, there: Control) -> None:
        self._location, self._bridge, self._datapath, self._there = location, bridge, datapath, there
        self._only = len(there.command("dpctl/dump-dps").split()) < 2

    def entries(self, zone: int) -> Iterator[Tracked]:
        """All connections of a zone; raises SwitchError if ovs-vswitchd does not answer."""
        name = () if self._only else (self._datapath.name,)
        text = self._there.command("dpctl/dump-conntrack", "-s", *name, f"zone={zone}")
        # One match after the other: other threads may work in between.
        return (Tracked._make(found.groups("")) for found in _ENTRY.finditer(text))

    def flush(self, zone: int, tracked: Tracked) -> bool:
        """Make the datapath forget a connection; False if it can do so only with the whole zone.

        The kernel's datapath takes no SCTP tuples in 3.1, and no tuples of other protocols without ports in any
        version.
        """
        if tracked.protocol == "icmpv6" and self._datapath.ends_at_icmpv6:
            return False
        if not self._only:
            flush_connection(self._location, self._bridge, zone, tracked.tuple)
            return True
        try:
            self._there.command("dpctl/flush-conntrack", f"zone={zone}", tracked.tuple)
        except SwitchError as error:
            return _ENDED in str(error)
        return True

    def flush_zone(self, zone: int) -> None:
        """Make the datapath forget all connections of a zone; raises SwitchError."""
        flush_zone(self._location, self._bridge, zone)


@contextmanager
def conntrack(location: Location, bridge: str, datapath: Datapath) -> Iterator[Conntrack]:
    """The connections of a bridge's datapath; raises SwitchError if ovs-vswitchd cannot be reached."""
    with control(location) as there:
        yield Conntrack(location, bridge, datapath, there)
