"""Conversations of pods whose addresses get another holder."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from ovsnp.model.ports import Protocol
from ovsnp.pipeline.priorities import CLOSED
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
    """What a client began, and how its first packet came out at the server."""

    client: str
    server: str
    began: Packet
    arrived: Packet

    @property
    def tcp(self) -> bool:
        return self.began.protocol is Protocol.TCP

    @property
    def service(self) -> bool:
        """Whether it goes by the cluster IP."""
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
        """Another pod of this name gets the pod's addresses with the next apply."""
        before = (self.scene.manifests / "cluster.yaml").read_text()
        head, name, rest = before.partition(f"metadata: {{name: {pod}, ")
        rest = rest[rest.index("labels:") :]
        self.scene.write("cluster", f'{head}{name}uid: "{uid}", {rest}')

    def forbid(self) -> None:
        """No pod may connect to another from the next apply on."""
        self.scene.write("policy", NOBODY)

    def allow(self) -> None:
        """All pods may connect to each other, as at first, from the next apply on."""
        self.scene.write("policy", "")

    def apply(self, nodes: Iterable[int] = (0, 1)) -> list[Answer]:
        """Apply on some nodes."""
        return [self.scene.nodes[node].apply(self.scene.manifests, *self.options) for node in nodes]

    def converse(self, client: str, server: str, version: int) -> Iterator[Conversation]:
        """Open a connection of each protocol, directly and by the Service; each is answered."""
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
        """Whether the client's next packet reaches the server."""
        return self._reaches(it.client, it.began._replace(flags=Flag.ACK if it.tcp else Flag.NONE), it.server)

    def client_begins(self, it: Conversation) -> bool:
        """Whether a new handshake on the old ports reaches the server."""
        return self._reaches(it.client, it.began, it.server)

    def server_speaks(self, it: Conversation) -> bool:
        """Whether the server's next packet reaches the client."""
        return self._reaches(it.server, it.arrived.answer(Flag.ACK if it.tcp else Flag.NONE), it.client)

    def _reaches(self, sender: str, packet: Packet, receiver: str) -> bool:
        return receiver in [arrival.at for arrival in self.scene.send(sender, packet)]

    def goes_on(self, it: Conversation) -> bool:
        """Whether both sides are heard."""
        return self.client_speaks(it) and self.server_speaks(it)

    def record(self, node: int) -> Path:
        """The file in which a node's holders are kept."""
        return Path(self.scene.nodes[node].switch.location.file(BRIDGE, "holders"))

    def whole(self, node: int) -> bool:
        """Whether another apply has nothing to do, and no address is closed."""
        (answer,) = self.apply([node])
        return answer.out == EMPTY and self.closed(node) == 0

    def closed(self, node: int) -> int:
        """How many flows close addresses."""
        flows = self.scene.nodes[node].switch.run(["ovs-ofctl", "-OOpenFlow15", "dump-flows", BRIDGE])
        return flows.count(f"priority={CLOSED},")
