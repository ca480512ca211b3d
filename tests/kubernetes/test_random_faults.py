"""The law of the watch: whatever changes and fails, the events add up to the objects of the server.

`Watched` holds each event against the ones before: a deletion of an object that never came is an error, and so is an
object that comes twice in one version.
"""

import os
from random import Random

import pytest

from tests.support.scripted_api import ScriptedApi
from tests.support.scripted_faults import FAULTS
from tests.support.watching import PODS, Watched

SEEDS = int(os.environ.get("OVSNP_CLUSTERS", "24"))
NAMES = [f"pod-{letter}" for letter in "abcdefgh"]


@pytest.mark.parametrize("seed", range(SEEDS))
def test_events_add_up_to_the_objects_of_the_server(api: ScriptedApi, watch: Watched, seed: int) -> None:
    random = Random(seed)
    api.streams_lists = random.random() < 0.7
    api.next[PODS] += random.choices(FAULTS, k=random.randrange(4))
    watch.begin()
    for _ in range(6):
        change(api, random)
        if random.random() < 0.3:
            api.compact()
        api.next[PODS] += random.choices(FAULTS, k=random.randrange(5))
        if random.random() < 0.8:
            api.end_watches()
        change(api, random)
        watch.until("Pod", api.versions(PODS))
    assert watch.versions() == api.versions(PODS)


def change(api: ScriptedApi, random: Random) -> None:
    """Some objects that come, change and go, and changes of another kind."""
    for _ in range(random.randrange(6)):
        name = random.choice(NAMES)
        if ("shop", name) in api.objects[PODS] and random.random() < 0.5:
            api.delete(PODS, "shop", name)
        else:
            api.put(PODS, "shop", name, phase=random.choice(("Pending", "Running")))
        if random.random() < 0.3:
            api.put("/api/v1/nodes", "", "node-1")
