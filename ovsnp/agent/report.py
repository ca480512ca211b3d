"""What an agent says about itself: a snapshot that other threads may read."""

from collections.abc import Mapping

import msgspec

from ovsnp import __version__


class Unrealised(msgspec.Struct, frozen=True, order=True):
    """A policy that the bridge does not enforce as it is written, and the reason in one sentence."""

    namespace: str
    name: str
    reason: str


class AgentReport(msgspec.Struct, frozen=True):
    """The state of an agent at one moment.

    ``started`` is the time of the start in seconds since 1970. ``observed`` has the resource version of each kind up to
    which Open vSwitch has confirmed the flows; empty before the first transaction. The troubles are sentences, None if
    there is none: ``api_server`` by kind, ``switch`` of ovs-vswitchd and the bridge, ``database`` of ovsdb-server,
    ``input`` of the cluster itself. ``notes`` say which parts of objects are left out, and why. ``tables`` are the
    numbers of flows by table, ``groups`` is the number of groups, ``pods`` are the pods of this node, ``without_port``
    those of them that have no port on the bridge.
    """

    node: str
    bridge: str
    started: float
    version: str = __version__
    observed: Mapping[str, str] = {}
    unrealised: tuple[Unrealised, ...] = ()
    api_server: Mapping[str, str] = {}
    switch: str | None = "the bridge has not been read yet"
    database: str | None = None
    input: str | None = None
    notes: tuple[str, ...] = ()
    tables: Mapping[str, int] = {}
    groups: int = 0
    pods: tuple[str, ...] = ()
    without_port: tuple[str, ...] = ()

    @property
    def flows(self) -> int:
        """The number of flows."""
        return sum(self.tables.values())

    @property
    def is_ready(self) -> bool:
        """True if the flows are in the switch, and nothing keeps them from being current."""
        return bool(self.observed) and not (self.switch or self.input)
