"""What an agent tells the cluster: the object of its node, the condition of the Node, and Events."""

import json
import time
from typing import Any

from tests.agent.agent_scene import AgentScene
from tests.support.applying import policy

LONGEST_PAUSE = 6.0
"""Seconds; longer than an agent waits between two writes."""


def test_object_of_the_node(scene: AgentScene) -> None:
    scene.bridge.add_pod("default/db", "db1")
    scene.start()
    scene.settled()
    scene.wait(lambda: "deploy/crd.yaml" in (report(scene)["publishing"] or ""))
    scene.install_kind()
    scene.wait(lambda: ready(scene) == "True")
    there = json.loads(scene.kubectl("get", "nps", "node-1", "-o", "json"))
    (owner,) = there["metadata"]["ownerReferences"]
    node = json.loads(scene.kubectl("get", "node", "node-1", "-o", "json"))
    assert (owner["kind"], owner["uid"]) == ("Node", node["metadata"]["uid"])
    status = there["status"]
    assert status["agent"]["bridge"] == scene.bridge.bridge
    assert {each["type"]: each["status"] for each in status["conditions"]} == {
        "Ready": "True",
        "APIServerConnected": "True",
        "SwitchConnected": "True",
    }
    assert condition(node)["status"] == "True"
    assert report(scene)["publishing"] is None
    header, row = scene.kubectl("get", "nps").splitlines()
    assert header.split() == ["NAME", "READY", "NOT", "REALISED", "VERSION", "AGE"]
    assert row.split()[:3] == ["node-1", "True", "0"]

    scene.wait(lambda: "PortNotInOrder" in scene.kubectl("get", "events"))
    (event,) = json.loads(scene.kubectl("get", "events.events.k8s.io", "-o", "json"))["items"]
    assert event["regarding"]["name"] == "db"
    assert "PortNotInOrder" in scene.kubectl("describe", "pod", "db")
    assert "db1" in event["note"]

    scene.kubectl("apply", "-f", "-", stdin=policy("to-db", 80))
    stored = json.loads(scene.kubectl("get", "networkpolicy", "to-db", "-o", "json"))
    scene.wait(lambda: observed(scene) >= int(stored["metadata"]["resourceVersion"]))

    scene.switch.appctl("revalidator/pause")  # megaflows of earlier flows stay
    try:
        scene.kubectl("apply", "-f", "-", stdin=policy("to-db", 81))
        stored = json.loads(scene.kubectl("get", "networkpolicy", "to-db", "-o", "json"))
        version = int(stored["metadata"]["resourceVersion"])
        scene.wait(lambda: int(report(scene)["observed"]["NetworkPolicy"]) >= version)
        time.sleep(LONGEST_PAUSE)
        assert observed(scene) < version
    finally:
        scene.switch.appctl("revalidator/resume")
    scene.wait(lambda: observed(scene) >= version)

    scene.kubectl("delete", "node", "node-1")
    scene.control_plane.load(scene.directory / "objects.yaml")
    scene.kubectl("delete", "nps", "node-1")  # by its owner, which is gone
    scene.kubectl("delete", "networkpolicy", "to-db")
    scene.wait(lambda: "node-1" in scene.kubectl("get", "nps", "-o", "name") and ready(scene) == "True")
    scene.wait(lambda: "OvsnpNetworkReady" in scene.kubectl("get", "node", "node-1", "-o", "json"))

    assert scene.stop() == 0
    ended = json.loads(scene.kubectl("get", "nps", "node-1", "-o", "json"))["status"]["conditions"]
    assert {each["type"]: each["reason"] for each in ended}["Ready"] == "AgentEnded"
    text = scene.log.read_text()
    assert text.count("deploy/crd.yaml") == 1


def report(scene: AgentScene) -> dict[str, Any]:
    return dict(json.loads(scene.ask("/status")[1]))


def ready(scene: AgentScene) -> str:
    path = '{.items[*].status.conditions[?(@.type=="Ready")].status}'
    return scene.kubectl("get", "nps", "-o", f"jsonpath={path}")


def observed(scene: AgentScene) -> int:
    return int(scene.kubectl("get", "nps", "node-1", "-o", "jsonpath={.status.observed.NetworkPolicy}"))


def condition(node: dict[str, Any]) -> dict[str, Any]:
    return next(each for each in node["status"]["conditions"] if each["type"] == "OvsnpNetworkReady")
