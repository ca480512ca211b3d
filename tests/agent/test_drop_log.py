"""An agent with ``--log-drops`` tells of the packets that policies drop, also after ovs-vswitchd has begun again."""

import json

from tests.agent.agent_scene import AgentScene
from tests.support.applying import ovsnp, policy

PACKET = (
    "in_port(2),eth(src=0a:58:0a:14:01:0b,dst=0a:58:00:00:00:01),eth_type(0x0800),"
    "ipv4(src=10.20.1.11,dst=10.20.1.10,proto=6,tos=0,ttl=64,frag=no),tcp(src=4000,dst={port}),tcp_flags(syn)"
)


def send(scene: AgentScene, port: int) -> None:
    scene.switch.appctl("netdev-dummy/receive", "fe0", PACKET.format(port=port))


def ports(scene: AgentScene) -> set[int]:
    """The ports of the drops that `ovsnp drops` shows."""
    answer = ovsnp("drops", "--socket", scene.socket, "-o", "json")
    return {json.loads(line)["traffic"]["port"] for line in answer.out.splitlines() if '"drop"' in line}


def was_dropped(scene: AgentScene, port: int) -> bool:
    """Send a packet to the database; returns True if the agent has told of such a packet."""
    send(scene, port)
    return port in ports(scene)


def test_drops_of_an_agent(scene: AgentScene) -> None:
    scene.kubectl("apply", "-f", "-", stdin=policy("to-db", 80))
    scene.start("--log-drops")
    scene.wait(lambda: scene.socket.exists() and scene.ask("/readyz")[0] == 200)
    scene.wait(lambda: was_dropped(scene, 81))
    text = ovsnp("drops", "--socket", scene.socket).out.splitlines()[-1]
    assert "default/frontend to default/db, 81/tcp: ingress, default/db is isolated by default/to-db" in text
    send(scene, 80)
    found = json.loads(ovsnp("connections", "--socket", scene.socket, "-o", "json").out)["connections"]
    assert [(each["source"]["pod"], each["ingress"]) for each in found] == [
        ("default/frontend", ["default/to-db ingress[0]"])
    ]
    scene.switch.kill("ovs-vswitchd")
    scene.switch.start_switch()
    scene.wait(lambda: scene.ask("/readyz")[0] == 200)
    scene.wait(lambda: was_dropped(scene, 82))
    assert 80 not in ports(scene)
    assert scene.stop() == 0


def test_more_drops_than_the_meter_reports_are_counted(scene: AgentScene) -> None:
    scene.kubectl("apply", "-f", "-", stdin=policy("to-db", 80))
    scene.start("--log-drops")
    scene.wait(lambda: scene.socket.exists() and scene.ask("/readyz")[0] == 200)
    scene.wait(lambda: was_dropped(scene, 81))
    for port in range(1000, 1600):
        send(scene, port)
    scene.wait(lambda: lost(scene) > 0)
    assert lost(scene) <= 600


def lost(scene: AgentScene) -> float:
    """The metric of the drops without a report."""
    (value,) = [line.split()[1] for line in scene.ask("/metrics")[1].splitlines() if line.startswith("ovsnp_drop_log")]
    return float(value)


def test_agent_without_the_option_says_so(scene: AgentScene) -> None:
    scene.start()
    scene.wait(lambda: scene.socket.exists() and scene.ask("/readyz")[0] == 200)
    answer = ovsnp("drops", "--socket", scene.socket)
    assert (answer.code, answer.err) == (4, "ovsnp: this agent logs no drops; start it with --log-drops\n")
