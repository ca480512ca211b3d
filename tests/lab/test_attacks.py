"""Attacks with real packets: no attack reaches its victim, and a similar legal packet does, on the same path.

The test watches a victim's interface. It sends first the attack, then a legal packet; when the legal packet has
arrived, the attack must not have arrived. Databases admit frontends only; no other pod is isolated.
"""

import itertools
import random
import socket
from collections.abc import Callable, Sequence
from functools import partial

import pytest

from ovsnp.lab.demo import policies
from ovsnp.model.options import Encap
from ovsnp.pipeline.carrier import MARKED
from ovsnp.pipeline.ports import ROUTER_MAC
from tests.lab import packets
from tests.lab.ground import SOCKET_FAMILY, Ground
from tests.lab.packets import Watch
from tests.support.lab_datapath import IN_KERNEL, patient

pytestmark = pytest.mark.lab
both_families = pytest.mark.parametrize("version", [4, 6])
both_nodes = pytest.mark.parametrize("victim", ["default/web-1", "default/web-2"])

ROUTER = ROUTER_MAC.to_bytes(6, "big")
BROADCAST = b"\xff" * 6
ATTACKER, FRONTEND, OUTSIDER = "default/plain-1", "default/frontend-1", "host-40"
UDP_TO_DATABASES = """\
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: udp, namespace: default}
spec:
  podSelector: {matchLabels: {role: db}}
  ingress:
    - from: [{podSelector: {matchLabels: {role: frontend}}}]
      ports: [{protocol: UDP, port: 5353}]
"""

_numbers = itertools.count(random.randrange(10**6))
Send = Callable[[bytes], None]
"""Sends a packet that contains the trace."""


@pytest.fixture(scope="module", params=Encap)
def ground(
    request: pytest.FixtureRequest, grounds: Callable[[Encap], Ground], tmp_path_factory: pytest.TempPathFactory
) -> Ground:
    made = grounds(request.param)
    file = tmp_path_factory.mktemp("policies") / "udp.yaml"
    file.write_text(UDP_TO_DATABASES)
    made.lab.apply([str(policies(made.lab.topology)[0]), str(file)])
    acquaint(made)
    return made


def acquaint(ground: Ground) -> None:
    """Let the switches learn each other's MAC addresses: a packet is lost while a switch still resolves one."""
    for version, (one, other) in itertools.product((4, 6), itertools.permutations(("default/web-1", "default/web-2"))):
        greet = datagrams(ground, one, ground.address(one, version), (ground.address(other, version), 9), bytes)
        with Watch(ground.socket(other, socket.AF_PACKET, socket.SOCK_RAW)) as watch:
            mark = trace()
            for _ in range(10):
                greet(mark)
                if watch.seen([], mark, patience=0.5, after=0.0):
                    break


def trace() -> bytes:
    """Bytes that no other packet contains."""
    return f"<{next(_numbers):014d}>".encode()


def fresh() -> int:
    """A source port that no recent packet used."""
    return 20000 + next(_numbers) % 10000


def lost(ground: Ground, victim: str, attacks: Sequence[Send], legal: Send) -> bool:
    """True if no attack reached the victim; fails where the legal packet did not reach it."""
    with Watch(ground.socket(victim, socket.AF_PACKET, socket.SOCK_RAW)) as watch:
        traces = [trace() for _ in attacks]
        for send, mark in zip(attacks, traces, strict=True):
            send(mark)
        last = trace()
        legal(last)
        seen = watch.seen(traces, last)
    assert last in seen, "what is legal did not arrive"
    return seen == {last}


def frames(ground: Ground, sender: str, write: Callable[[bytes], bytes]) -> Send:
    """Sends the bytes that ``write`` makes of a trace, as a frame out of a host's interface."""

    def send(mark: bytes) -> None:
        with ground.socket(sender, socket.AF_PACKET, socket.SOCK_RAW) as out:
            out.bind(("eth1", 0))
            out.send(write(mark))

    return send


def datagrams(ground: Ground, sender: str, source: str, to: tuple[str, int], write: Callable[[bytes], bytes]) -> Send:
    """Sends the bytes that ``write`` makes of a trace, as a UDP datagram of the host's own stack."""

    def send(mark: bytes) -> None:
        version = 6 if ":" in source else 4
        with ground.socket(sender, SOCKET_FAMILY[version], socket.SOCK_DGRAM) as out:
            out.bind((source, 0))
            out.sendto(write(mark), to)

    return send


