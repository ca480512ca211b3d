"""Changes of an address's holder: which count, what `apply` and `diff` say of them, and what survives a kill."""

import json
import signal
from pathlib import Path

import pytest

from ovsnp.model.ports import Protocol
from tests.ovs.fault_scene import EMPTY
from tests.ovs.holder_scene import Conversation, HolderScene
from tests.ovs.service_scene import BACKENDS, PODS, ServiceScene, address_of, first
from tests.ovs.wired import BRIDGE
from tests.support.applying import Answer

GONE = f"{BRIDGE}: connections of pods that are gone: {{}} forgotten\n"


@pytest.fixture
def there(scene: ServiceScene) -> HolderScene:
    return HolderScene(scene)


def direct(there: HolderScene, client: str, server: str) -> Conversation:
    return next(iter(there.converse(client, server, 4)))


def manifests(there: HolderScene) -> str:
    return (there.scene.manifests / "cluster.yaml").read_text()


def leave(there: HolderScene, pod: str) -> None:
    """Delete a pod of node-2."""
    documents = [one for one in manifests(there).split("---") if f"name: {pod}," not in one]
    there.scene.write("cluster", "---".join(documents))
    there.scene.nodes[1].unplug(pod)


def come_back(there: HolderScene, pod: str, cluster: str) -> None:
    """Create a pod again, in a cluster like the one before."""
    there.scene.write("cluster", cluster)
    there.scene.nodes[1].plug(pod)


# Which changes count


def test_a_pod_that_goes_takes_its_connections_along(there: HolderScene) -> None:
    gone, kept = direct(there, "client", "web-2"), direct(there, "client", "web-0")
    before = manifests(there)
    there.scene.serve(["web-0"])
    leave(there, "web-2")
    assert "flows" in there.apply()[0].out
    assert "10.20.2.12" not in there.scene.nodes[0].switch.appctl("dpctl/dump-conntrack")
    assert there.goes_on(kept)
    come_back(there, "web-2", before)
    there.forbid()
    there.apply()
    assert not there.client_speaks(gone)
    assert not there.server_speaks(gone)


def test_a_pod_that_is_finished_holds_nothing(there: HolderScene) -> None:
    it = direct(there, "client", "web-2")
    name, _, rest = manifests(there).partition("metadata: {name: web-2,")
    there.scene.write("cluster", f"{name}metadata: {{name: web-2,{rest.replace('Running', 'Succeeded', 1)}")
    there.apply()
    there.scene.write("cluster", f"{name}metadata: {{name: web-2,{rest}")
    there.forbid()
    there.apply()
    assert not there.goes_on(it)


def test_two_pods_that_swap_their_addresses(there: HolderScene) -> None:
    them = direct(there, "client", "web-0"), direct(there, "client", "web-1")
    text = manifests(there)
    for version in (4, 6):
        one, other = address_of("web-0", version), address_of("web-1", version)
        text = text.replace(f'"{one}"', "swapped").replace(f'"{other}"', f'"{one}"').replace("swapped", f'"{other}"')
    there.scene.write("cluster", text)
    there.forbid()
    assert GONE.format(2) in there.apply()[0].out
    assert not any(there.client_speaks(it) or there.server_speaks(it) for it in them)


def test_without_uid_a_pod_is_known_by_its_name_and_node(there: HolderScene) -> None:
    text = manifests(there)
    for pod in PODS:
        text = text.replace(f'uid: "{pod}\'s first", ', "")
    there.scene.write("cluster", text)
    there.apply()
    goes, stays = direct(there, "client", "web-2"), direct(there, "client", "web-0")
    there.scene.write("cluster", text.replace("name: web-2,", "name: web-3,"))
    there.forbid()
    there.scene.nodes[1].vsctl("set", "Interface", "pod-1", "external_ids:iface-id=default/web-3")
    there.apply()
    assert there.goes_on(stays)
    assert not there.client_speaks(goes)
    assert not there.server_speaks(goes)


def test_an_attempt_to_reach_an_address_that_nobody_held(there: HolderScene) -> None:
    """The client's node lets the packet out, and the other node has no such pod; then a pod comes and answers."""
    whole = manifests(there)
    there.scene.serve(["web-0"])
    leave(there, "web-2")
    there.apply()
    began = first(address_of("client", 4), 999, address_of("web-2", 4), 5353, Protocol.UDP)
    assert there.scene.send("client", began) == []
    assert "10.20.2.12" in there.scene.nodes[0].switch.appctl("dpctl/dump-conntrack")
    come_back(there, "web-2", whole)
    there.apply([1])
    there.forbid()
    assert GONE.format(1) in there.apply([0])[0].out
    assert there.scene.send("web-2", began.answer()) == []
    assert len(there.scene.tunneled) == 1


# Messages


def test_diff_says_what_apply_would_forget(there: HolderScene) -> None:
    list(there.converse("client", "web-2", 4))
    there.give("web-2", "the next")
    node, where = there.scene.nodes[0], there.scene.manifests
    shown = node.run("diff", where)
    assert (shown.code, shown.out.splitlines()[2:]) == (1, ["@@ connections of pods that are gone @@", "-4 forgotten"])
    document = json.loads(node.run("diff", where, "-o", "json").out)
    assert (document["differences"], document["forgotten"], document["holders_known"]) == (True, 4, True)
    assert node.apply(where).out == EMPTY + GONE.format(4)
    assert node.run("diff", where) == Answer(0, "", "")
    there.give("web-2", "the third")
    assert node.run("diff", where) == Answer(0, "", "")
    list(there.converse("client", "web-2", 6))
    outcome = json.loads(node.apply(where, "-o", "json").out)
    assert {key: outcome[key] for key in ("cut", "forgotten", "holders_known", "emptied_zones")} == {
        "cut": 0,
        "forgotten": 4,
        "holders_known": True,
        "emptied_zones": [],
    }


