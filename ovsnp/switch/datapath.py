"""The datapath under a bridge: the kernel's, or one in ovs-vswitchd itself."""

import re
from collections.abc import Callable
from typing import NamedTuple

from ovsnp.errors import SwitchError
from ovsnp.switch.control import control
from ovsnp.switch.location import Location
from ovsnp.switch.ovsdb import Database

_VERSION = re.compile(r"\) (\d+)\.(\d+)\.(\d+)")
_ICMPV6_MENDED = {(3, 1): 5, (3, 2): 3, (3, 3): 1}
_ICMPV6_SOUND = (3, 4)
_SEVERAL = "multiple udpifs"


class Datapath(NamedTuple):
    """Its type (``system`` is the kernel's), and the version of Open vSwitch."""

    type: str
    version: tuple[int, int, int]

    @property
    def name(self) -> str:
        """What ``ovs-appctl dpctl/...`` calls it."""
        return f"{self.type}@ovs-{self.type}"

    @property
    def ends_at_icmpv6(self) -> bool:
        """Whether ovs-vswitchd ends itself when it is to flush a connection of ICMPv6 by its tuple.

        Userspace datapaths did until 3.1.4, 3.2.2 and 3.3.0: they look for the answer's type among those of ICMPv4.
        """
        *release, patch = self.version
        mended = _ICMPV6_MENDED.get((release[0], release[1]))
        return self.type != "system" and self.version[:2] < _ICMPV6_SOUND and (mended is None or patch < mended)


def datapath(location: Location, database: Database, bridge: str) -> Datapath:
    """The datapath of a bridge; raises SwitchError where there is no such bridge, or ovs-vswitchd cannot be asked."""
    with control(location) as there:
        found = _VERSION.search(there.command("version"))
    major, minor, patch = map(int, found.groups()) if found else (0, 0, 0)
    return Datapath(database.bridge(bridge).datapath_type or "system", (major, minor, patch))


def await_flows(location: Location, database: Database, below: Datapath, touch: Callable[[], None]) -> None:
    """Wait until the datapath has no megaflow that was made of flows which are no longer on the bridge.

    Open vSwitch's revalidators go over all megaflows when flows have changed, and every half second. Two passes are
    awaited: the first one may have begun before the change. ``touch`` changes flows again, to the same, so that the
    next pass begins at once. Raises SwitchError where ovs-vswitchd cannot be asked.
    """
    with control(location) as there:
        if _waits_for_flows(database):
            # No revalidator runs, and the kernel's datapath has the megaflows of the ovs-vswitchd before.
            there.command("dpctl/del-flows", below.name)
            return
        for _ in range(2):
            there.ask("revalidator/wait")
            touch()
            try:
                there.answer("revalidator/wait")
            except SwitchError as error:
                if _SEVERAL not in str(error):
                    raise
                # With several datapaths Open vSwitch offers this only; what is still right is made again.
                there.command("revalidator/purge")
                return


def _waits_for_flows(database: Database) -> bool:
    (root,) = database.rows("Open_vSwitch")
    return bool(root.other_config.get("flow-restore-wait") == "true")
