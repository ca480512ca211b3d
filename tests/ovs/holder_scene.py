"""Conversations of pods with addresses that get a new holder."""

import os
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from ovsnp.model.ports import Protocol
from ovsnp.pipeline.priorities import CLOSED
from tests.ovs import moments
from tests.ovs.fault_scene import EMPTY
from tests.ovs.frames import Flag, Packet
from tests.ovs.service_scene import BACKENDS, CLUSTER_IP, PODS, ServiceScene, address_of, first
from tests.ovs.wired import BRIDGE
from tests.support.applying import Answer

NOBODY = """
kind: NetworkPolicy
apiVersion: networking.k8s.io/v1
metadata: {name: nobody}
spec: {policyTypes: [Ingress, Egress]}
"""
"""No pod may connect to another."""

_SERVED = {Protocol.TCP: (80, 8080), Protocol.UDP: (53, 5353)}


class Conversation(NamedTuple):
    """The first packet of a client, and that packet as it arrived at the server."""

    client: str
    server: str
    began: Packet
    arrived: Packet

    @property
    def tcp(self) -> bool:
        return self.began.protocol is Protocol.TCP

    @property
    def service(self) -> bool:
        """True if the connection goes through the cluster IP."""
        return self.began.destination.address in CLUSTER_IP.values()


class HolderScene:
    """Pods that may all connect to each other, until `forbid`; the Service has all three endpoints."""

    def __init__(self, scene: ServiceScene, *options: str, affinity: int | None = None) -> None:
        self.scene, self.options = scene, options
        self._port = 20000
        for pod in PODS:
            self.give(pod, f"{pod}'s first")
        scene.serve(BACKENDS, affinity)
        scene.apply(*options)

    def give(self, pod: str, uid: str) -> None:
        """With the next apply, another pod with the name of this pod gets its addresses."""
        before = (self.scene.manifests / "cluster.yaml").read_text()
        head, name, rest = before.partition(f"metadata: {{name: {pod}, ")
        rest = rest[rest.index("labels:") :]
        self.scene.write("cluster", f'{head}{name}uid: "{uid}", {rest}')

    def forbid(self) -> None:
        """From the next apply on, no pod may connect to another."""
        self.scene.write("policy", NOBODY)

    def allow(self) -> None:
        """From the next apply on, all pods may connect to each other again."""
        self.scene.write("policy", "")

    def apply(self, nodes: Iterable[int] = (0, 1)) -> list[Answer]:
        """Apply on some nodes."""
        return [self.scene.nodes[node].apply(self.scene.manifests, *self.options) for node in nodes]

    def killed_at(self, moment: str, file: Path) -> int:
        """Apply on the client's node up to a moment of the run; returns the exit status of the process."""
        where = ["--db", self.scene.nodes[0].switch.location.database, "--bridge", BRIDGE, "--node", "node-1"]
        command = [sys.executable, moments.__file__, file, moment, "apply", *where, "-f", self.scene.manifests]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
        return subprocess.run(list(map(str, command)), env=environment, capture_output=True, check=False).returncode

    def revalidated(self, node: int) -> None:
        """Wait until the datapath of a node has no flows that come from earlier flows of the bridge."""
        for _ in range(2):  # a pass may have begun before the last change
            self.scene.nodes[node].switch.appctl("revalidator/wait")

    def converse(self, client: str, server: str, version: int) -> Iterator[Conversation]:
        """Open a connection of each protocol, directly and through the Service; each is answered."""
        for protocol in (Protocol.TCP, Protocol.UDP):
            yield self._open(client, server, version, protocol, service=False)
            if server in BACKENDS:
                yield self._open(client, server, version, protocol, service=True)

    def _open(self, client: str, server: str, version: int, protocol: Protocol, *, service: bool) -> Conversation:
        front, back = _SERVED[protocol]
        ends = (CLUSTER_IP[version], front) if service else (address_of(server, version), back)
        while True:
            self._port += 1
            began = first(address_of(client, version), self._port, *ends, protocol)
            (there,) = self.scene.send(client, began)
            tcp = protocol is Protocol.TCP
            (answer,) = self.scene.send(there.at, there.packet.answer(Flag.SYN | Flag.ACK if tcp else Flag.NONE))
            assert answer.at == client
            found = Conversation(client, there.at, began, there.packet)
            assert self.client_speaks(found)
            if there.at == server:
                return found

    def client_speaks(self, it: Conversation) -> bool:
        """True if the client's next packet reaches the server."""
        return self._reaches(it.client, it.began._replace(flags=Flag.ACK if it.tcp else Flag.NONE), it.server)

    def client_begins(self, it: Conversation) -> bool:
        """True if a new handshake on the old ports reaches the server."""
        return self._reaches(it.client, it.began, it.server)

    def server_speaks(self, it: Conversation) -> bool:
        """True if the server's next packet reaches the client."""
        return self._reaches(it.server, it.arrived.answer(Flag.ACK if it.tcp else Flag.NONE), it.client)

    def _reaches(self, sender: str, packet: Packet, receiver: str) -> bool:
        return receiver in [arrival.at for arrival in self.scene.send(sender, packet)]

    def goes_on(self, it: Conversation) -> bool:
        """True if the packets of both sides arrive."""
        return self.client_speaks(it) and self.server_speaks(it)

    def record(self, node: int) -> Path:
        """The file with the recorded holders of a node."""
        return Path(self.scene.nodes[node].switch.location.file(BRIDGE, "holders"))

    def whole(self, node: int) -> bool:
        """True if another apply has nothing to do, and no address is closed."""
        (answer,) = self.apply([node])
        return answer.out == EMPTY and self.closed(node) == 0

    def closed(self, node: int) -> int:
        """The number of flows that close addresses."""
        flows = self.scene.nodes[node].switch.run(["ovs-ofctl", "-OOpenFlow15", "dump-flows", BRIDGE])
        return flows.count(f"priority={CLOSED},")