# The record


@pytest.mark.parametrize("content", [None, b"", b"\xff rubbish", b"\x92\x02\x80", b"\x92\x01\x81\xa1x\xa1y"])
def test_without_a_record_all_connections_are_forgotten(there: HolderScene, content: bytes | None) -> None:
    it = direct(there, "client", "web-0")
    for node in (0, 1):
        there.record(node).unlink()
        if content is not None:
            there.record(node).write_bytes(content)
    there.forbid()
    out = there.apply()[0].out
    assert f"{BRIDGE}: connections of unknown pods (no record of who held which address): " in out
    assert not there.goes_on(it)
    assert there.scene.nodes[0].switch.appctl("dpctl/dump-conntrack") == ""
    assert there.whole(0)


def test_a_record_is_written_only_where_a_holder_changed(there: HolderScene) -> None:
    before = there.record(0).stat()
    there.forbid()
    there.apply()
    assert there.record(0).stat() == before
    assert oct(before.st_mode & 0o777) == "0o600"
    there.give("web-2", "the next")
    there.apply()
    assert there.record(0).stat().st_ino != before.st_ino


def test_a_record_that_cannot_be_read_is_an_error(there: HolderScene) -> None:
    there.record(0).unlink()
    there.record(0).mkdir()
    answer = there.scene.nodes[0].run("apply", there.scene.manifests)
    there.record(0).rmdir()
    assert (answer.code, answer.out) == (4, "")
    assert "cannot be read: Is a directory" in answer.err


# Killed


def prepared(there: HolderScene, pod: str, uid: str) -> list[Conversation]:
    """Open connections; then another pod gets the address of one of the two, and the policy forbids its connections."""
    there.allow()
    there.apply()
    them = [direct(there, "client", "web-0"), direct(there, "client", "web-2")]
    there.scene.converse("client", 100)
    there.give(pod, uid)
    there.forbid()
    return [it for it in them if pod in (it.client, it.server)]


def heard(there: HolderScene, them: list[Conversation]) -> list[Conversation]:
    """The conversations of which a packet arrives, from either side."""
    return [it for it in them if there.client_speaks(it) or there.server_speaks(it)]


@pytest.mark.parametrize("pod", ["client", "web-0", "web-2"])
def test_killed_at_any_moment_nothing_is_open_and_the_next_apply_completes_it(
    there: HolderScene, pod: str, tmp_path: Path
) -> None:
    there.scene.serve([pod if pod in BACKENDS else "web-0"], 600)
    prepared(there, pod, "the next")
    file = tmp_path / "moments"
    assert there.killed_at("none", file) == 0
    closed, *others = [one for one in file.read_text().splitlines() if one.startswith("return ofctl.bundle ")]
    assert len(others) == 4  # two that await the flows, one for learned flows, one that opens the addresses
    them = prepared(there, pod, "the one after")
    assert there.killed_at(closed.replace("return", "call"), file) == -signal.SIGKILL
    assert heard(there, them) == them
    steps = ["datapath.await_flows", "forget.forget", "affinity.outdated", "record.write_record"]
    for moment in [closed, *others[:-1], *(f"return {step} 1" for step in steps)]:
        them = prepared(there, pod, moment)
        assert there.killed_at(moment, file) == -signal.SIGKILL, moment
        there.revalidated(0)  # the bundle may have returned before the datapath's flows follow it
        assert heard(there, them) == [], moment
        assert there.closed(0) == 6, moment
        there.apply([0])
        assert heard(there, them) == [], moment
        assert learned(there, 4) == [], moment
        assert there.whole(0), moment


# Endpoints that clients keep


@pytest.mark.parametrize("version", [4, 6])
def test_a_client_keeps_no_endpoint_of_the_holder_before(scene: ServiceScene, version: int) -> None:
    there = HolderScene(scene, affinity=600)
    mine, others = scene.converse("client", 100, version).at, scene.converse("stranger", 100, version).at
    assert set(learned(there, version)) == {address_of("client", version), address_of("stranger", version)}
    there.give("client", "the next")
    there.apply()
    assert learned(there, version) == [address_of("stranger", version)]
    assert scene.converse("client", 101, version).at in BACKENDS
    there.give(others, "the next")
    there.apply()
    assert address_of("stranger", version) not in learned(there, version)
    assert mine in BACKENDS


def learned(there: HolderScene, version: int) -> list[str]:
    """The clients that keep an endpoint."""
    asked = ["ovs-ofctl", "-OOpenFlow15", "--names", "--no-stats", "dump-flows", BRIDGE, "table=SessionAffinity"]
    field = "nw_src=" if version == 4 else "ipv6_src="
    lines = there.scene.nodes[0].switch.run(asked).splitlines()
    return [line.partition(field)[2].partition(",")[0] for line in lines if field in line]
