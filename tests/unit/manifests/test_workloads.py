"""Workloads: one pod stands for all pods that a workload will have, until the pods themselves are in the input."""

import json
from collections.abc import Callable
from typing import Any

import pytest
import yaml

from ovsnp.manifests import load_objects
from ovsnp.model.cluster import Cluster, Workload
from ovsnp.model.ports import Protocol

Notes = Callable[[str], list[str]]
Object = dict[str, Any]

TEMPLATE = {
    "metadata": {"labels": {"app": "cart"}},
    "spec": {"containers": [{"name": "c", "ports": [{"name": "http", "containerPort": 8080}]}]},
}
VERSIONS = {
    "Deployment": "apps/v1",
    "StatefulSet": "apps/v1",
    "DaemonSet": "apps/v1",
    "ReplicaSet": "apps/v1",
    "ReplicationController": "v1",
    "Job": "batch/v1",
    "CronJob": "batch/v1",
    "Rollout": "argoproj.io/v1alpha1",
    "DeploymentConfig": "apps.openshift.io/v1",
}


def workload(kind: str, name: str = "cart", owner: Object | None = None, **spec: Any) -> Object:
    inner = {"template": TEMPLATE, **spec}
    metadata: Object = {"name": name, "namespace": "shop"}
    if owner:
        metadata["ownerReferences"] = [_reference(owner)]
    spec = {"jobTemplate": {"spec": inner}} if kind == "CronJob" else inner
    return {"apiVersion": VERSIONS[kind], "kind": kind, "metadata": metadata, "spec": spec}


def _reference(owner: Object) -> Object:
    names = {"kind": owner["kind"], "name": owner["metadata"]["name"]}
    return {"apiVersion": owner["apiVersion"], "controller": True, "uid": "1", **names}


def pod(name: str, address: str | None, owner: Object | None = None, **labels: str) -> Object:
    metadata: Object = {"name": name, "namespace": "shop", "labels": labels}
    if owner:
        metadata["ownerReferences"] = [_reference(owner)]
    status = {"phase": "Running", "podIP": address} if address else {}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": {"nodeName": "oak"}, "status": status}


def titles(cluster: Cluster) -> list[str]:
    return [each.title for each in cluster.planned]


@pytest.mark.parametrize("kind", VERSIONS)
def test_a_workload_has_one_pod_of_its_template(kind: str) -> None:
    cluster = load_objects([workload(kind)])
    (planned,) = cluster.planned
    assert (planned.key, planned.title, planned.template) == ("shop/cart", f"{kind.lower()}/shop/cart", True)
    assert (planned.labels, planned.node, planned.addresses) == ({"app": "cart"}, None, ())
    assert [(each.name, each.number, each.protocol) for each in planned.ports] == [("http", 8080, Protocol.TCP)]
    assert cluster.pods == ()
    assert list(cluster.namespaces) == ["shop"]


def test_pods_of_a_workload_count_instead_of_its_template() -> None:
    deployment = workload("Deployment")
    replicas = workload("ReplicaSet", "cart-5d8f", deployment)
    living = pod("cart-5d8f-x7k2p", "10.1.0.5", replicas, app="cart")
    cluster = load_objects([deployment, replicas, living])
    assert titles(cluster) == []
    assert [each.workload for each in cluster.pods] == [Workload("Deployment", "shop", "cart")]


@pytest.mark.parametrize("name", ["cart\x1b[2J", "a\nb", "../cart", "<b>"])
def test_a_name_that_no_object_has_is_no_owner(name: str) -> None:
    (living,) = load_objects([pod("cart-a", "10.1.0.5", workload("Deployment", name))]).pods
    assert living.workload is None


def test_the_hash_of_a_revision_tells_the_deployment_of_a_pod() -> None:
    deployment = workload("Deployment")
    replicas = workload("ReplicaSet", "cart-5d8f")
    living = pod("cart-5d8f-x7k2p", "10.1.0.5", replicas, **{"pod-template-hash": "5d8f"})
    assert titles(load_objects([deployment, living])) == []


def test_pods_that_do_not_run_yet_or_any_more_stand_for_their_workload_too() -> None:
    """The cluster knows the workload, so the pods in the input are all its pods."""
    deployment = workload("Deployment")
    pending = pod("cart-a", None, deployment)
    pending["status"] = {"phase": "Pending"}
    assert titles(load_objects([deployment, pending])) == []


def test_a_workload_of_another_one_has_no_pod_of_its_own() -> None:
    cron = workload("CronJob")
    assert titles(load_objects([cron, workload("Job", "cart-1", cron)])) == ["cronjob/shop/cart"]


