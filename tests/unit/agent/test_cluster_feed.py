"""The feed of an agent: what it keeps while it waits, and when it gives up at start."""

import msgspec

from ovsnp.agent.program.cluster_feed import ClusterFeed
from ovsnp.kubernetes.events import KindListed, ObjectChange, RelistReason, WatchRestored, WatchTrouble


def pod(name: str, version: int, *, gone: bool = False) -> ObjectChange:
    body = None if gone else msgspec.Raw(b'{"version": %d}' % version)
    return ObjectChange("Pod", "default", name, body, str(version), 0.0)


def test_only_the_last_change_of_an_object_is_kept() -> None:
    feed = ClusterFeed(["Pod", "Node"])
    feed.take(KindListed("Pod", "2", [pod("a", 1), pod("b", 2)], RelistReason.START))
    for version in range(3, 1000):
        feed.take(pod("a", version))
    feed.take(pod("b", 1000, gone=True))
    assert feed.versions == {"Pod": "1000"}
    assert feed.take_changes() == [pod("a", 999), pod("b", 1000, gone=True)]
    assert feed.take_changes() == []


def test_start_ends_when_every_list_that_lacks_is_refused() -> None:
    feed = ClusterFeed(["Pod", "Node", "Service"])
    feed.take(WatchTrouble("Pod", "no pods", refused=True))
    feed.take(WatchTrouble("Node", "no nodes", refused=True))
    assert feed.refusal is None
    feed.take(KindListed("Service", "1", [], RelistReason.START))
    assert feed.refusal == "no nodes\nno pods"


def test_server_that_cannot_be_reached_refuses_nothing() -> None:
    feed = ClusterFeed(["Pod"])
    feed.take(WatchTrouble("Pod", "forbidden", refused=True))
    feed.take(WatchTrouble("Pod", "the connection is refused"))
    assert feed.refusal is None
    feed.take(WatchTrouble("Pod", "forbidden", refused=True))
    feed.take(WatchRestored("Pod"))
    assert feed.refusal is None


def test_refusal_after_the_start_is_trouble_only() -> None:
    feed = ClusterFeed(["Pod"])
    feed.take(KindListed("Pod", "1", [], RelistReason.START))
    feed.take(WatchTrouble("Pod", "forbidden", refused=True))
    assert feed.refusal is None
    assert feed.troubles == {"Pod": "forbidden"}
