"""Real packets to a Service: conntrack, address translation, policy and the tunnel, without root."""

from ipaddress import ip_address

import pytest

from ovsnp.model.options import Encap
from ovsnp.model.ports import Protocol
from tests.ovs.frames import End, Flag
from tests.ovs.service_scene import (
    BACKENDS,
    CLUSTER_IP,
    GATEWAYS,
    IDLE_IP,
    PODS,
    UNKNOWN_IP,
    ServiceScene,
    address_of,
    first,
    policy,
)
from tests.ovs.wired import carried
from tests.support.combinations import covering

PORTS = range(40000, 40024)
"""Enough client ports to meet every endpoint."""

MODES = [(encap, masquerade) for encap in Encap for masquerade in (False, True)]
families = pytest.mark.parametrize("version", [4, 6])
modes = pytest.mark.parametrize(("encap", "masquerade"), MODES)
cases = pytest.mark.parametrize(("encap", "masquerade", "version"), covering(Encap, (False, True), (4, 6)))


def options(encap: Encap, masquerade: bool) -> list[str]:
    return ["--encap", encap, *(["--masquerade"] if masquerade else [])]


@cases
def test_every_endpoint_is_reached_and_answers(
    scene: ServiceScene, encap: Encap, masquerade: bool, version: int
) -> None:
    scene.serve(BACKENDS)
    scene.apply(*options(encap, masquerade))
    met = set()
    for port in PORTS:
        there = scene.converse("client", port, version)
        assert there.packet.destination == End(address_of(there.at, version), 8080)
        if masquerade and there.at == "web-2":
            assert there.packet.source.address == GATEWAYS[version][0]
        else:
            assert there.packet.source == End(address_of("client", version), port)
        met.add(there.at)
    assert met == set(BACKENDS)


@cases
def test_each_packet_to_an_endpoint_elsewhere_carries_the_source_and_no_other_does(
    scene: ServiceScene, encap: Encap, masquerade: bool, version: int
) -> None:
    scene.serve(["web-2"])
    scene.apply(*options(encap, masquerade))
    source = address_of("client", version)
    # VXLAN carries the offset in the node's pod CIDR: the hexadecimal 9 of ::9 is the number 9.
    expected = int(ip_address(source)) if encap is Encap.GENEVE else PODS["client"][1]

    def seen() -> list[int]:
        return [carried(outer, encap) for outer in scene.tunneled]

    (there,) = scene.ask("client", 40000, version)
    assert seen() == [expected]
    scene.send("web-2", there.packet.answer(Flag.SYN | Flag.ACK))
    assert seen() == [0]
    for _ in range(3):
        assert scene.goes_on("client", 40000, version) == "web-2"
        assert seen() == [expected]
        scene.send("web-2", there.packet.answer(Flag.ACK))
        assert seen() == [0]
    assert scene.send("client", first(source, 40001, address_of("web-2", version), 8080))
    assert seen() == [0]


@cases
def test_the_endpoint_judges_the_pod_that_asks(
    scene: ServiceScene, encap: Encap, masquerade: bool, version: int
) -> None:
    scene.serve(BACKENDS)
    scene.write("policy", policy("ingress", "web", "{podSelector: {matchLabels: {app: client}}}", "{port: 8080}"))
    scene.apply(*options(encap, masquerade))
    for port in PORTS:
        scene.converse("client", port, version)
        assert scene.ask("stranger", port, version) == []
        assert scene.ask("client", port, version, Protocol.UDP) == []


@families
def test_the_client_is_judged_on_the_endpoint_and_its_port(scene: ServiceScene, version: int) -> None:
    scene.serve(BACKENDS)
    scene.write("policy", policy("egress", "client", "{podSelector: {matchLabels: {app: web}}}", "{port: 8080}"))
    scene.apply()
    for port in PORTS:
        scene.converse("client", port, version)
    scene.write("policy", policy("egress", "client", "{podSelector: {matchLabels: {app: web}}}", "{port: 80}"))
    scene.apply()
    assert not any(scene.ask("client", port + 1000, version) for port in PORTS)
    block = f'{{ipBlock: {{cidr: "{CLUSTER_IP[version]}/{32 if version == 4 else 128}"}}}}'
    scene.write("policy", policy("egress", "client", block, "{port: 80}, {port: 8080}"))
    scene.apply()
    assert not any(scene.ask("client", port + 2000, version) for port in PORTS)