def opening(ground: Ground, mac: bytes, source: str, victim: str, to: bytes = ROUTER) -> Send:
    """The attacker sends a SYN to the victim's port 6379 with these source MAC and IP addresses."""
    destination = ground.address(victim, 6 if ":" in source else 4)
    return frames(
        ground,
        ATTACKER,
        lambda mark: packets.ethernet(to, mac, packets.syn(source, destination, (fresh(), 6379), mark)),
    )


@both_families
@both_nodes
def test_a_pod_has_no_address_but_its_own(ground: Ground, victim: str, version: int) -> None:
    mac, address = ground.mac(ATTACKER), ground.address(ATTACKER, version)
    other_mac, other_address = ground.mac(FRONTEND), ground.address(FRONTEND, version)
    others = [
        other_address,
        ground.gateway("node-1", version),
        ground.address("node/node-1", version),
        ground.address(OUTSIDER, version),
        ground.address(victim, version),
        ground.cluster_ip("default/db", version),
    ]
    attacks = [opening(ground, mac, source, victim, to) for source in others for to in (ROUTER, ground.mac(victim))]
    attacks += [opening(ground, other_mac, source, victim) for source in (address, other_address)]
    assert lost(ground, victim, attacks, opening(ground, mac, address, victim))


def test_arp_claims_reach_nobody(ground: Ground) -> None:
    victim = "default/web-1"
    mac, claimed = ground.mac(ATTACKER), ground.address(FRONTEND, 4)
    own, target = ground.address(ATTACKER, 4), (ground.mac(victim), ground.address(victim, 4))
    attacks = [
        frames(ground, ATTACKER, lambda mark, frame=frame: frame + mark)  # type: ignore[misc]
        for to in (ROUTER, target[0], BROADCAST)
        for operation in (1, 2)
        for address in (claimed, target[1], own)
        for frame in [packets.arp(operation, (mac, address), target, to)]
    ]
    assert lost(ground, victim, attacks, opening(ground, mac, own, victim))


def test_neighbor_claims_reach_nobody(ground: Ground) -> None:
    victim = "default/web-1"
    mac, own, there = ground.mac(ATTACKER), ground.address(ATTACKER, 6), ground.address(victim, 6)
    claimed = ground.address(FRONTEND, 6)
    attacks = [
        frames(ground, ATTACKER, lambda mark, frame=frame: frame + mark)  # type: ignore[misc]
        for to in (ROUTER, ground.mac(victim), bytes.fromhex("333300000001"))
        for kind in (135, 136)
        for source in (own, claimed)
        for destination in (there, "ff02::1")
        for frame in [packets.neighbor(kind, (to, mac), (source, destination), claimed, mac)]
    ]
    assert lost(ground, victim, attacks, opening(ground, mac, own, victim))


@both_families
def test_a_pods_claim_does_not_move_anothers_address(ground: Ground, version: int) -> None:
    mac, claimed = ground.mac(ATTACKER), ground.address(FRONTEND, version)
    router = ground.gateway("node-1", version)
    if version == 4:
        claims = [packets.arp(operation, (mac, claimed), (ROUTER, router), ROUTER) for operation in (1, 2)]
    else:
        claims = [packets.neighbor(kind, (ROUTER, mac), (claimed, router), claimed, mac) for kind in (135, 136)]
    for claim in claims:
        frames(ground, ATTACKER, lambda _, claim=claim: claim)(b"")  # type: ignore[misc]
    web = "default/web-2"
    to_claimed = datagrams(ground, web, ground.address(web, version), (claimed, 9), bytes)
    to_attacker = datagrams(ground, web, ground.address(web, version), (ground.address(ATTACKER, version), 9), bytes)
    assert lost(ground, ATTACKER, [to_claimed], to_attacker)
    assert lost(ground, FRONTEND, [to_attacker], to_claimed)


