"""Signals: an agent ends, reads its configuration again, and refuses to be the second one; the flows stay."""

import signal

from tests.agent.agent_scene import AgentScene


def test_sighup_reads_the_configuration_again_unless_it_has_mistakes(scene: AgentScene) -> None:
    configuration = scene.directory / "settings"
    configuration.write_text("strict-nodes: false")
    scene.start("--config", str(configuration))
    scene.settled()
    lax = scene.bridge.ages()
    assert scene.agent
    configuration.write_text("strict-nodes: true")
    scene.agent.send_signal(signal.SIGHUP)
    scene.wait(lambda: scene.bridge.ages().keys() != lax.keys())
    configuration.write_text("strict-nodes: [")
    scene.wait(lambda: scene.logged("has mistakes") > 0 or scene.agent.send_signal(signal.SIGHUP))
    strict = scene.bridge.ages()
    assert strict.keys() != lax.keys()
    assert all(strict[flow] >= lax[flow] for flow in strict.keys() & lax.keys())
    configuration.write_text("strict-nodes: false")
    scene.agent.send_signal(signal.SIGHUP)
    scene.settled()


def test_second_agent_of_a_bridge_refuses(scene: AgentScene) -> None:
    scene.start()
    scene.settled()
    first = scene.agent
    scene.start()
    assert scene.agent
    assert scene.agent.wait(timeout=120) == 4
    assert "keeps bridge br-agent, and a bridge has one agent" in scene.log.read_text()
    scene.agent = first
    assert scene.stop() == 0
