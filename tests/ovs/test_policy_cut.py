"""``--established cut``: exactly the open connections that the policies forbid end, and the others go on."""

import json
import re
from collections.abc import Iterator

import pytest

from tests.ovs.holder_scene import Conversation, HolderScene
from tests.ovs.service_scene import ServiceScene, address_of, policy
from tests.support.instance import DummySwitch

CUT = ("--established", "cut")
CLIENT = "{podSelector: {matchLabels: {app: client}}}"
ENCAPS = [(), ("--masquerade",), ("--encap", "vxlan"), ("--encap", "vxlan", "--masquerade")]


@pytest.fixture(autouse=True)
def _lasting(dummy_switch: DummySwitch, other_switch: DummySwitch) -> Iterator[None]:
    """No connection expires, however busy the machine is."""
    with dummy_switch.lasting_connections(), other_switch.lasting_connections():
        yield


def talks(there: HolderScene, version: int) -> list[Conversation]:
    """Open connections of two clients to a server on each node, of TCP and UDP, directly and through the Service."""
    ends = [(client, server) for client in ("client", "stranger") for server in ("web-0", "web-2")]
    return [each for client, server in ends for each in there.converse(client, server, version)]


def cut(there: HolderScene) -> list[int]:
    """Apply to both nodes, with the option; returns the number of connections that each says it has cut."""
    found = [re.search(r"forbid: (\d+) cut", answer.out) for answer in there.scene.apply(*there.options, *CUT)]
    return [int(each[1]) if each else 0 for each in found]


@pytest.mark.parametrize("version", [4, 6])
@pytest.mark.parametrize("options", ENCAPS)
def test_exactly_the_forbidden_end(scene: ServiceScene, options: tuple[str, ...], version: int) -> None:
    there = HolderScene(scene, *options)
    open_now = talks(there, version)
    scene.write("policy", policy("ingress", "web", CLIENT, "{port: 8080}"))
    here, other = cut(there)
    assert here > other > 0
    for it in open_now:
        allowed = it.client == "client" and it.tcp
        # The policies let the server connect to the client, but this is no connection of the server.
        assert there.server_speaks(it) == allowed, it
        assert there.client_speaks(it) == allowed, it
        assert there.server_speaks(it) == allowed, it
        assert there.client_begins(it) == allowed, it
    assert cut(there) == [0, 0]


@pytest.mark.parametrize("options", ENCAPS)
def test_egress(scene: ServiceScene, options: tuple[str, ...]) -> None:
    there = HolderScene(scene, *options)
    open_now = talks(there, 4)
    block = f'{{ipBlock: {{cidr: "{address_of("web-2", 4)}/32"}}}}'
    scene.write("policy", policy("egress", "client", block, "{port: 8080}"))
    cut(there)
    for it in open_now:
        assert there.client_speaks(it) == (it.client == "stranger" or (it.server == "web-2" and it.tcp)), it


@pytest.mark.parametrize("version", [4, 6])
def test_what_is_allowed_again_goes_on_when_the_client_speaks(scene: ServiceScene, version: int) -> None:
    there = HolderScene(scene)
    open_now = talks(there, version)
    there.forbid()
    cut(there)
    there.allow()
    assert cut(there) == [0, 0]
    for it in open_now:
        assert not there.server_speaks(it), it
        assert there.goes_on(it), it


def test_the_servers_packets_do_not_pass_for_answers_on_the_other_node(scene: ServiceScene) -> None:
    """Only the server refuses the client, and the client accepts no connection: the server's packets are refused."""
    there = HolderScene(scene)
    direct = next(iter(there.converse("client", "web-2", 4)))
    for app in ("web", "client"):
        nobody = "{podSelector: {matchLabels: {app: nobody}}}"
        scene.write(app, policy("ingress", app, nobody, "").replace("only", app))
    assert cut(there) == [1, 1]
    assert not there.server_speaks(direct)


def test_unanswered_connections_end(scene: ServiceScene) -> None:
    there = HolderScene(scene)
    began = next(iter(there.converse("client", "web-0", 4))).began
    (arrived,) = scene.send("client", began._replace(source=began.source._replace(port=777)))
    there.forbid()
    cut(there)
    assert scene.send("web-0", arrived.packet.answer()) == []


def test_json(scene: ServiceScene) -> None:
    there = HolderScene(scene)
    next(iter(there.converse("client", "web-0", 4)))
    there.forbid()
    found = json.loads(scene.nodes[0].apply(scene.manifests, *CUT, "-o", "json").out)
    assert found["cut_by_policy"] == 1
    assert there.closed(0) == 0