def tunneled(encap: str, carried: str, inner_source: str, database: str, ground: Ground) -> Callable[[bytes], bytes]:
    """The payload for a node's tunnel port: a SYN to a database with a carried source."""
    version = 6 if ":" in inner_source else 4

    def write(mark: bytes) -> bytes:
        packet = packets.syn(inner_source, ground.address(database, version), (fresh(), 6379), mark)
        frame = packets.ethernet(ROUTER, ROUTER, packet)
        if encap == "geneve":
            return packets.geneve(MARKED, [packets.geneve_option(carried)], frame)
        return packets.vxlan(offset(carried), frame)

    return write


def offset(address: str) -> int:
    """The offset of a pod address in its pod CIDR (/24 and /64 in the lab)."""
    return int.from_bytes(packets.parse_address(address)[-3:], "big") & (0xFF if "." in address else 0xFFFFFF)


def by_the_tunnel(ground: Ground, sender: str, source: str, to: str, inner: int, encap: str) -> Send:
    """A host itself sends a tunnel packet for ``db-2``, with a frontend as the carried source."""
    carried, masqueraded = ground.address(FRONTEND, inner), ground.gateway("node-1", inner)
    write = tunneled(encap, carried, masqueraded, "default/db-2", ground)
    return datagrams(ground, sender, source, (to, packets.TUNNEL_PORTS[encap]), write)


@both_families
@pytest.mark.parametrize("sender", [ATTACKER, "default/plain-2", OUTSIDER])
def test_only_nodes_speak_through_the_tunnel(ground: Ground, sender: str, version: int) -> None:
    addresses = [*ground.addresses("node/node-2", version)]
    if sender != OUTSIDER:
        addresses += ground.addresses("node/node-1", version)
    attacks = [
        by_the_tunnel(ground, sender, ground.address(sender, version), to, inner, encap)
        for to in addresses
        for inner in (4, 6)
        for encap in packets.TUNNEL_PORTS
    ]
    for inner in (4, 6):
        # The same packet from a node arrives, so the attacker's packet is a real attack.
        one, other = ground.address("node/node-1", 4), ground.address("node/node-2", 4)
        legal = by_the_tunnel(ground, "node/node-1", one, other, inner, ground.lab.settings.encap)
        assert lost(ground, "default/db-2", attacks, legal)


@both_families
def test_what_a_node_carries_is_believed_for_its_own_pods_only(ground: Ground, version: int) -> None:
    encap, database = ground.lab.settings.encap, "default/db-2"
    one, other = ground.address("node/node-1", 4), ground.address("node/node-2", 4)
    port, plain = packets.TUNNEL_PORTS[encap], ground.address(ATTACKER, version)
    frontend, foreign = ground.address(FRONTEND, version), ground.address("default/frontend-2", version)

    def from_node(write: Callable[[bytes], bytes]) -> Send:
        return datagrams(ground, "node/node-1", one, (other, port), write)

    def inner(mark: bytes) -> bytes:
        packet = packets.syn(plain, ground.address(database, version), (fresh(), 6379), mark)
        return packets.ethernet(ROUTER, ROUTER, packet)

    attacks: list[Send] = [from_node(tunneled(encap, plain, frontend, database, ground))]
    if encap == "geneve":
        option, nobody = packets.geneve_option, {4: "10.99.0.1", 6: "fd00:99::1"}[version]
        every: list[tuple[int, list[bytes]]] = [
            (0, []),
            (0, [option(frontend)]),
            (MARKED + 1, [option(frontend)]),
            (MARKED, [option(foreign)]),
            (MARKED, [option(nobody)]),
            (MARKED, [option(frontend, padding=b"\0\0\0\0")]),
            (MARKED, [option(frontend, critical=True)]),
            (MARKED, [option(foreign), option(foreign)]),
        ]
        attacks += [from_node(partial(_geneve, inner, *one)) for one in every]
    else:
        attacks += [from_node(partial(_vxlan, inner, number)) for number in (0, 1 << 23, offset(plain))]
    assert lost(ground, database, attacks, from_node(tunneled(encap, frontend, frontend, database, ground)))


