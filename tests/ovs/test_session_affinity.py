"""sessionAffinity: ClientIP: a client keeps its endpoint for a time, even if other endpoints change."""

import time

from tests.ovs.frames import Packet
from tests.ovs.service_scene import BACKENDS, CLUSTER_IP, ServiceScene, first

CLIENTS = [f"198.51.100.{host}" for host in range(1, 33)]
SECONDS = 600
NOTHING = "br-int: flows: nothing to change\n"


def opened(client: str, port: int) -> Packet:
    return first(client, port, CLUSTER_IP[4], 80)


def endpoints(scene: ServiceScene, port: int) -> dict[str, str]:
    """The endpoint that each client gets for a new connection from this source port."""
    return {client: scene.send("gateway", opened(client, port))[0].at for client in CLIENTS}


def test_all_of_a_clients_connections_go_to_one_endpoint(scene: ServiceScene) -> None:
    scene.serve(BACKENDS, SECONDS)
    scene.apply()
    for version in (4, 6):
        assert len({scene.converse("client", port, version).at for port in range(40000, 40016)}) == 1
    assert set(endpoints(scene, 40000).values()) == set(BACKENDS)


def test_a_client_keeps_its_endpoint_when_others_come_and_go(scene: ServiceScene) -> None:
    scene.serve(["web-0", "web-1"], SECONDS)
    scene.apply()
    before = endpoints(scene, 40000)
    scene.serve(BACKENDS, SECONDS)
    scene.apply()
    assert endpoints(scene, 40001) == before
    assert {answer.out for answer in scene.apply()} == {NOTHING}
    scene.serve(["web-1", "web-2"], SECONDS)
    scene.apply()
    after = endpoints(scene, 40002)
    kept = [client for client in CLIENTS if before[client] == "web-1"]
    assert kept
    assert all(after[client] == "web-1" for client in kept)
    assert set(after.values()) == {"web-1", "web-2"}
    assert endpoints(scene, 40003) == after


def learned(scene: ServiceScene) -> bool:
    dump = ["ovs-ofctl", "-OOpenFlow15", "--names", "dump-flows", "br-int", "table=SessionAffinity"]
    return "nw_src" in scene.nodes[0].switch.run(dump)


def test_when_the_time_is_over_it_may_be_another(scene: ServiceScene) -> None:
    scene.serve(["web-0"], 2)
    scene.apply()
    assert set(endpoints(scene, 40000).values()) == {"web-0"}
    assert learned(scene)
    scene.serve(BACKENDS, 2)
    scene.apply()
    deadline = time.monotonic() + 30
    while learned(scene):
        assert time.monotonic() < deadline
        time.sleep(0.5)
    assert set(endpoints(scene, 40001).values()) == set(BACKENDS)


def test_what_was_learned_goes_with_the_service(scene: ServiceScene) -> None:
    scene.serve(BACKENDS, SECONDS)
    scene.apply()
    endpoints(scene, 40000)
    assert learned(scene)
    scene.serve(BACKENDS)
    scene.apply()
    assert not learned(scene)
