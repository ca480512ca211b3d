"""The shipped lab as a pod network to send through: with ovsnp, or with a learning switch."""

import re
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from bench import traffic
from bench.process import processor_time
from ovsnp.lab import standing
from ovsnp.lab.datapath import DatapathType
from ovsnp.lab.demo import policies
from ovsnp.lab.journal import Settings
from ovsnp.lab.runtime import NETNS
from ovsnp.lab.standing import BRIDGE, Lab
from ovsnp.model.options import Encap

TOPOLOGY = Path(__file__).parent.parent / "containerlab" / "ovsnp.clab.yml"
PORT = 6379
SERVER, NEAR, FAR = "default-db-2", "default-frontend-2", "default-frontend-1"
"""Containers: the server, a client on its node and one on the other node; the first policy admits both."""
_NODES = {"node-1": "192.168.50.2", "node-2": "192.168.50.1"}
"""Each node, with the tunnel address of the other node."""
SWITCHED = {FAR: "172.31.0.1", NEAR: "172.31.0.2", SERVER: "172.31.0.3"}
"""Addresses of one subnet, as a learning switch needs them."""


class PodNetwork:
    """A lab with a server in one pod."""

    def __init__(self, lab: Lab) -> None:
        self._lab = lab

    def rate(self, client: str, kind: str, address: str, port: int, *more: object) -> float:
        """The result of the traffic of one client (`bench.traffic`); raises CalledProcessError if it fails."""
        command = [*self._agent(client), kind, address, str(port), *map(str, more)]
        return float(subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout)

    def upcalls(self) -> int:
        """The number of packets for which the datapaths of both nodes had no megaflow, so far."""
        said = [self.run(node, "ovs-appctl", "dpctl/show") for node in _NODES]
        return sum(int(found) for text in said for found in re.findall(r"missed:(\d+)", text))

    def processor_time(self) -> float:
        """The processor time of Open vSwitch on both nodes so far, in seconds."""
        files = [self._lab.directory.ovs_directory(node) / "ovs-vswitchd.pid" for node in _NODES]
        return sum(processor_time(int(file.read_text(encoding="utf-8"))) for file in files)

    def run(self, container: str, *command: str) -> str:
        """Run a command in a container of the lab."""
        return self._lab.runtime.run(container, command)

    @contextmanager
    def serving(self) -> Iterator[None]:
        """Let the server answer until the context ends."""
        command = [*self._agent(SERVER), "serve", str(PORT)]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as server:
            if server.stdout:
                server.stdout.readline()
            yield

    def _agent(self, container: str) -> Sequence[str]:
        runtime = self._lab.runtime
        return runtime.command(container, [runtime.python(container), "-I", "-S", traffic.__file__])

    def become_a_switch(self) -> None:
        """Delete the flows and tunnel of ovsnp: both bridges learn addresses, and a new tunnel connects them."""
        for node, other in _NODES.items():
            tunnel = ["add-port", BRIDGE, "tun0", "--", "set", "Interface", "tun0", "type=geneve"]
            self.run(node, "ovs-ofctl", "-OOpenFlow15", "del-flows", BRIDGE)
            self.run(node, "ovs-ofctl", "-OOpenFlow15", "del-groups", BRIDGE)
            self.run(
                node,
                "ovs-vsctl",
                "--timeout=20",
                "del-port",
                BRIDGE,
                "ovsnp-tun0",
                "--",
                *tunnel,
                f"options:remote_ip={other}",
            )
            self.run(node, "ovs-ofctl", "-OOpenFlow15", "add-flow", BRIDGE, "actions=NORMAL")
        for container, address in SWITCHED.items():
            self.run(container, "ip", "addr", "add", f"{address}/24", "dev", "eth1")


@contextmanager
def pod_network(
    name: str, datapath: DatapathType, *, masquerade: bool = False, switch: bool = False
) -> Iterator[PodNetwork]:
    """A lab with its first policy, until the context ends."""
    settings = Settings(name, NETNS, str(TOPOLOGY), Encap.GENEVE, masquerade=masquerade, datapath=datapath)
    with ExitStack() as stack:
        lab = stack.enter_context(standing.temporary(settings, lambda _: None))
        network = PodNetwork(lab)
        if switch:
            network.become_a_switch()
        else:
            lab.apply([str(policies(lab.topology)[0])])
        stack.enter_context(network.serving())
        yield network
