"""The socket that ``ovs-appctl`` speaks to ovs-vswitchd by (ovs-appctl(8))."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ovs import jsonrpc, stream

from ovsnp.errors import SwitchError
from ovsnp.switch.location import Location
from ovsnp.switch.rpc import ask

_PATIENCE = 60.0


class Control:
    """An open connection to ovs-vswitchd; `control` makes and ends it."""

    def __init__(self, connection: jsonrpc.Connection) -> None:
        self._connection = connection

    def command(self, *words: str) -> str:
        """What ``ovs-appctl`` would print; raises SwitchError with the daemon's words, or where none come."""
        try:
            return str(ask(self._connection, *words, patience=_PATIENCE))
        except SwitchError as error:
            raise SwitchError(f"{' '.join(words)}: {str(error).strip()}") from None


@contextmanager
def control(location: Location) -> Iterator[Control]:
    """A connection to the ovs-vswitchd at a location; raises SwitchError where it cannot be reached."""
    try:
        process = (Path(location.rundir) / "ovs-vswitchd.pid").read_text().strip()
    except OSError:
        raise SwitchError(f"ovs-vswitchd has no process in {location.rundir}; is it running?") from None
    error, opened = stream.Stream.open_block(
        stream.Stream.open(f"unix:{location.rundir}/ovs-vswitchd.{process}.ctl"), timeout=int(_PATIENCE * 1000)
    )
    if error:
        raise SwitchError(f"ovs-vswitchd cannot be reached in {location.rundir}: {os.strerror(error)}")
    connection = jsonrpc.Connection(opened)
    try:
        yield Control(connection)
    finally:
        connection.close()


def trace_packet(location: Location, bridge: str, flow: str) -> str:
    """What ``ofproto/trace`` says of a packet, every connection being new to conntrack (ovs-vswitchd(8)).

    ``flow`` describes the packet as ovs-fields(7) has it. No packet is sent, nothing is learned or remembered.
    Raises SwitchError where ovs-vswitchd cannot be asked, or has no such bridge.
    """
    with control(location) as there:
        return there.command("ofproto/trace", bridge, flow)
