"""OpenFlow, by way of ``ovs-ofctl`` (ovs-ofctl(8))."""

import re
import subprocess

from ovsnp.errors import DeclarationError, SwitchError
from ovsnp.switch.location import Location

_BUNDLE = ("-O", "OpenFlow15")
_READ = ("-O", ",".join(f"OpenFlow1{minor}" for minor in range(6)))
_TIMEOUT = 60
_WIDENED = "normalization changed ofp_match"


def dump_flows(location: Location, bridge: str) -> list[str]:
    """Every flow of the bridge, one a line, without counters, with ports and tables as numbers.

    Raises SwitchError where the bridge cannot be reached.
    """
    text = _ofctl(location, *_READ, "--no-names", "--no-stats", "dump-flows", location.management(bridge))
    return [line.strip() for line in text.splitlines() if "actions=" in line]


def bundle(location: Location, bridge: str, lines: list[str]) -> None:
    """Carry out ``flow add|modify|delete ...`` lines as one atomic transaction.

    Raises SwitchError, with the line that was refused where Open vSwitch says which, and then nothing changed.
    """
    _ofctl(location, *_BUNDLE, "bundle", location.management(bridge), "-", lines=lines)


def _ofctl(location: Location, *arguments: str, lines: list[str] | None = None) -> str:
    command = ["ovs-ofctl", f"--timeout={_TIMEOUT}", *arguments]
    try:
        done = subprocess.run(
            command,
            input="\n".join((*lines, "")) if lines is not None else None,
            capture_output=True,
            text=True,
            check=False,
        )
    except FileNotFoundError:
        raise SwitchError("ovs-ofctl is not installed; install Open vSwitch (Debian: openvswitch-switch)") from None
    if done.returncode:
        raise SwitchError(_explain(done.stderr, lines or [], location))
    if _WIDENED in done.stderr:
        raise DeclarationError(f"Open vSwitch widened a match: {done.stderr.strip()}")
    return done.stdout


def _explain(stderr: str, lines: list[str], location: Location) -> str:
    said = stderr.strip() or "ovs-ofctl failed without a word"
    if "No such file" in said or "Connection refused" in said:
        return f"Open vSwitch cannot be reached in {location.rundir}: {said}; is it running, and is --db right?"
    refused = re.search(r"^-:(\d+): (.*)", said, re.MULTILINE)
    if refused and 0 < int(refused[1]) <= len(lines):
        return f"Open vSwitch refused a flow, and nothing was changed: {refused[2]}: {lines[int(refused[1]) - 1]}"
    return f"Open vSwitch refused, and nothing was changed: {said}"
