"""Connections to an endpoint that is gone are cut; those to a terminating endpoint go on until it is gone."""

import signal
from pathlib import Path

import pytest

from ovsnp.model.ports import Protocol
from tests.ovs.frames import Flag
from tests.ovs.holder_scene import HolderScene
from tests.ovs.service_scene import CLUSTER_IP, ServiceScene, address_of, first

PORTS = range(40000, 40008)


def meets(scene: ServiceScene, version: int) -> dict[int, str]:
    """The endpoint of each of the client's connections."""
    return {port: scene.converse("client", port, version).at for port in PORTS}


def goes_on(scene: ServiceScene, version: int) -> dict[int, str | None]:
    return {port: scene.goes_on("client", port, version) for port in PORTS}


@pytest.mark.parametrize("version", [4, 6])
@pytest.mark.parametrize("affinity", [None, 600])
@pytest.mark.parametrize("options", [[], ["--masquerade"]])
def test_connections_are_cut(scene: ServiceScene, options: list[str], affinity: int | None, version: int) -> None:
    scene.serve(["web-2"], affinity)
    scene.apply(*options)
    assert set(meets(scene, version).values()) == {"web-2"}
    direct = first(address_of("client", version), 50000, address_of("web-2", version), 8080)
    (there,) = scene.send("client", direct)
    scene.send("web-2", there.packet.answer(Flag.SYN | Flag.ACK))
    scene.serve(["web-0"], affinity)
    answers = scene.apply(*options)
    assert f"connections to endpoints that are gone: {len(PORTS)} cut" in answers[0].out
    # Further packets of the connection go to an existing endpoint, which does not know it and will refuse it.
    assert set(goes_on(scene, version).values()) == {"web-0"}
    assert scene.send("client", direct._replace(flags=Flag.ACK))[0].at == "web-2"


def test_others_are_not(scene: ServiceScene) -> None:
    scene.serve(["web-0", "web-2"])
    scene.apply()
    before = meets(scene, 4)
    assert set(before.values()) == {"web-0", "web-2"}
    scene.serve(["web-0"])
    scene.apply()
    after = goes_on(scene, 4)
    assert {port for port in PORTS if after[port] == before[port]} == {
        port for port in PORTS if before[port] == "web-0"
    }


def test_an_endpoint_that_ends_finishes_what_it_has_begun(scene: ServiceScene) -> None:
    scene.serve(["web-2"])
    scene.apply()
    before = meets(scene, 4)
    scene.serve(["web-0"], leaving=["web-2"])
    assert "cut" not in scene.apply()[0].out
    assert goes_on(scene, 4) == before
    assert scene.converse("client", 50000).at == "web-0"


def test_datagrams_find_another_as_soon_as_it_is_not_ready(scene: ServiceScene) -> None:
    scene.serve(["web-2"])
    scene.apply()
    assert [each.at for each in scene.ask("client", 40000, protocol=Protocol.UDP)] == ["web-2"]
    scene.serve(["web-0"], leaving=["web-2"])
    scene.apply()
    assert [each.at for each in scene.ask("client", 40000, protocol=Protocol.UDP)] == ["web-0"]


def test_without_any_endpoint_left_nothing_arrives(scene: ServiceScene) -> None:
    scene.serve(["web-2"])
    scene.apply()
    meets(scene, 4)
    scene.serve([])
    scene.apply()
    assert set(goes_on(scene, 4).values()) == {None}
    assert CLUSTER_IP[4] not in scene.nodes[0].switch.appctl("dpctl/dump-conntrack")


def test_killed_before_the_cut_the_next_apply_cuts(scene: ServiceScene, tmp_path: Path) -> None:
    there = HolderScene(scene)
    scene.serve(["web-2"])
    there.apply()
    assert set(meets(scene, 4).values()) == {"web-2"}
    scene.serve(["web-0"])
    assert there.killed_at("call forget.cut 1", tmp_path / "moments") == -signal.SIGKILL
    there.revalidated(0)
    assert set(goes_on(scene, 4).values()) == {"web-2"}
    assert f"connections to endpoints that are gone: {len(PORTS)} cut" in there.apply([0])[0].out
    assert set(goes_on(scene, 4).values()) == {"web-0"}