def test_a_job_that_has_completed_has_no_pod() -> None:
    job = {**workload("Job"), "status": {"completionTime": "2026-03-01T00:00:00Z"}}
    assert titles(load_objects([job])) == []


def test_a_pod_without_a_status_has_no_address_yet() -> None:
    (planned,) = load_objects([pod("till", None, app="till")]).planned
    assert (planned.title, planned.template, planned.node, planned.labels) == (
        "shop/till",
        False,
        "oak",
        {"app": "till"},
    )


def test_a_template_of_a_host_network_is_no_pod_for_policies() -> None:
    spec = {**TEMPLATE["spec"], "hostNetwork": True}
    cluster = load_objects([workload("DaemonSet", template={**TEMPLATE, "spec": spec})])
    assert (cluster.planned, [each.title for each in cluster.host_pods]) == ((), ["daemonset/shop/cart"])


def test_no_two_pods_have_one_name() -> None:
    cluster = load_objects(
        [workload("Deployment"), workload("StatefulSet"), pod("till", None), workload("Job", "till")]
    )
    assert sorted(each.key for each in cluster.planned) == [
        "shop/cart",
        "shop/cart.statefulset",
        "shop/till",
        "shop/till.job",
    ]


def test_a_patch_without_a_template_is_passed_over() -> None:
    patch = {**workload("Deployment"), "spec": {"replicas": 3}}
    assert load_objects([patch]) == Cluster({}, {}, (), ())
    assert titles(load_objects([patch, workload("Deployment")])) == ["deployment/shop/cart"]


def test_a_workload_that_is_written_twice_has_one_pod(notes: Notes) -> None:
    other = workload("Deployment", template={**TEMPLATE, "metadata": {"labels": {"app": "other"}}})
    assert notes(yaml.safe_dump_all([workload("Deployment"), workload("Deployment")]))[1:] == []
    assert notes(yaml.safe_dump_all([workload("Deployment"), other]))[1:] == [
        "in.yaml:21: Deployment shop/cart: metadata.name: another object of this name, in in.yaml, differs; "
        "ovsnp takes that one"
    ]


@pytest.mark.parametrize("write", [json.dumps, yaml.safe_dump])
def test_a_pod_template_of_another_kind_is_told(notes: Notes, write: Callable[[Object], str]) -> None:
    """A reader must not believe that the answer includes its pods."""
    server = {**workload("Deployment"), "apiVersion": "example.com/v1", "kind": "GameServer"}
    assert notes(write(server)) == [
        "in.yaml:1: a pod template of a GameServer, which ovsnp does not read; ovsnp passes over it"
    ]
    assert notes(write({**server, "spec": {"template": {"spec": {"containers": 5}}}})) == []
    assert notes(write({**server, "spec": "x"})) == []


def test_a_service_without_a_cluster_ip_gets_one_later() -> None:
    service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "cart"}}
    ports = [{"port": 80}]
    planned = load_objects([{**service, "spec": {"ports": ports}}])
    assert ([each.key for each in planned.planned_services], planned.services) == (["default/cart"], ())
    for spec in ({"clusterIP": "None", "ports": ports}, {"type": "ExternalName", "externalName": "x.example"}):
        assert load_objects([{**service, "spec": spec}]).planned_services == ()


@pytest.mark.parametrize(("prefix", "name"), [("migrate-", "migrate-x"), ("m", "mx"), ("a" * 70, "a" * 58 + "x")])
def test_a_name_that_the_server_makes_ends_with_x(prefix: str, name: str) -> None:
    generated = {"generateName": prefix, "namespace": "shop"}
    job = {**workload("Job"), "metadata": generated}
    policy = {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": generated, "spec": {}}
    cluster = load_objects([job, policy])
    assert titles(cluster) == [f"job/shop/{name}"]
    assert [each.key for each in cluster.policies] == [f"shop/{name}"]
    (planned,) = load_objects([{**pod("", None), "metadata": {"name": "", **generated}}]).planned
    assert planned.key == f"shop/{name}"
    assert titles(load_objects([{**job, "metadata": {"name": "own", **generated}}])) == ["job/shop/own"]


def test_a_name_that_the_server_makes_must_be_one(mistakes: Callable[..., list[str]]) -> None:
    (line,) = mistakes(yaml.safe_dump({**workload("Job"), "metadata": {"generateName": "A_"}}))
    assert line.startswith("in.yaml:3: Job default/A_x: metadata.name: 'A_x' is no valid name; ")
