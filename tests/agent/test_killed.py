"""An agent that is killed at any moment, while packets come all the time."""

import os
import signal
import time
from random import Random

from tests.agent.agent_scene import AgentScene
from tests.agent.traffic_scene import TrafficScene

KILLS = int(os.environ.get("OVSNP_KILLS", "8"))


def assert_kept(before: dict[str, tuple[float, int]], after: dict[str, tuple[float, int]]) -> None:
    """The flows that are there before and after have become older, and count on."""
    for flow in before.keys() & after.keys():
        assert after[flow] >= before[flow], flow
        assert after[flow][1] >= before[flow][1], flow


def test_killed_at_random_moments_the_bridge_becomes_right_and_no_packet_passes_that_neither_state_allows(
    scene: AgentScene,
) -> None:
    random = Random(12)
    with TrafficScene(scene) as traffic:
        began = time.monotonic()
        scene.start()
        scene.settled()
        span = time.monotonic() - began
        traffic.open()
        for _ in range(KILLS):
            ages = scene.bridge.ages()
            traffic.change()
            time.sleep(random.uniform(0.0, span))
            assert scene.stop(signal.SIGKILL) == -signal.SIGKILL
            scene.start()
            if random.random() < 0.5:
                time.sleep(random.uniform(0.0, span))
                assert scene.stop(signal.SIGKILL) == -signal.SIGKILL
                scene.start()
            traffic.settle()
            assert_kept(ages, scene.bridge.ages())
