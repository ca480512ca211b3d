"""The metrics of an agent that runs: a policy's time to the switch, the flows, and the connections."""

import threading
from collections.abc import Callable

from ovsnp.agent.agent import Agent
from ovsnp.agent.metrics import AgentMetrics
from ovsnp.kubernetes.configuration import find_api_server
from ovsnp.kubernetes.connection import ApiConnection
from ovsnp.model.options import Options
from tests.agent.agent_scene import AgentScene
from tests.support.applying import policy
from tests.support.metrics_text import samples

POLICIES = 'ovsnp_agent_realization_duration_seconds_count{kind="NetworkPolicy"}'
ADDED = 'ovsnp_agent_flow_mods_total{command="add",result="ok"}'


def test_a_policy_is_counted_when_its_flows_are_confirmed(scene: AgentScene) -> None:
    metrics = AgentMetrics()
    connection = ApiConnection(find_api_server(str(scene.control_plane.kubeconfig), None))
    options = Options(bridge=scene.bridge.bridge, node="node-1")
    agent = Agent(connection, scene.switch.location, options, metrics)
    thread = threading.Thread(target=agent.run)
    thread.start()
    try:
        wait(thread, lambda: samples(metrics.metrics_text())["ovsnp_agent_ready"] == 1)
        before = samples(metrics.metrics_text())
        scene.kubectl("apply", "-f", "-", stdin=policy("to-db", 80))
        wait(thread, lambda: samples(metrics.metrics_text())[POLICIES] == before[POLICIES] + 1)
    finally:
        agent.stop()
        thread.join()
    after = samples(metrics.metrics_text())
    assert after[ADDED] > before[ADDED]
    assert after["ovsnp_agent_bundle_duration_seconds_count"] == before["ovsnp_agent_bundle_duration_seconds_count"] + 1
    flows = {name: value for name, value in after.items() if name.startswith("ovsnp_agent_flows{")}
    assert sum(flows.values()) == len(scene.bridge.ofctl("dump-flows").strip().splitlines()) - 1


def wait(thread: threading.Thread, reached: Callable[[], bool]) -> None:
    while not reached():
        thread.join(0.05)
        assert thread.is_alive()