@modes
def test_what_is_denied_never_leaks_and_passes_once_it_is_allowed(
    scene: ServiceScene, encap: Encap, masquerade: bool
) -> None:
    scene.serve(BACKENDS)
    scene.write("policy", policy("ingress", "web", "{podSelector: {matchLabels: {app: nobody}}}", "{port: 8080}"))
    scene.apply(*options(encap, masquerade))
    for port in PORTS:
        for protocol in (Protocol.TCP, Protocol.UDP):
            assert not any(scene.ask("client", port, protocol=protocol) for _ in range(5))
    scene.write("policy", policy("ingress", "web", "", "{port: 8080}, {port: 5353, protocol: UDP}"))
    scene.apply(*options(encap, masquerade))
    for port in PORTS:
        scene.converse("client", port)
        (there,) = scene.ask("client", port, protocol=Protocol.UDP)
        (back,) = scene.send(there.at, there.packet.answer())
        assert (back.at, back.packet.source) == ("client", End(CLUSTER_IP[4], 53))


@families
def test_a_pod_reaches_itself_through_its_service(scene: ServiceScene, version: int) -> None:
    scene.serve(["web-0"])
    scene.apply()
    there = scene.converse("web-0", 40000, version)
    assert there.at == "web-0"
    assert there.packet.source.address == GATEWAYS[version][0]
    scene.write("policy", policy("ingress", "web", "{podSelector: {matchLabels: {app: client}}}", "{port: 8080}"))
    scene.apply()
    assert scene.ask("web-0", 40001, version) == []
    scene.write("policy", policy("ingress", "web", "{podSelector: {matchLabels: {app: web}}}", "{port: 8080}"))
    scene.apply()
    assert scene.converse("web-0", 40001, version).at == "web-0"


@families
def test_what_nobody_serves_is_dropped(scene: ServiceScene, version: int) -> None:
    scene.serve(BACKENDS)
    scene.apply()
    source = address_of("client", version)
    for address, port in ((IDLE_IP, 80), (IDLE_IP, 81), (UNKNOWN_IP, 80), (CLUSTER_IP, 81), (CLUSTER_IP, 8080)):
        for protocol in (Protocol.TCP, Protocol.UDP):
            assert scene.send("client", first(source, 40000, address[version], port, protocol)) == []
            assert scene.tunneled == []


@cases
def test_the_node_reaches_every_endpoint(scene: ServiceScene, encap: Encap, masquerade: bool, version: int) -> None:
    scene.serve(BACKENDS)
    scene.write("policy", policy("ingress", "web", "{podSelector: {matchLabels: {app: nobody}}}", "{port: 8080}"))
    scene.apply(*options(encap, masquerade))
    gateway = GATEWAYS[version][0]
    met = set()
    for port in PORTS:
        asked = first(gateway, port, CLUSTER_IP[version], 80)
        (there,) = scene.send("gateway", asked)
        assert [carried(outer, encap) for outer in scene.tunneled] in ([], [0])
        assert there.packet.source == asked.source
        (back,) = scene.send(there.at, there.packet.answer(Flag.SYN | Flag.ACK))
        assert (back.at, back.packet.between()) == ("gateway", (asked.destination, asked.source))
        met.add(there.at)
    assert met == set(BACKENDS)


def test_who_comes_in_by_the_gateway_is_judged_as_its_address(scene: ServiceScene) -> None:
    scene.serve(BACKENDS)
    scene.write("policy", policy("ingress", "web", "{ipBlock: {cidr: 198.51.100.0/24}}", "{port: 8080}"))
    scene.apply()
    met = set()
    for port in PORTS:
        asked = first("198.51.100.7", port, CLUSTER_IP[4], 80)
        (there,) = scene.send("gateway", asked)
        (back,) = scene.send(there.at, there.packet.answer(Flag.SYN | Flag.ACK))
        assert (back.at, back.packet.between()) == ("gateway", (asked.destination, asked.source))
        assert scene.send("gateway", first("203.0.113.7", port, CLUSTER_IP[4], 80)) == []
        met.add(there.at)
    assert met == set(BACKENDS)


@pytest.mark.parametrize("encap", list(Encap))
def test_two_clients_of_one_port_are_told_apart_behind_the_gateways_address(scene: ServiceScene, encap: Encap) -> None:
    scene.serve(["web-2"])
    scene.apply(*options(encap, True))
    there = [scene.converse(sender, 40000).packet.source for sender in ("client", "stranger")]
    assert {end.address for end in there} == {GATEWAYS[4][0]}
    assert there[0].port != there[1].port
    assert scene.goes_on("client", 40000) == "web-2"
