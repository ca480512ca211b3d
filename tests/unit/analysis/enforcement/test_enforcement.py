"""Policies, pods and what agents have told, joined: where each policy is enforced, and why not elsewhere."""

import time
from typing import Any

import msgspec
import pytest

from ovsnp.analysis.enforcement import enforcement as joined
from ovsnp.analysis.enforcement.cluster_state import NEEDED, ClusterState
from ovsnp.analysis.enforcement.enforcement import LONG, NO_AGENT, PolicyEnforcement, enforcement, health
from ovsnp.analysis.enforcement.resource_versions import reaches
from ovsnp.analysis.enforcement.status_document import document
from ovsnp.analysis.enforcement.status_text import lines, summary
from ovsnp.kubernetes.events import KindListed, ObjectChange, RelistReason

Object = dict[str, Any]

NAME = ("shop", "to-db")
NOW = 1_800_000_000.0
"""The time of the API server."""


def node(name: str, number: int) -> Object:
    addresses = [{"type": "InternalIP", "address": f"172.16.0.{number}"}]
    return made("Node", name, spec={"podCIDRs": [f"10.20.{number}.0/24"]}, status={"addresses": addresses})


def pod(name: str, address: str, on: str, role: str = "db") -> Object:
    status = {"phase": "Running", "podIPs": [{"ip": address}]}
    return made("Pod", name, "shop", spec={"nodeName": on}, status=status, labels={"role": role})


def policy(version: str = "20", generation: int = 1) -> Object:
    spec = {"podSelector": {"matchLabels": {"role": "db"}}, "policyTypes": ["Ingress"]}
    return made("NetworkPolicy", "to-db", "shop", version, spec=spec, generation=generation)


def agent(name: str, policies: str = "20", age: float = 5.0, **status: Any) -> Object:
    written = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(NOW - age))
    told = {
        "observed": {"NetworkPolicy": policies},
        "agent": {"version": "1.0", "started": "2026-01-01T00:00:00Z", "bridge": "br-int"},
        "conditions": [condition("True", "")],
        **status,
    }
    # Somebody else has written a label since.
    fields = [{"time": "2099-01-01T00:00:00Z"}, {"time": written, "subresource": "status"}]
    return made("NodePolicyStatus", name, status=told, managedFields=fields)


def condition(status: str, message: str, kind: str = "Ready") -> Object:
    return {"type": kind, "status": status, "reason": "Any", "message": message, "lastTransitionTime": ""}


def made(kind: str, name: str, namespace: str = "", version: str = "1", **rest: Any) -> Object:
    metadata = {"name": name, "resourceVersion": version}
    metadata |= {"namespace": namespace} if namespace else {}
    metadata |= {key: rest.pop(key) for key in ("labels", "generation", "managedFields") if key in rest}
    return {"kind": kind, "metadata": metadata, **rest}


def change(item: Object, *, gone: bool = False) -> ObjectChange:
    metadata = item["metadata"]
    body = None if gone else msgspec.Raw(msgspec.json.encode(item))
    names = metadata.get("namespace", ""), metadata["name"]
    return ObjectChange(item["kind"], *names, body, metadata["resourceVersion"], 0.0)


def listed(*objects: Object, server_time: float | None = NOW) -> ClusterState:
    """A cluster with the namespace shop, node-1 with a pod of the policy, node-2 without, and these objects."""
    state = ClusterState()
    common = [made("Namespace", "shop"), node("node-1", 1), node("node-2", 2), pod("db", "10.20.1.5", "node-1")]
    common += [pod("web", "10.20.2.5", "node-2", "web")]
    for resource in NEEDED:
        changes = [change(item) for item in (*common, *objects) if item["kind"] == resource.kind]
        state.take(KindListed(resource.kind, "100", changes, RelistReason.START), server_time)
    return state


def of(state: ClusterState) -> PolicyEnforcement:
    return enforcement(state, NAME, state.policies[NAME])


def reason(state: ClusterState) -> str:
    (lacking,) = of(state).lacking
    assert lacking.node == "node-1"
    return lacking.reason


@pytest.mark.parametrize("confirmed", ["20", "21", "100000000000000000000"])
def test_enforced_where_the_agent_has_confirmed_the_version(confirmed: str) -> None:
    found = of(listed(policy(), agent("node-1", confirmed)))
    assert (found.enforcing, found.lacking, found.generation) == (("node-1",), (), 1)


def test_not_enforced_before_the_agent_has_confirmed_the_version() -> None:
    state = listed(policy("20"), agent("node-1", "9"))
    assert reason(state) == "the switch has the policies up to version 9, and this one has version 20"


def test_version_that_is_no_number() -> None:
    assert "'x' of the agent and '20' of the policy cannot be compared" in reason(
        listed(policy(), agent("node-1", "x"))
    )
    assert not of(listed(policy("x"), agent("node-1", "x"))).lacking


def test_no_agent() -> None:
    assert reason(listed(policy())) == NO_AGENT


def test_agent_without_any_policies() -> None:
    assert reason(listed(policy(), agent("node-1", observed={}))) == "the switch has no policies yet"


def test_agent_that_is_not_ready() -> None:
    state = listed(policy(), agent("node-1", conditions=[condition("False", "the agent has ended")]))
    assert reason(state) == "the agent has ended"
    assert reason(listed(policy(), agent("node-1", conditions=[]))) == "the agent has not told yet whether it is ready"
    cut_off = [condition("True", ""), condition("False", "watch Pod: forbidden", "APIServerConnected")]
    state = listed(policy(), agent("node-1", conditions=cut_off))
    assert reason(state) == "the agent does not follow all objects of the cluster: watch Pod: forbidden"


