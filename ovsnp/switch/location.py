"""Where a running Open vSwitch is found."""

import os
from pathlib import Path

import msgspec

_DEFAULT_RUNDIR = "/var/run/openvswitch"


class Location(msgspec.Struct, frozen=True):
    """One Open vSwitch: the database's remote (``unix:PATH``, ``tcp:HOST:PORT``), and the directory of its sockets."""

    database: str
    rundir: str

    @property
    def there(self) -> bool:
        """Whether there is a database to ask (a socket file for ``unix:``; others are taken to be there)."""
        kind, _, path = self.database.partition(":")
        return kind != "unix" or Path(path).exists()

    def management(self, bridge: str) -> str:
        """What ``ovs-ofctl`` takes as the bridge's name."""
        return f"unix:{self.rundir}/{bridge}.mgmt"

    def file(self, bridge: str, kind: str) -> str:
        """The path of a file that ovsnp keeps about a bridge, beside Open vSwitch's own sockets."""
        return f"{self.rundir}/ovsnp-{bridge.replace('/', '_')}.{kind}"


def locate(database: str | None) -> Location:
    """Find Open vSwitch as its own tools do, by OVS_RUNDIR, unless a database is named.

    ``database`` is a remote, or the path of a socket. Beside a named ``unix:`` socket the bridges' own sockets
    are looked for first.
    """
    rundir = os.environ.get("OVS_RUNDIR", _DEFAULT_RUNDIR)
    if not database:
        return Location(f"unix:{rundir}/db.sock", rundir)
    if ":" not in database:
        database = f"unix:{database}"
    kind, _, path = database.partition(":")
    if kind == "unix" and "OVS_RUNDIR" not in os.environ:
        rundir = str(Path(path).parent)
    return Location(database, rundir)
