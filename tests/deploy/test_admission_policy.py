"""A real API server takes what an agent writes about its own node, and nothing else."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from tests.cluster.client import ApiError, Client
from tests.cluster.control_plane import ControlPlane
from tests.support.agent_account import AgentAccount
from tests.support.applying import CLUSTER
from tests.support.deploying import install_kind

STATUSES = "/apis/ovsnp.io/v1alpha1/nodepolicystatuses"
EVENTS = "/apis/events.k8s.io/v1/namespaces/default/events"
STRATEGIC_MERGE_PATCH = "application/strategic-merge-patch+json"

Write = Callable[[Client, str], None]
"""Writes an object about a node."""


@pytest.fixture(scope="module")
def cluster(standing_control_plane: ControlPlane, tmp_path_factory: pytest.TempPathFactory) -> ControlPlane:
    """A cluster with node-1 and node-2; node-2 has its NodePolicyStatus."""
    standing_control_plane.start()
    standing_control_plane.clear()
    file = tmp_path_factory.mktemp("cluster") / "objects.yaml"
    file.write_text(CLUSTER)
    standing_control_plane.load(file)
    install_kind(standing_control_plane)
    annotated = {"metadata": {"annotations": {"example.com/rack": "1"}}}
    patch_node(standing_control_plane.client, "node-1", condition("Ready") | annotated)
    create_status(standing_control_plane.client, "node-2")
    return standing_control_plane


@pytest.fixture(scope="module")
def account(cluster: ControlPlane) -> AgentAccount:
    """The account of all agents."""
    return AgentAccount(cluster)


@pytest.fixture(scope="module")
def agent(cluster: ControlPlane, account: AgentAccount) -> Client:
    """The agent in a Pod on node-1."""
    return cluster.client_with(account.pod_token("node-1"))


def condition(kind: str, status: str = "True") -> dict[str, Any]:
    return {"status": {"conditions": [{"type": kind, "status": status}]}}


def patch_node(client: Client, node: str, body: Mapping[str, Any]) -> None:
    client.request("PATCH", f"/api/v1/nodes/{node}/status", body, STRATEGIC_MERGE_PATCH)


def create_status(client: Client, node: str) -> None:
    client.post(STATUSES, {"apiVersion": "ovsnp.io/v1alpha1", "kind": "NodePolicyStatus", "metadata": {"name": node}})


def patch_status(client: Client, node: str) -> None:
    client.patch(f"{STATUSES}/{node}/status", {"status": {"notRealisedCount": 1}})


def create_event(client: Client, node: str) -> None:
    event = {
        "metadata": {"name": f"event-{node}"},
        "eventTime": "2026-03-01T09:00:00.000000Z",
        "reportingController": "ovsnp.io/agent",
        "reportingInstance": node,
        "type": "Warning",
        "reason": "NotRealised",
        "action": "Enforce",
        "regarding": {"apiVersion": "v1", "kind": "Pod", "namespace": "default", "name": "db"},
    }
    client.post(EVENTS, event)


def patch_own_condition(client: Client, node: str) -> None:
    patch_node(client, node, condition("OvsnpNetworkReady"))


WRITES = (patch_own_condition, create_status, patch_status, create_event)


def test_an_agent_writes_about_its_own_node(agent: Client) -> None:
    for write in WRITES:
        write(agent, "node-1")


@pytest.mark.parametrize("write", WRITES)
def test_an_agent_writes_about_no_other_node(agent: Client, write: Write) -> None:
    with pytest.raises(ApiError, match=r"the ovsnp agent of node node-1 must not write for node node-2$"):
        write(agent, "node-2")


@pytest.mark.parametrize(
    ("body", "what"),
    [
        ({"metadata": {"labels": {"zone": "a"}}}, "the metadata of a Node"),
        ({"metadata": {"annotations": None}}, "the metadata of a Node"),
        ({"status": {"addresses": [{"type": "InternalIP", "address": "192.168.50.9"}]}}, "the status of a Node"),
        ({"status": None}, "the status of a Node"),
        (condition("Ready", "False"), "a condition of a Node"),
        (condition("MemoryPressure"), "a condition of a Node"),
        ({"status": {"conditions": [{"type": "Ready", "$patch": "delete"}]}}, "a condition of a Node"),
    ],
)
def test_an_agent_changes_nothing_else_of_its_node(agent: Client, body: Mapping[str, Any], what: str) -> None:
    with pytest.raises(ApiError, match=f"the ovsnp agent must not change {what}"):
        patch_node(agent, "node-1", body)


def test_a_token_that_is_bound_to_the_node_serves_too(cluster: ControlPlane, account: AgentAccount) -> None:
    agent = cluster.client_with(account.node_token("node-1"))
    patch_own_condition(agent, "node-1")
    with pytest.raises(ApiError, match="of node node-1 must not write for node node-2"):
        patch_own_condition(agent, "node-2")


@pytest.mark.parametrize("write", WRITES)
def test_a_token_that_names_no_node_writes_nothing(cluster: ControlPlane, account: AgentAccount, write: Write) -> None:
    with pytest.raises(ApiError, match="the token of the ovsnp agent names no node"):
        write(cluster.client_with(account.unbound_token()), "node-1")


def test_other_users_are_not_concerned(cluster: ControlPlane, account: AgentAccount) -> None:
    patch_node(cluster.client, "node-2", condition("MemoryPressure"))
    patch_status(cluster.client, "node-2")
