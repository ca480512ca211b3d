"""Much at once: thousands of policies, and pods that come and go without a pause."""

import os
import time
from typing import Any

import pytest

from tests.agent.agent_scene import AgentScene
from tests.cluster.objects import AT_ONCE

POLICIES = int(os.environ.get("OVSNP_POLICIES", "2000"))
PODS = int(os.environ.get("OVSNP_PODS", "100"))
A_SECOND = 50
"""The pods that come in a second, and as many go."""

OF_POLICIES = "/apis/networking.k8s.io/v1/namespaces/default/networkpolicies"
OF_PODS = "/api/v1/namespaces/default/pods"


def policy(number: int) -> dict[str, Any]:
    """A policy with a port of its own."""
    role = {"matchLabels": {"role": "frontend"}}
    ports = [{"port": 1 + number % 65535}]
    spec = {
        "podSelector": {"matchLabels": {"role": "db"}},
        "ingress": [{"from": [{"podSelector": role}], "ports": ports}],
    }
    return {"metadata": {"name": f"policy-{number}"}, "spec": spec}


def test_thousands_of_policies_at_once(followed: AgentScene) -> None:
    client = followed.control_plane.client
    for number in range(POLICIES):
        client.post(OF_POLICIES, policy(number))
    followed.settled()
    client.delete(OF_POLICIES)
    followed.settled()


@pytest.mark.parametrize("node", ["node-1", "node-2"])
def test_pods_that_come_and_go_without_a_pause(followed: AgentScene, node: str) -> None:
    client, number = followed.control_plane.client, node[-1]
    for turn in range(PODS):
        due = time.monotonic() + 1 / A_SECOND
        name, address = f"pod-{number}-{turn}", f"10.20.{number}.{100 + turn % 10}"
        labels = {"role": ("frontend", "other")[turn % 2]}
        spec = {"nodeName": node, "containers": [{"name": "main", "image": "none"}]}
        client.post(OF_PODS, {"metadata": {"name": name, "labels": labels}, "spec": spec})
        status = {"phase": "Running", "podIPs": [{"ip": address}], "podIP": address}
        client.patch(f"{OF_PODS}/{name}/status", {"status": status})
        if turn >= 10:
            client.delete(f"{OF_PODS}/pod-{number}-{turn - 10}", AT_ONCE)
        time.sleep(max(due - time.monotonic(), 0))
    followed.settled()