@both_families
def test_what_is_marked_and_carries_nothing_is_dropped(ground: Ground, version: int) -> None:
    """A node that marks a packet without an option harms its own carried traffic, for as long as the megaflow lives: no
    datapath can match the absence of an option."""
    if ground.lab.settings.encap != Encap.GENEVE:
        pytest.skip("VXLAN has no mark beside the carrier")
    database, port = "default/db-2", packets.TUNNEL_PORTS[Encap.GENEVE]
    one, other = ground.address("node/node-1", 4), ground.address("node/node-2", 4)
    sources = [ground.address(name, version) for name in (ATTACKER, FRONTEND)]

    def inner(source: str, mark: bytes) -> bytes:
        packet = packets.syn(source, ground.address(database, version), (fresh(), 6379), mark)
        return packets.ethernet(ROUTER, ROUTER, packet)

    def numbered(number: int, source: str) -> Send:
        write = partial(_geneve, partial(inner, source), number, [])
        return datagrams(ground, "node/node-1", one, (other, port), write)

    try:
        assert lost(ground, database, [numbered(MARKED, source) for source in sources], numbered(0, sources[1]))
    finally:
        ground.lab.runtime.run("node-2", ["ovs-appctl", "revalidator/purge"])


def _geneve(inner: Callable[[bytes], bytes], number: int, options: list[bytes], mark: bytes) -> bytes:
    return packets.geneve(number, options, inner(mark))


def _vxlan(inner: Callable[[bytes], bytes], number: int, mark: bytes) -> bytes:
    return packets.vxlan(number, inner(mark))


@both_families
@both_nodes
def test_an_outside_host_has_no_pods_address(ground: Ground, victim: str, version: int) -> None:
    node = "node-1" if victim.endswith("1") else "node-2"
    # The node's own addresses are not tried: the node's stack routes these packets and must drop them itself.
    forged = [ground.address(FRONTEND, version), ground.address("default/frontend-2", version)]
    forged.append(ground.gateway("node-2" if node == "node-1" else "node-1", version))
    to_node = bytes.fromhex("0a58c0a83201" if node == "node-1" else "0a58c0a83202")

    def sends(source: str) -> Send:
        def write(mark: bytes) -> bytes:
            packet = packets.udp(source, ground.address(victim, version), (fresh(), 9), mark)
            return packets.ethernet(to_node, ground.mac(OUTSIDER), packet)

        return frames(ground, OUTSIDER, write)

    assert lost(ground, victim, list(map(sends, forged)), sends(ground.address(OUTSIDER, version)))


FIRST_IN_FRAGMENTS = pytest.mark.xfail(
    not IN_KERNEL,
    raises=TimeoutError,
    strict=True,
    reason="the userspace datapath shows policy later fragments without a port; the kernel puts them together",
)


@both_families
@pytest.mark.parametrize("database", ["default/db-1", "default/db-2"])
@pytest.mark.parametrize("whole_first", [True, pytest.param(False, marks=FIRST_IN_FRAGMENTS)])
def test_fragments_share_the_fate_of_their_datagram(
    ground: Ground, database: str, version: int, whole_first: bool
) -> None:
    there = ground.address(database, version)

    def large(sender: str, port: int) -> Send:
        return datagrams(ground, sender, ground.address(sender, version), (there, port), lambda mark: mark * 250)

    attacks = [large(FRONTEND, 53), large(ATTACKER, 5353)]
    if version == 4:
        attacks.append(later_fragment(ground, there))
    with (
        ground.socket(database, SOCKET_FAMILY[version], socket.SOCK_DGRAM) as server,
        ground.socket(FRONTEND, SOCKET_FAMILY[version], socket.SOCK_DGRAM) as client,
    ):
        server.bind((there, 5353))
        server.settimeout(patient(3))
        client.connect((there, 5353))
        client.settimeout(patient(3))
        client.send(b"the first of a connection" if whole_first else bytes(4000))
        # Policies judge every datagram of a connection until the first reply.
        server.sendto(b"an answer", server.recvfrom(65535)[1])
        client.recv(65535)

        def legal(mark: bytes) -> None:
            client.send(mark * 250)

        assert lost(ground, database, attacks, legal)
        assert len(server.recv(65535)) == 4000


def later_fragment(ground: Ground, there: str) -> Send:
    """A last fragment without the earlier ones."""
    source = ground.address(FRONTEND, 4)
    return frames(
        ground,
        FRONTEND,
        lambda mark: packets.ethernet(ROUTER, ground.mac(FRONTEND), packets.ip(source, there, 17, mark, fragment=100)),
    )
