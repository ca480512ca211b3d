"""The place of a running Open vSwitch: the directory of its sockets, and its database."""

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
        """True if there is a database to ask: for ``unix:`` if the socket file exists, for other remotes always."""
        kind, _, path = self.database.partition(":")
        return kind != "unix" or Path(path).exists()

    def management(self, bridge: str) -> str:
        """The name of the bridge for ``ovs-ofctl``."""
        return f"unix:{self.rundir}/{bridge}.mgmt"

    def file(self, bridge: str, kind: str) -> str:
        """The path of a file that ovsnp keeps about a bridge, beside the sockets of Open vSwitch."""
        return f"{self.rundir}/ovsnp-{bridge.replace('/', '_')}.{kind}"


def locate(database: str | None) -> Location:
    """Find Open vSwitch as its own tools do, by OVS_RUNDIR, unless a database is named.

    ``database`` is a remote, or the path of a socket. The sockets of the bridges are in OVS_RUNDIR; if it is not set,
    they are beside a named ``unix:`` socket.
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
