"""Ends the open connections that the policies forbid, and touches no other."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from ovsnp.apply.connection_verdicts import forbidden_among
from ovsnp.apply.judged_objects import JudgedObjects
from ovsnp.apply.open_connection import OpenConnection, is_answered, read_connection
from ovsnp.errors import SwitchError
from ovsnp.flows.action import Commit, SetField
from ovsnp.flows.modification import AddFlow, DeleteFlow, Modification
from ovsnp.lower.closed import closing_flows
from ovsnp.model.address import parse_address
from ovsnp.model.options import Options
from ovsnp.pipeline.conntrack import ZONE
from ovsnp.pipeline.registers import ADMITTED, ANSWERED
from ovsnp.switch.conntrack import Conntrack, Tracked, conntrack
from ovsnp.switch.datapath import Datapath, await_flows
from ovsnp.switch.icmp_error import icmp_error
from ovsnp.switch.location import Location
from ovsnp.switch.openflow.connection import OpenFlow
from ovsnp.switch.openflow.message import Message
from ovsnp.switch.openflow.packet_out import encode_packet_out

_ROUNDS = 4
_UNSPECIFIED = parse_address("0.0.0.0")
_NOT_ADMITTED = (SetField(ADMITTED, 0), SetField(ANSWERED, 0))
_WITHDRAWN = {zone: (Commit(zone, _NOT_ADMITTED),) for zone in ZONE.values()}
"""The actions that change the memory of the connection that a packet belongs to, by zone."""


def cut_forbidden(
    location: Location,
    bridge: str,
    below: Datapath,
    objects: JudgedObjects,
    options: Options,
    carry_out: Callable[[Sequence[Modification]], None],
    *,
    waiting: bool,
) -> int:
    """Cut the open connections of a bridge that the policies forbid; the flows for these policies must be on it.

    ``carry_out`` changes flows, ``waiting`` is the answer of `ovsnp.switch.datapath.waits_for_flows`. Returns the
    number of connections that were cut. Raises SwitchError if conntrack cannot be read, or a connection stays open.
    """
    _await_flows(location, below, carry_out, waiting=waiting)
    with conntrack(location, bridge, below) as tracker:
        entries = [*_entries(tracker)]
        forbidden = forbidden_among({entry.connection for entry in entries}, objects, options)
        chosen = {entry.key: entry for entry in entries if entry.connection in forbidden}
        if chosen:
            with OpenFlow(location, bridge) as openflow:
                _withdraw(openflow, tracker, chosen)
    # Those without an answer do not count: the node of the server may have refused them from the beginning.
    return sum(is_answered(entry.tracked) for entry in chosen.values())


def _withdraw(openflow: OpenFlow, tracker: Conntrack, chosen: "Mapping[_Key, _Entry]") -> None:
    """Withdraw the admission of connections, and read conntrack again until none is admitted.

    Conntrack keeps the connections, with the end that opened each: if it forgot one, the next packet of the server
    would begin a connection of its own, which the policies may allow.
    """
    admitted = set(chosen)
    for _ in range(_ROUNDS):
        openflow.tell(*(_withdrawal(chosen[key]) for key in admitted))
        admitted &= {entry.key for entry in _entries(tracker)}
        if not admitted:
            return
    first = min(chosen[key].tracked.tuple for key in admitted)
    raise SwitchError(f"{len(admitted)} connections stay open (the first is {first})")


def _withdrawal(entry: "_Entry") -> Message:
    return encode_packet_out(icmp_error(entry.tracked), _WITHDRAWN[entry.zone])


def _await_flows(
    location: Location, below: Datapath, carry_out: Callable[[Sequence[Modification]], None], *, waiting: bool
) -> None:
    """Wait until the datapath has no megaflow of earlier flows: it would admit again what has just been cut.

    The flow that makes Open vSwitch look at its megaflows is about an address that nobody has.
    """
    touched = closing_flows([_UNSPECIFIED])
    try:
        await_flows(location, below, lambda: carry_out([*map(AddFlow, touched)]), waiting=waiting)
    finally:
        carry_out([*map(DeleteFlow, touched)])


_Key = tuple[int, Tracked, OpenConnection]


class _Entry(NamedTuple):
    """An entry of conntrack that is a connection."""

    zone: int
    tracked: Tracked
    connection: OpenConnection

    @property
    def key(self) -> _Key:
        """The same for one connection, whatever has become of it meanwhile."""
        return self.zone, self.tracked._replace(hexadecimal="", state=""), self.connection


def _entries(tracker: Conntrack) -> Iterator[_Entry]:
    for zone in ZONE.values():
        for tracked in tracker.entries(zone):
            if connection := read_connection(tracked):
                yield _Entry(zone, tracked, connection)
