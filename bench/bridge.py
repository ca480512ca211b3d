"""The bridge of node-0 on a separate Open vSwitch: real daemons, the userspace datapath, dummy ports."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ovsnp.lab.daemons import environment
from tests.support.instance import DummySwitch

BRIDGE = "br-int"


class NodeBridge:
    """The bridge, with a port for each local pod."""

    def __init__(self, switch: DummySwitch, numbers: dict[str, int]) -> None:
        self.switch = switch
        switch.add_bridge(BRIDGE, {port_name(number): number for number in numbers.values()})
        command = ["ovs-vsctl", "--timeout=20"]
        for key, number in numbers.items():
            command += ["--", "set", "Interface", port_name(number), f"external_ids:iface-id={key}"]
        switch.run(command)

    @property
    def environment(self) -> dict[str, str]:
        """The environment in which every tool uses this Open vSwitch."""
        return environment(self.switch.directory)

    def empty(self) -> None:
        """Delete all flows and groups."""
        for command in ("del-flows", "del-groups"):
            self.switch.run(["ovs-ofctl", "-O", "OpenFlow15", command, BRIDGE])

    def strip(self) -> None:
        """Delete all flows and groups, and the ports that ovsnp made."""
        self.empty()
        ports = [["--", "--if-exists", "del-port", BRIDGE, port] for port in ("ovsnp-tun0", "ovsnp-gw0")]
        self.switch.run(["ovs-vsctl", "--timeout=20", *(word for command in ports for word in command)])

    def flows(self) -> int:
        """The number of flows on the bridge."""
        dump = self.switch.run(["ovs-ofctl", "-O", "OpenFlow15", "--no-stats", "dump-flows", BRIDGE])
        return dump.count("actions=")


def port_name(number: int) -> str:
    """The name of a pod's port."""
    return f"pod{number}"


@contextmanager
def node_bridge(numbers: dict[str, int]) -> Iterator[NodeBridge]:
    """The bridge on a new Open vSwitch, which ends with the ``with`` statement."""
    with tempfile.TemporaryDirectory(prefix="ovsnp-bench-") as directory:
        switch = DummySwitch(Path(directory) / "ovs")
        try:
            yield NodeBridge(switch, numbers)
        finally:
            switch.stop()
