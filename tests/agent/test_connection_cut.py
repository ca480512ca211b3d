"""An agent with ``--established cut`` ends the open connections that a change forbids, and touches no other."""

import re

from ovsnp.model.ports import Protocol
from ovsnp.pipeline.conntrack import ZONE
from ovsnp.pipeline.ports import ROUTER_MAC
from tests.agent.agent_scene import AgentScene
from tests.ovs.frames import End, Flag, Packet, frame
from tests.support.applying import policy

FRONTEND, DB = ("fe0", "10.20.1.11"), ("db0", "10.20.1.10")
ANSWER = {Protocol.TCP: Flag.SYN | Flag.ACK, Protocol.UDP: Flag.NONE}


def converse(scene: AgentScene, port: int, protocol: Protocol = Protocol.TCP) -> None:
    """Open a connection from the frontend to a port of the database; the database answers."""
    flags = Flag.SYN if protocol is Protocol.TCP else Flag.NONE
    began = Packet(protocol, End(FRONTEND[1], 40000), End(DB[1], port), flags)
    for (name, address), packet in ((FRONTEND, began), (DB, began.answer(ANSWER[protocol]))):
        mac = 0x0A58 << 32 | int.from_bytes(bytes(map(int, address.split("."))), "big")
        scene.switch.appctl("netdev-dummy/receive", name, frame(packet, mac, ROUTER_MAC))


def open_to(scene: AgentScene) -> set[str]:
    """The protocols and ports to which connections are open, and answered."""
    text = scene.switch.appctl("dpctl/dump-conntrack", f"zone={ZONE[4]}")
    found = re.findall(r"^(\w+),orig=\(\S+?,dport=(\d+)\).*labels=0x\w*[4-7c-f]\w{16}\b", text, re.MULTILINE)
    return {f"{port}/{protocol}" for protocol, port in found}


def test_a_change_ends_what_it_forbids(scene: AgentScene) -> None:
    scene.start("--established", "cut")
    scene.settled()
    converse(scene, 80)
    converse(scene, 90)
    converse(scene, 53, Protocol.UDP)
    scene.wait(lambda: open_to(scene) == {"80/tcp", "90/tcp", "53/udp"})
    scene.kubectl("apply", "-f", "-", stdin=policy("to-db", 80))
    scene.wait(lambda: open_to(scene) == {"80/tcp"})
    scene.wait(lambda: "connections that the policies forbid: 2 cut" in scene.log.read_text())
    scene.settled()
    assert open_to(scene) == {"80/tcp"}
    scene.kubectl("label", "pod", "frontend", "role=other", "--overwrite")
    scene.wait(lambda: not open_to(scene))
    assert scene.stop() == 0


def test_what_is_forbidden_at_the_start_ends(scene: AgentScene) -> None:
    scene.start()
    scene.settled()
    converse(scene, 80)
    converse(scene, 90)
    scene.kubectl("apply", "-f", "-", stdin=policy("to-db", 80))
    scene.settled()
    assert open_to(scene) == {"80/tcp", "90/tcp"}
    scene.stop()
    scene.start("--established", "cut")
    scene.wait(lambda: open_to(scene) == {"80/tcp"})
    scene.stop()
