"""Real connections through cluster IPs: both encapsulations, the source kept or masqueraded, both families.

``default/db`` has a database on each node; ``default/db-2-only`` has only the database on node-2, so that clients on
node-1 always cross the tunnel, and other ports than the pod; ``default/nobody`` has no endpoints.
"""

import itertools
import select
import socket
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import msgspec
import pytest

from ovsnp.cli.commands.mtu import pod_mtu
from ovsnp.lab.demo import policies
from ovsnp.lab.persistence import persist
from ovsnp.lab.probes import Agents, Probe, Result
from ovsnp.model.options import Encap
from tests.lab.ground import SOCKET_FAMILY, Ground
from tests.support.lab_datapath import PACE, patient

pytestmark = pytest.mark.lab
both_families = pytest.mark.parametrize("version", [4, 6])

TARGETS = {
    "db": ("default/db", "tcp", 6379),
    "db-2-only": ("default/db-2-only", "tcp", 16379),
    "db-2-only by UDP": ("default/db-2-only", "udp", 10053),
    "nobody": ("default/nobody", "tcp", 6379),
    "unknown": ("", "tcp", 6379),
}
UNKNOWN = {4: "10.96.0.99", 6: "fd00:10:96::99"}
DATABASES = {"default/db-1", "default/db-2"}
FRONTENDS = {"default/frontend-1", "default/frontend-2"}
NODES = {"node/node-1", "node/node-2"}
EVERYONE = DATABASES | FRONTENDS | NODES | {"default/plain-1", "default/plain-2"}


def clients(target: str, *, isolated: bool) -> set[str]:
    """The clients that must reach a target: without policies, or with the first (frontends to databases, 6379/TCP)."""
    if target in ("nobody", "unknown"):
        return set()
    if not isolated:
        return EVERYONE
    return NODES if target.endswith("UDP") else NODES | FRONTENDS


class Try(msgspec.Struct, frozen=True):
    """One connection to try: the target, the client, and the client's address."""

    target: str
    client: str
    version: int
    source: str


class Measured(msgspec.Struct, frozen=True):
    """The results of all clients' connections to all targets, in one mode, with or without the policy."""

    ground: Ground
    masquerade: bool
    isolated: bool
    results: dict[Try, Result]

    def having(self, target: str, version: int, outcome: str) -> set[str]:
        """The clients for which all connections to a target had that outcome."""
        found: dict[str, set[str]] = {}
        for one, result in self.results.items():
            if (one.target, one.version) == (target, version):
                found.setdefault(one.client, set()).add(result.outcome)
        return {client for client, outcomes in found.items() if outcomes == {outcome}}

    def seen(self, target: str, client: str, version: int) -> dict[str, str]:
        """The source addresses that the server saw, by the source that the client used."""
        key = (target, client, version)
        return {
            one.source: got.seen for one, got in self.results.items() if (one.target, one.client, one.version) == key
        }


def measure(ground: Ground, agents: Agents, *, isolated: bool) -> dict[Try, Result]:
    """Try all clients, targets and addresses; repeat a connection that must succeed and does not, with patience."""
    wanted = [
        Try(target, client, version, source)
        for target, client, version in itertools.product(TARGETS, sorted(EVERYONE), (4, 6))
        for source in ground.addresses(client, version)
    ]
    hoped = [one.client in clients(one.target, isolated=isolated) for one in wanted]
    return dict(zip(wanted, persist(agents, [probe(ground, one) for one in wanted], hoped, PACE), strict=True))


def probe(ground: Ground, one: Try) -> Probe:
    service, protocol, port = TARGETS[one.target]
    destination = ground.cluster_ip(service, one.version) if service else UNKNOWN[one.version]
    return Probe(ground.hosts[one.client].container, protocol, one.source, destination, port)


@pytest.fixture(scope="module", params=Encap)
def ground(request: pytest.FixtureRequest, grounds: Callable[[Encap], Ground]) -> Ground:
    return grounds(request.param)


@pytest.fixture(scope="module")
def agents(ground: Ground) -> Iterator[Agents]:
    with Agents(ground.lab.runtime, [ground.hosts[name].container for name in sorted(EVERYONE)]) as made:
        servers = [(protocol, port) for protocol, port in (("tcp", 6379), ("udp", 53))]
        made.listen(
            {
                ground.hosts[name].container: [
                    (protocol, ground.address(name, version), port) for protocol, port in servers for version in (4, 6)
                ]
                for name in DATABASES
            }
        )
        yield made


