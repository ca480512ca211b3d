"""The ClusterRole of deploy/ allows what the agent asks of a real API server, and no more."""

import json
from itertools import product
from typing import Any

from ovsnp.agent.permissions import PERMISSIONS
from ovsnp.kubernetes.resources import FOLLOWED, NETWORK_POLICIES
from tests.agent.agent_scene import AgentScene
from tests.cluster.audit import Asked
from tests.support.agent_account import NAME, NAMESPACE, AgentAccount
from tests.support.applying import policy
from tests.support.deploying import manifest

RULES: list[dict[str, Any]] = manifest("cluster-role.yaml")["rules"]

LISTS = {Asked(resource.group, resource.plural, "list") for resource in FOLLOWED}
"""Lists in one answer are for API servers that stream none."""

NEEDED = {Asked(*each) for permission in PERMISSIONS for each in product(*permission.rule.values())}


def allowed(rules: list[dict[str, Any]]) -> set[Asked]:
    return {Asked(*each) for rule in rules for each in product(rule["apiGroups"], rule["resources"], rule["verbs"])}


def without(resource: str) -> list[dict[str, Any]]:
    """The rules, less those for one resource."""
    left = [{**rule, "resources": [each for each in rule["resources"] if each != resource]} for rule in RULES]
    return [rule for rule in left if rule["resources"]]


def test_an_agent_with_these_rules_follows_and_needs_each_of_them(scene: AgentScene) -> None:
    token = AgentAccount(scene.control_plane).pod_token("node-1")
    scene.install_kind()
    scene.bridge.add_pod("default/db", "db1")
    scene.start("--kubeconfig", str(scene.control_plane.token_kubeconfig("agent", token)))
    scene.settled()
    scene.kubectl("apply", "-f", "-", stdin=policy("to-db", 80))
    scene.settled()
    scene.wait(lambda: "PortNotInOrder" in scene.kubectl("get", "events"))
    assert json.loads(scene.ask("/status")[1])["publishing"] is None
    assert scene.stop() == 0
    asked = scene.control_plane.asked_by(NAME, NAMESPACE)
    assert asked - allowed(RULES) == set()
    assert allowed(RULES) == NEEDED
    assert NEEDED - asked - LISTS == set()
    assert {Asked(resource.group, resource.plural, "watch") for resource in FOLLOWED} <= asked


def test_an_agent_says_which_rule_is_missing(scene: AgentScene) -> None:
    kubeconfig = scene.control_plane.service_account("agent-less", without("networkpolicies"))
    scene.start("--kubeconfig", str(kubeconfig))
    scene.wait(lambda: NETWORK_POLICIES.rule("watch") in scene.log.read_text())
    assert not scene.is_as_compiled()
