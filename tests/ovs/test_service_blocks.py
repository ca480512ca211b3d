"""--service-blocks: a block of an egress rule may hold the cluster IP that a pod connects to."""

import pytest

from ovsnp.model.ports import Protocol
from tests.ovs.frames import Flag
from tests.ovs.service_scene import CLUSTER_IP, ServiceScene, address_of, first, policy

BLOCKS = {4: "10.96.0.0/24", 6: '"fd00:96::/120"'}


def to(version: int, ports: str) -> str:
    return policy("egress", "client", f"{{ipBlock: {{cidr: {BLOCKS[version]}}}}}", ports)


@pytest.mark.parametrize("version", [4, 6])
@pytest.mark.parametrize("masquerade", [[], ["--masquerade"]])
def test_the_block_admits_at_the_services_port(scene: ServiceScene, masquerade: list[str], version: int) -> None:
    scene.serve(["web-0", "web-2"])
    scene.write("policy", to(version, "{port: 80}"))
    scene.apply(*masquerade)
    assert scene.ask("client", 40000, version) == []
    scene.apply("--service-blocks", *masquerade)
    met = {scene.converse("client", port, version).at for port in range(40001, 40017)}
    assert met == {"web-0", "web-2"}
    # The endpoint itself is in no block, and the rule does not admit the other port of the Service.
    source, endpoint = address_of("client", version), address_of("web-0", version)
    assert scene.send("client", first(source, 41000, endpoint, 8080)) == []
    assert scene.ask("client", 41001, version, Protocol.UDP) == []


def test_each_packet_is_judged_until_one_is_admitted(scene: ServiceScene) -> None:
    scene.serve(["web-2"])
    scene.write("policy", to(4, "{port: 81}"))
    scene.apply("--service-blocks")
    asked = first(address_of("client", 4), 40000, CLUSTER_IP[4], 80)
    assert scene.send("client", asked) == []
    scene.write("policy", to(4, "{port: 80}"))
    scene.apply("--service-blocks")
    assert [each.at for each in scene.send("client", asked)] == ["web-2"]


@pytest.mark.parametrize("ports", ["{port: 8080}", "{port: http}", "{port: 80, protocol: UDP}"])
def test_the_endpoints_port_a_name_and_another_protocol_are_not_the_services(scene: ServiceScene, ports: str) -> None:
    scene.serve(["web-2"])
    scene.write("policy", to(4, ports))
    scene.apply("--service-blocks")
    assert scene.ask("client", 40000) == []


def test_without_ports_and_with_a_range(scene: ServiceScene) -> None:
    scene.serve(["web-2"])
    for ports in ("", "{port: 70, endPort: 90}, {port: 53, protocol: UDP}"):
        scene.write("policy", to(4, ports))
        scene.apply("--service-blocks")
        assert scene.converse("client", 40000 + len(ports)).at == "web-2"
        assert [each.at for each in scene.ask("client", 42000 + len(ports), 4, Protocol.UDP)] == ["web-2"]


def test_the_far_end_is_judged_as_ever(scene: ServiceScene) -> None:
    scene.serve(["web-2"])
    scene.write("policy", to(4, "{port: 80}"))
    deny = policy("ingress", "web", "{podSelector: {matchLabels: {app: stranger}}}", "{port: 8080}")
    scene.write("far", deny.replace("name: only", "name: far"))
    scene.apply("--service-blocks")
    (there, *_) = [scene.ask("client", 40000)]
    assert there == []
    assert scene.send("client", first(address_of("client", 4), 40000, CLUSTER_IP[4], 80)._replace(flags=Flag.ACK)) == []
