"""What an agent says about itself: a snapshot that other threads may read."""

from collections.abc import Mapping

import msgspec

NOT_READ = "the bridge has not been read yet"


class Unrealised(msgspec.Struct, frozen=True, order=True):
    """A policy that the bridge does not enforce as it is written, and the reason in one sentence.

    ``generation`` and ``uid`` are those of the object; 0 and empty if they cannot be read either.
    """

    namespace: str
    name: str
    reason: str
    generation: int
    uid: str


class OddPort(msgspec.Struct, frozen=True, order=True):
    """A pod of this node (``NAMESPACE/NAME``) whose interface on the bridge is not in order; ``message`` says why."""

    pod: str
    uid: str
    message: str


class AgentReport(msgspec.Struct, frozen=True):
    """The state of an agent at one moment.

    ``started`` is the time of the start in seconds since 1970. ``observed`` has the resource version of each kind up to
    which Open vSwitch has confirmed the flows; empty before the first transaction. The troubles are sentences, None if
    there is none: ``api_server`` by kind, ``switch`` of ovs-vswitchd and the bridge, ``database`` of ovsdb-server,
    ``input`` of the cluster itself. ``notes`` say which parts of objects are left out, and why. ``flows`` and
    ``groups`` are numbers, ``pods`` the pods of this node, ``without_port`` those of them that have no port on the
    bridge, and ``odd_ports`` those whose port is not in order. ``publishing`` is the trouble with the objects in which
    the agent tells the cluster about itself.
    """

    node: str
    bridge: str
    started: float
    version: str
    observed: Mapping[str, str] = {}
    unrealised: tuple[Unrealised, ...] = ()
    api_server: Mapping[str, str] = {}
    switch: str | None = NOT_READ
    database: str | None = None
    input: str | None = None
    notes: tuple[str, ...] = ()
    flows: int = 0
    groups: int = 0
    pods: tuple[str, ...] = ()
    without_port: tuple[str, ...] = ()
    odd_ports: tuple[OddPort, ...] = ()
    publishing: str | None = None

    @property
    def obstacle(self) -> str | None:
        """What keeps the flows in the switch from being those of the cluster, in a sentence; None if nothing does."""
        if trouble := self.switch or self.input:
            return trouble
        return None if self.observed else "the objects of the cluster have not been read yet"
