"""An agent with ``--established cut`` ends the open connections that a change forbids, and touches no other."""

import re

from ovsnp.model.ports import Protocol
from ovsnp.pipeline.conntrack import ZONE
from ovsnp.pipeline.ports import ROUTER_MAC
from ovsnp.pipeline.registers import ANSWERED
from tests.agent.agent_scene import AgentScene
from tests.ovs.frames import End, Flag, Packet, frame
from tests.support.applying import policy

FRONTEND, DB = ("fe0", "10.20.1.11"), ("db0", "10.20.1.10")


def converse(scene: AgentScene, port: int) -> None:
    """Open a TCP connection from the frontend to a port of the database; the database answers."""
    began = Packet(Protocol.TCP, End(FRONTEND[1], 40000), End(DB[1], port), Flag.SYN)
    for (name, address), packet in ((FRONTEND, began), (DB, began.answer(Flag.SYN | Flag.ACK))):
        mac = 0x0A58 << 32 | int.from_bytes(bytes(map(int, address.split("."))), "big")
        scene.switch.appctl("netdev-dummy/receive", name, frame(packet, mac, ROUTER_MAC))


def open_to(scene: AgentScene) -> set[int]:
    """The ports to which connections are open, and answered."""
    text = scene.switch.appctl("dpctl/dump-conntrack", f"zone={ZONE[4]}")
    found = re.findall(r"^tcp,orig=\(\S+?,dport=(\d+)\).*labels=0x([0-9a-f]+)", text, re.MULTILINE)
    return {int(port) for port, label in found if int(label, 16) >> ANSWERED.lsb & 1}


def test_a_change_ends_what_it_forbids(scene: AgentScene) -> None:
    scene.start("--established", "cut")
    scene.settled()
    converse(scene, 80)
    converse(scene, 90)
    converse(scene, 91)
    scene.wait(lambda: open_to(scene) == {80, 90, 91})
    scene.kubectl("apply", "-f", "-", stdin=policy("to-db", 80))
    scene.wait(lambda: open_to(scene) == {80})
    scene.wait(lambda: "connections that the policies forbid: 2 cut" in scene.log.read_text())
    scene.settled()
    assert open_to(scene) == {80}
    scene.kubectl("label", "pod", "frontend", "role=other", "--overwrite")
    scene.wait(lambda: not open_to(scene))
    assert scene.stop() == 0


def test_what_is_forbidden_at_the_start_ends(scene: AgentScene) -> None:
    scene.start()
    scene.settled()
    converse(scene, 80)
    converse(scene, 90)
    scene.wait(lambda: open_to(scene) == {80, 90})
    scene.kubectl("apply", "-f", "-", stdin=policy("to-db", 80))
    scene.settled()
    assert open_to(scene) == {80, 90}
    scene.stop()
    scene.start("--established", "cut")
    scene.wait(lambda: open_to(scene) == {80})
    scene.stop()
