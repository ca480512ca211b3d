"""The metrics of an agent that runs: a policy's time to the switch, the flows, and the connections."""

from tests.agent.agent_scene import AgentScene
from tests.support.applying import policy
from tests.support.metrics_text import samples

POLICIES = 'ovsnp_agent_realization_duration_seconds_count{kind="NetworkPolicy"}'
ADDED = 'ovsnp_agent_flow_mods_total{command="add",result="ok"}'
BUNDLES = "ovsnp_agent_bundle_duration_seconds_count"


def test_a_policy_is_counted_when_its_flows_are_confirmed(scene: AgentScene) -> None:
    scene.start()
    scene.settled()
    before = scraped(scene)
    assert before["ovsnp_agent_ready"] == before["ovsnp_agent_openflow_connected"] == 1
    scene.kubectl("apply", "-f", "-", stdin=policy("to-db", 80))
    scene.wait(lambda: scraped(scene)[POLICIES] == before[POLICIES] + 1)
    after = scraped(scene)
    assert after[ADDED] > before[ADDED]
    assert after[BUNDLES] == before[BUNDLES] + 1
    flows = sum(value for name, value in after.items() if name.startswith("ovsnp_agent_flows{"))
    assert flows == sum("cookie=0xa5e" in line for line in scene.bridge.ofctl("dump-flows").splitlines())
    assert after["process_resident_memory_bytes"] > 0


def scraped(scene: AgentScene) -> dict[str, float]:
    status, text = scene.ask("/metrics")
    assert status == 200
    return dict(samples(text.encode()))
