"""Two nodes with a Service and a policy, as they must be before a fault and after `ovsnp apply`."""

from ipaddress import ip_address

from ovsnp.model.options import Encap
from tests.ovs.frames import Flag, Packet
from tests.ovs.service_scene import BACKENDS, PODS, ServiceScene, address_of, first, policy
from tests.ovs.wired import BRIDGE, WiredNode, carried
from tests.support.applying import Answer

EMPTY = f"{BRIDGE}: flows: nothing to change\n"
FROM_CLIENT = policy("ingress", "web", "{podSelector: {matchLabels: {app: client}}}", "{port: 8080}")
OPEN = 4000
"""The client's port of the connections that are open at the time of the fault."""


class Ground:
    """A Service with three endpoints on two nodes, which the client may reach and the stranger may not."""

    def __init__(self, scene: ServiceScene, encap: Encap) -> None:
        self.scene, self.encap = scene, encap
        self.options = ["--encap", encap]
        self._port = 40000
        scene.serve(BACKENDS)
        scene.write("policy", FROM_CLIENT)
        self.apply()
        self.before = list(map(state, scene.nodes))

    def apply(self) -> list[Answer]:
        """Apply on both nodes."""
        return self.scene.apply(*self.options)

    def is_whole(self) -> bool:
        """True if both bridges are as before the fault, another apply does nothing, and the matrix is right."""
        assert list(map(state, self.scene.nodes)) == self.before
        return self.is_right()

    def is_right(self) -> bool:
        """True if another apply does nothing, and every conversation is as the policy says."""
        assert [answer.out for answer in self.apply()] == [EMPTY, EMPTY]
        for version in (4, 6):
            ports = range(self._port, self._port + 12)
            assert {self._conversation(port, version) for port in ports} == set(BACKENDS)
            self._port += len(ports)
        return True

    def _conversation(self, port: int, version: int) -> str:
        """Connect through the Service and directly, from an admitted and a refused pod; returns the endpoint."""
        there = self.scene.converse("client", port, version)
        if there.at == "web-2":
            source = int(ip_address(address_of("client", version)))
            expected = source if self.encap is Encap.GENEVE else PODS["client"][1]
            assert [carried(outer, self.encap) for outer in self.scene.tunneled] == [expected]
        assert self.scene.ask("stranger", port, version) == []
        for sender, admitted in (("client", [there.at]), ("stranger", [])):
            asked = first(address_of(sender, version), port, address_of(there.at, version), 8080)
            assert [arrival.at for arrival in self.scene.send(sender, asked)] == admitted
        return there.at

    def open(self, server: str) -> None:
        """Let the client open a connection to a server, without the Service."""
        (there,) = self.scene.send("client", to(server, Flag.SYN))
        (back,) = self.scene.send(server, there.packet.answer(Flag.SYN | Flag.ACK))
        assert (there.at, back.at) == (server, "client")
        assert self.client_speaks(server)

    def client_speaks(self, server: str) -> bool:
        """True if a packet of the open connection reaches the server."""
        arrived = self.scene.send("client", to(server, Flag.ACK))
        return [(one.at, one.packet.source.address) for one in arrived] == [(server, address_of("client", 4))]

    def server_speaks(self, server: str) -> bool:
        """True if a packet of the open connection reaches the client."""
        arrived = self.scene.send(server, to(server, Flag.ACK).answer(Flag.ACK))
        return [(one.at, one.packet.source.address) for one in arrived] == [("client", address_of(server, 4))]


def to(server: str, flags: Flag) -> Packet:
    """A packet of the client's connection to a server."""
    return first(address_of("client", 4), OPEN, address_of(server, 4), 8080)._replace(flags=flags)


def state(node: WiredNode) -> tuple[list[str], ...]:
    """Everything that apply puts on a bridge: flows, groups, the map of options, the handling of fragments."""
    asked = (["dump-flows", "--no-stats"], ["dump-groups"], ["dump-tlv-map"], ["get-frags"])
    answers = [
        node.switch.run(["ovs-ofctl", "-O", "OpenFlow15", "--no-names", *words[:1], BRIDGE, *words[1:]])
        for words in asked
    ]
    return tuple(sorted(line for line in answer.splitlines() if "xid=" not in line) for answer in answers)


def refused(node: WiredNode, scene: ServiceScene, *more: str) -> str:
    """Apply on a node, which must fail with one message; returns the message."""
    answer = node.run("apply", scene.manifests, *more)
    assert (answer.code, answer.out) == (4, ""), answer
    assert answer.err.startswith("ovsnp: ")
    assert len(answer.err.splitlines()) == 1
    return answer.err
