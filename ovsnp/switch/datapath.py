"""The datapath under a bridge: in the kernel, or in ovs-vswitchd itself."""

import re
from collections.abc import Callable
from typing import NamedTuple

from ovsnp.errors import SwitchError
from ovsnp.switch.control import Control, control
from ovsnp.switch.location import Location
from ovsnp.switch.ovsdb import Database

_VERSION = re.compile(r"\) (\d+)\.(\d+)\.(\d+)")
_ICMPV6_MENDED = {(3, 1): 5, (3, 2): 3, (3, 3): 1}
_ICMPV6_SOUND = (3, 4)
_SEVERAL = "multiple udpifs"


class Datapath(NamedTuple):
    """The type of a datapath (``system`` is the kernel's), and the version of Open vSwitch."""

    type: str
    version: tuple[int, int, int]

    @property
    def name(self) -> str:
        """The name of the datapath for ``ovs-appctl dpctl/...``."""
        return f"{self.type}@ovs-{self.type}"

    @property
    def ends_at_icmpv6(self) -> bool:
        """True if ovs-vswitchd ends itself when it flushes an ICMPv6 connection by its tuple.

        Userspace datapaths did so until 3.1.4, 3.2.2 and 3.3.0: they look for the type of the answer among the types of
        ICMPv4.
        """
        *release, patch = self.version
        mended = _ICMPV6_MENDED.get((release[0], release[1]))
        return self.type != "system" and self.version[:2] < _ICMPV6_SOUND and (mended is None or patch < mended)


def datapath(location: Location, database: Database, bridge: str) -> Datapath:
    """The datapath of a bridge; raises SwitchError if there is no such bridge, or ovs-vswitchd does not answer."""
    with control(location) as there:
        found = _VERSION.search(there.command("version"))
    major, minor, patch = map(int, found.groups()) if found else (0, 0, 0)
    return Datapath(database.bridge(bridge).datapath_type or "system", (major, minor, patch))


def await_flows(location: Location, below: Datapath, touch: Callable[[], None], *, waiting: bool) -> None:
    """Wait until the datapath has no megaflow that comes from flows which are no longer on the bridge.

    The revalidators of Open vSwitch check all megaflows when flows have changed, and every half second. This waits for
    two passes: the first one may have begun before the change. ``touch`` changes flows again, to the same flows, so
    that the next pass begins at once. ``waiting`` is the answer of `waits_for_flows`. Raises SwitchError if
    ovs-vswitchd does not answer.
    """
    with control(location) as there:
        if waiting:
            # No revalidator runs, and the kernel's datapath still has the megaflows of the last ovs-vswitchd.
            there.command("dpctl/del-flows", below.name)
            return
        if not _two_passes(there, touch):
            there.command("revalidator/purge")  # Open vSwitch makes right megaflows anew


def await_revalidators(location: Location) -> None:
    """Wait until the datapath has no megaflow of flows that left the bridge before this call: a second at most.

    With datapaths of several types Open vSwitch tells nobody about the passes of its revalidators; then this does not
    wait. Raises SwitchError if ovs-vswitchd does not answer.
    """
    with control(location) as there:
        _two_passes(there, lambda: None)


def _two_passes(there: Control, touch: Callable[[], None]) -> bool:
    """Wait for the ends of two passes, and ``touch`` in each; returns False if Open vSwitch does not tell the ends."""
    for _ in range(2):
        there.ask("revalidator/wait")
        touch()
        try:
            there.answer("revalidator/wait")
        except SwitchError as error:
            if _SEVERAL not in str(error):
                raise
            return False
    return True


def waits_for_flows(database: Database) -> bool:
    """True if Open vSwitch was restarted, and the kernel still forwards by its megaflows until the flows are there."""
    (root,) = database.rows("Open_vSwitch")
    return bool(root.other_config.get("flow-restore-wait") == "true")