@pytest.fixture(scope="module", params=[False, True], ids=["kept", "masquerade"])
def masquerade(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


@pytest.fixture(scope="module", params=[False, True], ids=["without policy", "isolated"])
def measured(request: pytest.FixtureRequest, ground: Ground, agents: Agents, masquerade: bool) -> Measured:
    isolated = bool(request.param)
    files = [str(policies(ground.lab.topology)[0])] if isolated else []
    ground.lab.apply(files, masquerade=masquerade)
    return Measured(ground, masquerade, isolated, measure(ground, agents, isolated=isolated))


@both_families
@pytest.mark.parametrize("target", TARGETS)
def test_a_service_is_reached_by_whom_the_policy_admits(measured: Measured, target: str, version: int) -> None:
    admitted = clients(target, isolated=measured.isolated)
    assert measured.having(target, version, "connected") == admitted
    assert measured.having(target, version, "silence") == EVERYONE - admitted


@both_families
def test_the_server_sees_the_pod_or_where_masqueraded_its_nodes_gateway(measured: Measured, version: int) -> None:
    pod = {name: measured.ground.address(name, version) for name in FRONTENDS}
    across = measured.ground.gateway("node-1", version) if measured.masquerade else pod["default/frontend-1"]
    assert measured.seen("db-2-only", "default/frontend-1", version) == {pod["default/frontend-1"]: across}
    # Connections within a node are not masqueraded.
    local = pod["default/frontend-2"]
    assert measured.seen("db-2-only", "default/frontend-2", version) == {local: local}


@both_families
@pytest.mark.parametrize("node", sorted(NODES))
def test_a_nodes_own_address_is_kept(measured: Measured, node: str, version: int) -> None:
    sources = measured.ground.addresses(node, version)
    assert measured.seen("db-2-only", node, version) == {source: source for source in sources}


@both_families
def test_a_pod_that_reaches_itself_sees_the_gateway(measured: Measured, version: int) -> None:
    seen = set(measured.seen("db-2-only", "default/db-2", version).values())
    assert seen == ({""} if measured.isolated else {measured.ground.gateway("node-2", version)})


CHANGING = """\
apiVersion: v1
kind: Service
metadata: {name: changing, namespace: default}
spec:
  clusterIPs: [10.96.0.101, "fd00:10:96::101"]
  ipFamilyPolicy: RequireDualStack
  ipFamilies: [IPv4, IPv6]
  ports:
    - {name: stream, protocol: TCP, port: 7000, targetPort: 7001}
    - {name: datagram, protocol: UDP, port: 7000, targetPort: 7001}
"""
SLICE = """\
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: changing-%d, namespace: default, labels: {kubernetes.io/service-name: changing}}
addressType: IPv%d
ports: [{name: stream, protocol: TCP, port: 7001}, {name: datagram, protocol: UDP, port: 7001}]
endpoints:
"""


def changing(ground: Ground, pods: Sequence[str]) -> str:
    """The Service ``default/changing`` with these pods as its endpoints."""
    text = CHANGING
    for version in (4, 6):
        text += SLICE % (version, version)
        text += "".join(f'  - addresses: ["{ground.address(pod, version)}"]\n' for pod in pods)
    return text


@both_families
def test_connections_stay_with_their_endpoints_while_others_come_and_go(
    ground: Ground, masquerade: bool, version: int, tmp_path: Path
) -> None:
    first, stays, comes = "default/db-1", "default/db-2", "default/plain-2"
    file = tmp_path / "changing.yaml"
    file.write_text(changing(ground, [first, stays]))
    ground.lab.apply([str(file)], masquerade=masquerade)
    listeners = {name: listener(ground, name, version) for name in (first, stays, comes)}
    open_ones = [connect(ground, listeners, version) for _ in range(16)]
    assert {name for name, _, _ in open_ones} == {first, stays}
    file.write_text(changing(ground, [stays, comes]))
    ground.lab.apply([str(file)])
    for _, client, server in (one for one in open_ones if one[0] == stays):
        assert exchanged(client, server)
    assert {connect(ground, listeners, version)[0] for _ in range(16)} == {stays, comes}
    file.write_text(changing(ground, [stays]))
    ground.lab.apply([str(file)])
    assert {connect(ground, listeners, version)[0] for _ in range(5)} == {stays}
    for _, client, server in (one for one in open_ones if one[0] == stays):
        assert exchanged(client, server)


def listener(ground: Ground, name: str, version: int) -> socket.socket:
    made = ground.socket(name, SOCKET_FAMILY[version], socket.SOCK_STREAM)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    made.bind((ground.address(name, version), 7001))
    made.listen()
    return made


def connect(
    ground: Ground, listeners: dict[str, socket.socket], version: int
) -> tuple[str, socket.socket, socket.socket]:
    """Connect from the frontend of node-1; give the endpoint that accepted, and both ends."""
    client = ground.socket("default/frontend-1", SOCKET_FAMILY[version], socket.SOCK_STREAM)
    client.settimeout(patient(6))
    client.connect((ground.cluster_ip("default/changing", version), 7000))
    ready, _, _ = select.select(list(listeners.values()), [], [], patient(6))
    server, _ = ready[0].accept()
    server.settimeout(patient(6))
    return next(name for name, one in listeners.items() if one is ready[0]), client, server


def exchanged(client: socket.socket, server: socket.socket) -> bool:
    """True if data goes both ways."""
    client.sendall(b"question")
    server.sendall(server.recv(64) + b" answered")
    return client.recv(64) == b"question answered"


def resize(ground: Ground, mtu: int) -> None:
    """Give both ends of the links of two pods on different nodes another MTU."""
    pods = {ground.hosts[name].container for name in ("default/frontend-1", "default/db-2")}
    for link in ground.lab.topology.links:
        if pods & {end.node for end in link.ends}:
            for end in link.ends:
                ground.lab.runtime.run(end.node, ["ip", "link", "set", "dev", end.interface, "mtu", str(mtu)])


@both_families
def test_full_sized_packets_are_never_lost(ground: Ground, masquerade: bool, version: int, tmp_path: Path) -> None:
    file = tmp_path / "changing.yaml"
    file.write_text(changing(ground, ["default/db-2"]))
    ground.lab.apply([str(file)], masquerade=masquerade)
    assert answered(ground, version, ground.mtu("default/frontend-1")) == ROUNDS
    largest = pod_mtu(ground.mtu("node/node-1"), ground.lab.settings.encap, 4)
    try:
        resize(ground, largest)
        assert answered(ground, version, largest) == ROUNDS
        if version == 6:
            # The option is smaller for an IPv4 packet than for IPv6, so an IPv4 packet of this size would still fit.
            resize(ground, largest + 1)
            assert answered(ground, version, largest + 1) == 0
    finally:
        resize(ground, ground.mtu("default/frontend-1"))


ROUNDS = 50


def answered(ground: Ground, version: int, size: int) -> int:
    """The number of packets of that size that went through the Service to the other node and came back."""
    client = ground.socket("default/frontend-1", SOCKET_FAMILY[version], socket.SOCK_DGRAM)
    server = ground.socket("default/db-2", SOCKET_FAMILY[version], socket.SOCK_DGRAM)
    level, discover = {4: (socket.IPPROTO_IP, 10), 6: (socket.IPPROTO_IPV6, 23)}[version]  # *_MTU_DISCOVER
    with client, server:
        for one in (client, server):
            one.settimeout(patient(1))
            one.setsockopt(level, discover, 2)  # *_PMTUDISC_DO: never in fragments
        server.bind((ground.address("default/db-2", version), 7001))
        client.connect((ground.cluster_ip("default/changing", version), 7000))
        # The first packets between two nodes are lost while the tunnel resolves the other node's MAC address.
        for _ in range(5):
            if echoed(client, server, b"warm"):
                break
        counted = 0
        for number in range(ROUNDS):
            if not echoed(client, server, number.to_bytes(2, "big").ljust(size - {4: 28, 6: 48}[version], b".")):
                break
            counted += 1
        return counted


def echoed(client: socket.socket, server: socket.socket, data: bytes) -> bool:
    """True if a datagram reached the server, and the answer reached the client."""
    try:
        client.send(data)
        server.sendto(*server.recvfrom(65535))
        return client.recv(65535) == data
    except TimeoutError:
        return False
