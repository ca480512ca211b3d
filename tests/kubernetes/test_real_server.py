"""The watch against a real API server: lists, changes, and what happens to a server in its life."""

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest

from ovsnp.kubernetes.configuration import find_api_server
from ovsnp.kubernetes.connection import ApiConnection
from ovsnp.kubernetes.discovery import other_policies
from ovsnp.kubernetes.events import KindListed, ObjectChange, WatchEvent, WatchTrouble
from ovsnp.kubernetes.resources import FOLLOWED, NAMESPACES, NETWORK_POLICIES, PODS, Resource
from tests.cluster.control_plane import ControlPlane
from tests.support.applying import ovsnp
from tests.support.checkout import ROOT
from tests.support.watching import Watched, hurried_pace, watched

GOLDEN = ROOT / "tests" / "golden" / "cluster.yaml"
CHANGED = (NAMESPACES, PODS, NETWORK_POLICIES)


@pytest.fixture
def follower(control_plane: ControlPlane) -> Iterator[Watched]:
    """A watch of all kinds, which has begun."""
    with watched(find_api_server(control_plane.kubeconfig), *FOLLOWED, pace=hurried_pace()) as found:
        yield found.begin()


def state(control_plane: ControlPlane, resource: Resource) -> dict[tuple[str, str], str]:
    """The version of each object that the server has."""
    found = [each["metadata"] for each in control_plane.client.get(resource.path)["items"]]
    return {(each.get("namespace", ""), each["name"]): each["resourceVersion"] for each in found}


def catch_up(control_plane: ControlPlane, follower: Watched) -> list[WatchEvent]:
    """The events up to the state of the server."""
    return [event for each in follower.resources for event in follower.until(each.kind, state(control_plane, each))]


def pod(name: str, **labels: str) -> dict[str, Any]:
    spec = {"nodeName": "node-1", "containers": [{"name": "main", "image": "none"}]}
    metadata = {"name": name, "namespace": "default", "labels": labels}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}


