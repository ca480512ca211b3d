"""The effect of changes of a Service's endpoints: on open connections, and on the bridge."""

import re

import pytest

from ovsnp.apply import synchronise
from ovsnp.errors import Exit
from ovsnp.model.ports import Protocol
from tests.ovs.frames import Flag
from tests.ovs.service_scene import BACKENDS, CLUSTER_IP, ServiceScene, address_of, first

PORTS = range(40000, 40024)
NOTHING = "br-int: flows: nothing to change\n"


@pytest.fixture
def messages(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The lines of all bundles that apply sends."""
    sent: list[str] = []
    bundle = synchronise.bundle

    def watched(location: object, bridge: str, lines: list[str], *more: object) -> None:
        sent.extend(lines)
        bundle(location, bridge, lines, *more)

    monkeypatch.setattr(synchronise, "bundle", watched)
    return sent


@pytest.mark.parametrize("affinity", [None, 600])
@pytest.mark.parametrize("options", [[], ["--encap", "vxlan"], ["--masquerade"]])
def test_a_second_apply_changes_nothing(
    scene: ServiceScene, messages: list[str], affinity: int | None, options: list[str]
) -> None:
    scene.serve(BACKENDS, affinity)
    scene.apply(*options)
    before = [node.switch.run(["ovs-ofctl", "-OOpenFlow15", "dump-groups", "br-int"]) for node in scene.nodes]
    messages.clear()
    assert {answer.out for answer in scene.apply(*options)} == {NOTHING}
    assert messages == []
    assert before == [node.switch.run(["ovs-ofctl", "-OOpenFlow15", "dump-groups", "br-int"]) for node in scene.nodes]


def test_an_endpoint_that_comes_or_goes_is_one_message_a_port(scene: ServiceScene, messages: list[str]) -> None:
    scene.serve(BACKENDS[:2])
    scene.apply()
    messages.clear()
    scene.serve(BACKENDS)
    scene.nodes[0].apply(scene.manifests)
    # TCP and UDP, in two families.
    assert sorted(line.split()[1] for line in messages) == ["insert_bucket"] * 2 + ["modify"] * 2
    messages.clear()
    scene.serve(BACKENDS[1:])
    scene.nodes[0].apply(scene.manifests)
    assert sorted(line.split()[1] for line in messages) == ["modify"] * 2 + ["remove_bucket"] * 2


def test_flows_that_somebody_deleted_come_back_to_their_groups(scene: ServiceScene) -> None:
    scene.serve(BACKENDS)
    scene.apply()
    ofctl = ("ovs-ofctl", "-OOpenFlow15")
    scene.nodes[0].switch.run([*ofctl, "del-flows", "br-int"])
    scene.apply()
    scene.converse("client", 40000)
    scene.nodes[0].switch.run([*ofctl, "del-flows", "br-int"])
    groups = scene.nodes[0].switch.run([*ofctl, "dump-groups", "br-int"])
    number = re.findall(r"group_id=(\d+)", groups)[0]
    scene.nodes[0].switch.run([*ofctl, "add-flow", "br-int", f"table=200,actions=group:{number}"])
    answer = scene.nodes[0].run("apply", scene.manifests)
    assert answer.code == Exit.REFUSED
    assert f"group {number} has the number of one of ovsnp's own" in answer.err
    assert groups == scene.nodes[0].switch.run([*ofctl, "dump-groups", "br-int"])


def test_the_last_endpoint_takes_the_group_with_it(scene: ServiceScene, messages: list[str]) -> None:
    scene.serve(["web-0"])
    scene.apply()
    scene.converse("client", 40000)
    messages.clear()
    scene.serve([])
    scene.nodes[0].apply(scene.manifests)
    assert sorted(line.split()[0] + " " + line.split()[1] for line in messages) == [
        *["flow modify_strict"] * 4,
        *["group delete"] * 4,
    ]
    assert scene.ask("client", 40001) == []
    scene.serve(["web-1"])
    scene.apply()
    assert scene.converse("client", 40001).at == "web-1"


@pytest.mark.parametrize("version", [4, 6])
@pytest.mark.parametrize("options", [[], ["--masquerade"], ["--encap", "vxlan", "--masquerade"]])
def test_open_connections_keep_their_endpoint_whoever_else_comes_or_goes(
    scene: ServiceScene, options: list[str], version: int
) -> None:
    scene.serve(BACKENDS)
    scene.apply(*options)
    there = {port: scene.converse("client", port, version).at for port in PORTS}
    assert set(there.values()) == set(BACKENDS)
    for left in BACKENDS:
        scene.serve([left], leaving=set(BACKENDS) - {left})
        scene.apply(*options)
        for port in (port for port in PORTS if there[port] == left):
            assert scene.goes_on("client", port, version) == left
    scene.serve(BACKENDS)
    scene.apply(*options)
    assert {port: scene.goes_on("client", port, version) for port in PORTS} == there


def test_only_the_clients_of_an_endpoint_that_goes_move(scene: ServiceScene) -> None:
    scene.serve(BACKENDS)
    scene.apply()
    there = {port: scene.ask("client", port, protocol=Protocol.UDP)[0].at for port in PORTS}
    scene.nodes[0].switch.appctl("dpctl/flush-conntrack")
    scene.serve(BACKENDS[:2])
    scene.apply()
    after = {port: scene.ask("client", port, protocol=Protocol.UDP)[0].at for port in PORTS}
    assert {port for port in PORTS if there[port] != after[port]} == {port for port in PORTS if there[port] == "web-2"}


def test_a_first_packet_that_is_sent_again_goes_to_the_same_endpoint(scene: ServiceScene) -> None:
    scene.serve(["web-0"])
    scene.apply()
    before = [scene.ask("client", port)[0] for port in PORTS]
    scene.serve(BACKENDS)
    scene.apply()
    assert [scene.ask("client", port)[0] for port in PORTS] == before
    assert {scene.ask("client", port + 1000)[0].at for port in PORTS} == set(BACKENDS)


def test_thousands_of_endpoints(scene: ServiceScene, messages: list[str]) -> None:
    elsewhere = [f"172.{block}.{net}.{host}" for block in (20, 21) for net in range(10) for host in range(1, 251)]
    scene.serve(BACKENDS, others=elsewhere)
    scene.apply()
    assert {answer.out for answer in scene.apply()} == {NOTHING}
    # Endpoints outside of the pod CIDRs are reached through the gateway.
    arrived = [scene.ask("client", port)[0] for port in range(41000, 41200)]
    assert {each.at for each in arrived} == {"gateway"}
    assert len({each.packet.destination.address for each in arrived}) > 150
    messages.clear()
    scene.serve(BACKENDS, others=[*elsewhere, "172.22.0.1"])
    scene.nodes[0].apply(scene.manifests)
    assert sorted(line.split()[1] for line in messages) == ["insert_bucket", "modify"]
    scene.serve(BACKENDS)
    scene.apply()
    text = scene.nodes[0].switch.run(["ovs-ofctl", "-OOpenFlow15", "dump-groups", "br-int"])
    assert text.count("group_id=") == 4
    assert scene.converse("client", 42000).at in BACKENDS


def test_a_connection_to_a_pods_own_address_is_not_service_bound(scene: ServiceScene) -> None:
    scene.serve(["web-2"])
    scene.apply("--masquerade")
    source = address_of("client", 4)
    (there,) = scene.send("client", first(source, 40000, address_of("web-2", 4), 8080))
    assert there.packet.source.address == source
    (back,) = scene.send("web-2", there.packet.answer(Flag.SYN | Flag.ACK))
    assert back.packet.source.address == address_of("web-2", 4) != CLUSTER_IP[4]
