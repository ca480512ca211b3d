"""OpenFlow, through ``ovs-ofctl`` (ovs-ofctl(8))."""

import os
import re
import signal
import subprocess
from collections.abc import Sequence
from typing import IO

from ovsnp.errors import DeclarationError, SwitchError
from ovsnp.switch.location import Location

_BUNDLE = ("-O", "OpenFlow15")
_READ = ("-O", ",".join(f"OpenFlow1{minor}" for minor in range(6)))
_TIMEOUT = 60
_WIDENED = "normalization changed ofp_match"
_DROPPED = re.compile(r"connect.* \(Broken pipe\)")
"""The message of ``ovs-ofctl`` if ovs-vswitchd dropped the connection before the first request: ovs-vswitchd waits one
second for the first message, and on a busy machine ``ovs-ofctl`` may take longer.
"""

_ATTEMPTS = 5


def dump_flows(location: Location, bridge: str, table: int | None = None) -> list[str]:
    """Every flow of the bridge, or of one table, as a line without counters, with numbers for ports and tables.

    Raises SwitchError if the bridge cannot be reached.
    """
    which = () if table is None else (f"table={table}",)
    text = _ofctl(location, *_READ, "--no-names", "--no-stats", "dump-flows", location.management(bridge), *which)
    return [line.strip() for line in text.splitlines() if "actions=" in line]


def dump_groups(location: Location, bridge: str) -> list[str]:
    """Every group of the bridge as a line that ``group add`` takes."""
    text = _ofctl(location, *_READ, "--no-names", "dump-groups", location.management(bridge))
    return [line.strip() for line in text.splitlines() if "group_id=" in line]


def show_fragments(location: Location, bridge: str) -> list[str]:
    """Make the ports of a datagram's first fragment visible to flows; returns what was done, in words.

    By default, Open vSwitch shows every fragment with ports 0: no rule with ports would admit it, and no guard on ports
    would stop it. ovs-vswitchd loses the setting when it ends.
    """
    lacking = hidden_fragments(location, bridge)
    if lacking:
        _ofctl(location, *_READ, "set-frags", location.management(bridge), "nx-match")
    return lacking


def hidden_fragments(location: Location, bridge: str) -> list[str]:
    """What `show_fragments` would do, in its words; sets nothing."""
    shown = "nx-match" in _ofctl(location, *_READ, "get-frags", location.management(bridge))
    return [] if shown else ["first fragments shown with their ports"]


def dump_option_map(location: Location, bridge: str) -> str:
    """The bridge's map of Geneve options to fields, as ``ovs-ofctl`` prints it."""
    return _ofctl(location, *_READ, "dump-tlv-map", location.management(bridge))


def add_option_map(location: Location, bridge: str, mappings: str) -> None:
    """Add mappings of Geneve options to fields, all or none."""
    _ofctl(location, *_READ, "add-tlv-map", location.management(bridge), mappings)


def dump_meters(location: Location, bridge: str) -> str:
    """The meters of the bridge, as ``ovs-ofctl`` prints them."""
    return _ofctl(location, *_BUNDLE, "dump-meters", location.management(bridge))


def add_meter(location: Location, bridge: str, meter: str) -> None:
    """Add a meter."""
    _ofctl(location, *_BUNDLE, "add-meter", location.management(bridge), meter)


def change_meter(location: Location, bridge: str, meter: str) -> None:
    """Change an existing meter."""
    _ofctl(location, *_BUNDLE, "mod-meter", location.management(bridge), meter)


def flush_connection(location: Location, bridge: str, zone: int, connection: str) -> None:
    """Make the bridge's datapath forget a connection, given by its tuple; no error if there is no such connection."""
    _ofctl(location, *_READ, "ct-flush", location.management(bridge), f"zone={zone}", connection)


def flush_zone(location: Location, bridge: str, zone: int) -> None:
    """Make the bridge's datapath forget all connections of a conntrack zone."""
    _ofctl(location, *_READ, "ct-flush-zone", location.management(bridge), str(zone))


def bundle(location: Location, bridge: str, lines: list[str], lock: int) -> None:
    """Carry out ``flow add|modify|delete ...`` and ``group ...`` lines as one atomic transaction.

    ``lock`` is the descriptor from `ovsnp.switch.lock.exclusive`. ``ovs-ofctl`` gets a complete file as input: from a
    pipe, it would carry out the lines that it got before ovsnp was killed. The file is in memory, as the disk of a node
    may be full. Raises SwitchError, with the refused flow if Open vSwitch names it; then nothing is changed.
    """
    with os.fdopen(os.memfd_create("flows"), "w+", encoding="utf-8") as file:
        file.writelines(f"{line}\n" for line in lines)
        file.flush()
        _ofctl(location, *_BUNDLE, "bundle", location.management(bridge), "-", lines=lines, file=file, lock=lock)


def _ofctl(
    location: Location, *arguments: str, lines: Sequence[str] = (), file: IO[str] | None = None, lock: int | None = None
) -> str:
    command = ["ovs-ofctl", f"--timeout={_TIMEOUT}", *arguments]
    for _ in range(_ATTEMPTS):
        done = _run(command, file, lock)
        if not (done.returncode and _DROPPED.search(done.stderr)):
            break
    if done.returncode == -signal.SIGALRM:
        raise SwitchError(
            f"ovs-vswitchd does not answer in {location.rundir} within {_TIMEOUT} seconds, as happens where"
            " ovsdb-server has ended; it may still carry out the change: when it answers, run ovsnp apply again"
        )
    if done.returncode:
        raise SwitchError(_explain(done.stderr, lines, location))
    if _WIDENED in done.stderr:
        raise DeclarationError(f"Open vSwitch widened a match: {done.stderr.strip()}")
    return done.stdout


def _run(command: list[str], file: IO[str] | None, lock: int | None) -> subprocess.CompletedProcess[str]:
    if file:
        file.seek(0)
    try:
        return subprocess.run(
            command,
            stdin=file or subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            pass_fds=() if lock is None else (lock,),
        )
    except FileNotFoundError:
        raise SwitchError("ovs-ofctl is not installed; install Open vSwitch (Debian: openvswitch-switch)") from None


def _explain(stderr: str, lines: Sequence[str], location: Location) -> str:
    said = stderr.strip() or "ovs-ofctl failed without a word"
    if "No such file" in said or "Connection refused" in said:
        return f"Open vSwitch cannot be reached in {location.rundir}: {said}; is it running, and is --db right?"
    misread = re.search(r"^-:(\d+): (.*)", said, re.MULTILINE)
    if misread and 0 < int(misread[1]) <= len(lines):
        return f"Open vSwitch refused a flow, and nothing was changed: {misread[2]}: {lines[int(misread[1]) - 1]}"
    refused = re.search(r"^Error (\w+) for: OFPT_\w+_MOD [^:]*: ?(.*)", said, re.MULTILINE)
    if refused:
        return f"Open vSwitch refused a flow, and nothing was changed: {refused[1]}: {refused[2]}"
    return f"Open vSwitch refused{', and nothing was changed' if lines else ''}: {said}"
