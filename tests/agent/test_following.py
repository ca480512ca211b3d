"""An agent follows a real API server: after every change the bridge is as a compilation from nothing makes it."""

import json

from tests.agent.agent_scene import AgentScene
from tests.support.applying import policy

LABELS = '{"metadata": {"labels": {"role": "frontend"}}}'


def test_bridge_follows_policies_pods_and_ports(scene: AgentScene) -> None:
    scene.start()
    scene.settled()
    scene.kubectl("apply", "-f", "-", stdin=policy("to-db", 80))
    scene.settled()
    assert "tp_dst=80" in scene.bridge.ofctl("dump-flows")
    scene.kubectl("delete", "pod", "remote", "--grace-period=0", "--force")
    scene.settled()
    scene.bridge.vsctl("del-port", "fe0")
    scene.settled()
    scene.bridge.add_pod("default/frontend", "fe1")
    scene.settled()
    scene.kubectl("delete", "networkpolicy", "to-db")
    scene.settled()
    assert "tp_dst=80" not in scene.bridge.ofctl("dump-flows")
    assert scene.stop() == 0
    assert json.loads(scene.kubectl("get", "pods", "-o", "json"))["items"]
    assert scene.is_as_compiled()