def policy(name: str, port: int) -> dict[str, Any]:
    spec = {"podSelector": {}, "ingress": [{"ports": [{"port": port}]}]}
    metadata = {"name": name, "namespace": "default"}
    return {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": metadata, "spec": spec}


def delete_pod(control_plane: ControlPlane, name: str) -> None:
    control_plane.kubectl("delete", "pod", name, "--grace-period=0", "--force")


def test_everything_is_listed_and_changes_follow(control_plane: ControlPlane, follower: Watched) -> None:
    control_plane.load(GOLDEN)
    catch_up(control_plane, follower)
    assert follower.versions("Pod")
    assert follower.versions("ServiceCIDR").keys() == {("", "kubernetes")}
    control_plane.create([policy("one", 80), pod("new")])
    catch_up(control_plane, follower)
    delete_pod(control_plane, "new")
    events = catch_up(control_plane, follower)
    (gone,) = [each for each in events if isinstance(each, ObjectChange) and each.name == "new" and each.body is None]
    assert gone.kind == "Pod"


def test_pod_that_has_finished_is_gone(control_plane: ControlPlane, follower: Watched) -> None:
    control_plane.create([pod("job")])
    catch_up(control_plane, follower)
    control_plane.kubectl("patch", "pod", "job", "--subresource=status", "-p", '{"status": {"phase": "Succeeded"}}')
    follower.until("Pod", {})


def test_server_that_is_killed_and_starts_again(control_plane: ControlPlane, follower: Watched) -> None:
    control_plane.load(GOLDEN)
    catch_up(control_plane, follower)
    control_plane.api_server.kill()
    assert any(isinstance(follower.event(), WatchTrouble) for _ in FOLLOWED)
    control_plane.api_server.start()
    control_plane.create([policy("one", 80)])
    catch_up(control_plane, follower)


def test_history_that_etcd_has_compacted(control_plane: ControlPlane) -> None:
    gate = threading.Event()
    gate.set()
    with watched(find_api_server(control_plane.kubeconfig), PODS, pace=hurried_pace(gate)) as follower:
        follower.begin()
        control_plane.create([pod("old"), pod("stays")])
        catch_up(control_plane, follower)
        gate.clear()  # the watch waits after the first error, and sees nothing of what comes now
        control_plane.api_server.kill()
        control_plane.api_server.start()
        delete_pod(control_plane, "old")
        control_plane.create([pod("new")])
        control_plane.compact()
        control_plane.api_server.kill()
        control_plane.api_server.start()
        gate.set()
        events = catch_up(control_plane, follower)
        (listed,) = [each for each in events if isinstance(each, KindListed)]
        assert [(each.name, each.body is None) for each in listed.changes] == [("old", True), ("new", False)]


def test_server_that_no_longer_answers_is_noticed(control_plane: ControlPlane) -> None:
    with watched(find_api_server(control_plane.kubeconfig), PODS, pace=hurried_pace()) as follower:
        follower.read_timeout = 1.0
        follower.begin().event()
        control_plane.api_server.pause()
        while not isinstance(event := follower.event(), WatchTrouble):
            pass
        assert "no answer" in event.message
        control_plane.api_server.resume()
        control_plane.create([pod("new")])
        catch_up(control_plane, follower)


def test_user_without_a_right_is_told_which_rule_is_lacking(control_plane: ControlPlane) -> None:
    rules = [{"apiGroups": [""], "resources": ["pods"], "verbs": ["list"]}]
    kubeconfig = control_plane.service_account("reader", rules)
    with watched(find_api_server(kubeconfig), PODS, pace=hurried_pace()) as follower:
        event = follower.begin().event()
        assert isinstance(event, WatchTrouble)
        assert event.message.endswith(
            "give to system:serviceaccount:default:reader a ClusterRole with the rule"
            ' apiGroups: [""], resources: ["pods"], verbs: ["watch"]'
        )


@pytest.mark.parametrize("seed", range(2))
def test_events_add_up_to_the_server_whatever_happens(control_plane: ControlPlane, seed: int) -> None:
    """Random changes, and random ends of the server between them: what the events add up to is its state."""
    random = Random(seed)
    with watched(find_api_server(control_plane.kubeconfig), *CHANGED, pace=hurried_pace()) as follower:
        follower.read_timeout = 5.0
        follower.begin()
        for _ in range(2):
            change(control_plane, random)
            happen(control_plane, random)
            change(control_plane, random)
            events = catch_up(control_plane, follower)
            assert all(
                [change.body is None for change in event.changes]
                == sorted((change.body is None for change in event.changes), reverse=True)
                for event in events
                if isinstance(event, KindListed)
            )


def change(control_plane: ControlPlane, random: Random) -> None:
    """Some objects that come, change and go."""
    there = [name for _, name in state(control_plane, PODS)]
    for name in random.sample(there, min(len(there), 2)):
        delete_pod(control_plane, name)
    names = random.sample("abcdefgh", 3)
    control_plane.create([pod(f"pod-{name}", role=random.choice("xy")) for name in names])
    control_plane.create([policy(f"policy-{name}", random.randint(1, 9)) for name in names])
    control_plane.client.delete(f"/apis/networking.k8s.io/v1/namespaces/default/networkpolicies/policy-{names[0]}")


def happen(control_plane: ControlPlane, random: Random) -> None:
    """An event in the life of an API server."""
    server = control_plane.api_server
    match random.randrange(4):
        case 0:
            server.kill()
            server.start()
        case 1:
            control_plane.compact()
            server.kill()
            server.start()
        case 2:
            server.pause()
            server.resume()
        case _:
            control_plane.etcd.kill()
            control_plane.etcd.start()


def test_matrix_of_the_cluster_is_that_of_kubectl_get(control_plane: ControlPlane, tmp_path: Path) -> None:
    control_plane.load(GOLDEN)
    control_plane.create([policy("one", 80)])
    kinds = "namespaces,nodes,pods,services,endpointslices,networkpolicies,servicecidrs,deployments,replicasets"
    everything = tmp_path / "everything.json"
    everything.write_text(control_plane.kubectl("get", kinds, "--all-namespaces", "-o", "json"))
    assert json.loads(everything.read_text())["items"]
    live = ovsnp("matrix", "--cluster", "--kubeconfig", control_plane.kubeconfig)
    filed = ovsnp("matrix", "-f", everything)
    assert (live.code, live.out) == (filed.code, filed.out)
    assert live.code == 0
    assert live.out


CRD: dict[str, Any] = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "egressfirewalls.k8s.ovn.org"},
    "spec": {
        "group": "k8s.ovn.org",
        "scope": "Namespaced",
        "names": {"kind": "EgressFirewall", "plural": "egressfirewalls"},
        "versions": [
            {
                "name": "v1",
                "served": True,
                "storage": True,
                "schema": {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}},
            }
        ],
    },
}


def test_policies_of_another_kind_are_found_by_discovery(control_plane: ControlPlane) -> None:
    kinds = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
    control_plane.client.post(kinds, CRD)
    try:
        control_plane.kubectl("wait", "--for=condition=Established", f"crd/{CRD['metadata']['name']}")
        with ApiConnection(find_api_server(control_plane.kubeconfig)) as connection:
            while not (found := other_policies(connection, ())):
                pass
            assert found == [Resource("EgressFirewall", "k8s.ovn.org", "v1", "egressfirewalls")]
            assert other_policies(connection, ["EgressFirewall"]) == []
    finally:
        control_plane.client.delete(f"{kinds}/{CRD['metadata']['name']}")