def test_policy_that_the_agent_does_not_understand() -> None:
    told = [{"policy": "shop/to-db", "generation": 1, "reason": "spec.new: unknown field"}]
    state = listed(policy(), agent("node-1", notRealised=told, notRealisedCount=1))
    assert "allows nothing for its pods: spec.new: unknown field" in reason(state)


def test_policy_that_may_be_among_those_that_are_not_named() -> None:
    told = [{"policy": "shop/another", "generation": 1, "reason": "spec.new: unknown field"}]
    assert not of(listed(policy(), agent("node-1", notRealised=told, notRealisedCount=1))).lacking
    assert "names 1 of the 2 policies" in reason(
        listed(policy(), agent("node-1", notRealised=told, notRealisedCount=2))
    )


def test_agent_that_is_not_heard_of() -> None:
    assert not of(listed(policy(), agent("node-1", age=LONG - 30))).lacking
    assert reason(listed(policy(), agent("node-1", age=600))).startswith("the agent has not been heard of for 10 min")


def test_object_that_cannot_be_read_is_about_its_node_alone() -> None:
    state = listed(policy(), agent("node-1", notRealisedCount=1e30), agent("node-2"))
    assert "a NodePolicyStatus cannot be read" in reason(state)
    assert health(state, "node-2").trouble is None
    odd = agent("node-1")
    odd["metadata"]["managedFields"] = [{"time": "0000-01-01T00:00:00Z", "subresource": "status"}]
    assert "has not been heard of" in reason(listed(policy(), odd))


def test_clock_of_this_machine_does_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "time", lambda: NOW + 1e6)
    assert not of(listed(policy(), agent("node-1"))).lacking


def test_write_that_a_watch_sees_is_new() -> None:
    state = listed(policy(), agent("node-1", age=600))
    state.take(change(agent("node-1", age=600)), NOW)
    assert of(state).lacking
    state.take(change(agent("node-1", age=600, renewTime="2026-01-01T00:00:00Z")), NOW)
    assert not of(state).lacking


def test_agent_that_a_watch_has_not_heard_of_since(monkeypatch: pytest.MonkeyPatch) -> None:
    state = listed(policy(), agent("node-1"))
    later = time.monotonic() + LONG
    monkeypatch.setattr(joined.time, "monotonic", lambda: later)
    assert "not been heard of" in reason(state)


def test_policy_without_pods_is_on_no_node() -> None:
    state = listed(policy(), agent("node-1"))
    state.take(change(pod("db", "10.20.1.5", "node-1"), gone=True), None)
    assert of(state) == PolicyEnforcement("shop", "to-db", 1, (), ())


def test_older_state_of_a_policy_does_not_replace_a_newer_one() -> None:
    state = listed(policy("20", 2), agent("node-1", "19"))
    state.take(change(policy("18", 1)), None)
    assert of(state).generation == 2
    state.take(change(policy("30"), gone=True), None)
    assert NAME not in state.policies


def test_pod_that_comes_makes_its_node_concerned() -> None:
    state = listed(policy(), agent("node-1"))
    state.take(change(pod("db-2", "10.20.2.6", "node-2")), None)
    assert of(state).nodes == ("node-1", "node-2")
    assert of(state).on("node-2").lacking == (("node-2", NO_AGENT),)


def test_versions() -> None:
    assert reaches("10", "9")
    assert reaches("9", "10") is False
    assert reaches("", "10") is None
    assert reaches("٣", "1") is None
    assert reaches("1" + "0" * 5000, "9" * 5000)
    assert reaches("007", "9") is False


def test_text() -> None:
    state = listed(policy(), agent("node-2", notRealisedCount=2))
    nodes = [health(state, name) for name in ("node-1", "node-2")]
    assert list(lines([of(state)], nodes)) == [
        "shop/to-db: generation 1 is enforced on 0 of 1 nodes",
        f"  not on node-1: {NO_AGENT}",
        "",
        f"node node-1: {NO_AGENT}",
        "node node-2: ready; ovsnp 1.0 on bridge br-int; 2 policies are not understood; state of 5 s ago",
    ]
    assert summary([of(state)]) == "0 of 1 policies are enforced on all nodes with a pod that they select"
    made_of = document([of(state)], nodes)
    assert msgspec.to_builtins(made_of.policies) == (
        {
            "namespace": "shop",
            "name": "to-db",
            "generation": 1,
            "enforcing": (),
            "lacking": ({"node": "node-1", "reason": NO_AGENT},),
        },
    )
    assert [each.trouble for each in made_of.nodes] == [NO_AGENT, None]


def test_text_of_a_hostile_agent_is_one_line_without_control_characters() -> None:
    message = "\x1b[2Jfine\nshop/to-db: generation 1 is enforced on 1 of 1 nodes\u202e"
    said = {"version": "\x9b31m", "started": "", "bridge": "br-int\r"}
    state = listed(policy(), agent("node-1", agent=said, conditions=[condition("False", message)]))
    shown = list(lines([of(state)], [health(state, "node-1")]))
    assert len(shown) == 4
    assert all(line.isprintable() for line in shown)
    assert shown[1].startswith(r"  not on node-1: \x1b[2Jfine\nshop/to-db: generation 1")
