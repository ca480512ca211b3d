"""An address that gets a new holder: nothing that was open to or from the last holder passes for the next one."""

from itertools import chain

import pytest

from ovsnp.model.options import Encap
from tests.ovs.holder_scene import Conversation, HolderScene
from tests.ovs.service_scene import PODS, ServiceScene
from tests.support.combinations import covering

PAIRS = [("client", "web-0"), ("client", "web-2"), ("stranger", "web-1"), ("stranger", "web-2")]


def conversations(there: HolderScene, version: int) -> list[Conversation]:
    return list(chain.from_iterable(there.converse(client, server, version) for client, server in PAIRS))


def mode(encap: Encap, masquerade: bool) -> list[str]:
    return ["--encap", encap, *(["--masquerade"] if masquerade else [])]


def nodes_of(it: Conversation) -> set[int]:
    return {PODS[it.client][0] - 1, PODS[it.server][0] - 1}


@pytest.mark.parametrize(
    ("encap", "masquerade", "version", "pod", "applied"),
    covering(Encap, (False, True), (4, 6), ("client", "web-0", "web-2"), ((0,), (1,), (0, 1)), strength=3),
)
def test_nothing_passes_for_the_next_holder(
    scene: ServiceScene, encap: Encap, masquerade: bool, version: int, pod: str, applied: tuple[int, ...]
) -> None:
    """Each node must ensure it by itself: the other one may not know yet."""
    there = HolderScene(scene, *mode(encap, masquerade))
    open_before = conversations(there, version)
    there.give(pod, "the next")
    there.forbid()
    there.apply(applied)
    for it in open_before:
        if pod not in (it.client, it.server) or not nodes_of(it) & {*applied}:
            assert there.goes_on(it), it
            continue
        assert not there.client_speaks(it), it
        assert not there.client_begins(it), it
        # Any pod may send to a node's gateway, and until its own apply the client's node translates this address back.
        if not (it.service and masquerade and 0 not in applied):
            assert not there.server_speaks(it), it


@pytest.mark.parametrize(("encap", "masquerade", "version"), covering(Encap, (False, True), (4, 6)))
def test_for_the_same_holder_everything_goes_on(
    scene: ServiceScene, encap: Encap, masquerade: bool, version: int
) -> None:
    there = HolderScene(scene, *mode(encap, masquerade))
    open_before = conversations(there, version)
    there.forbid()
    assert not any("forgotten" in answer.out for answer in there.apply())
    assert all(there.goes_on(it) for it in open_before)
