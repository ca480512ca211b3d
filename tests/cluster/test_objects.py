"""Manifests go into the API server as they are, and leave nothing behind."""

import http.client
import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from ovsnp.manifests import load
from ovsnp.model.cluster import Cluster
from tests.cluster.client import ApiError
from tests.cluster.control_plane import ControlPlane
from tests.support.golden_cases import CASES, GOLDEN, cluster_of, manifests
from tests.support.without_places import bare

KINDS = "namespaces,nodes,pods,services,endpointslices,endpoints,networkpolicies"

REFUSED = {
    "ingress-ip-block": "must not have bits set beyond the prefix length",
    "named-ports-egress": 'Duplicate value: "http"',
    "named-ports-ingress": 'Duplicate value: "http"',
}
"""The golden cases that the API server does not accept as they are written, with its reason."""


def everything(control_plane: ControlPlane) -> dict[str, Any]:
    """All objects of the kinds that ovsnp reads."""
    listed: dict[str, Any] = json.loads(control_plane.kubectl("get", KINDS, "--all-namespaces", "--output=json"))
    return listed


def written(cluster: Cluster) -> Cluster:
    """The part of a cluster that its author has written, and not the API server."""
    whole = bare(cluster)
    return msgspec.structs.replace(
        whole,
        namespaces={},
        pods=tuple(msgspec.structs.replace(pod, uid=None) for pod in whole.pods),
        host_pods=tuple(msgspec.structs.replace(pod, uid=None) for pod in whole.host_pods),
        ended_pods=tuple(msgspec.structs.replace(pod, uid=None) for pod in whole.ended_pods),
        policies=tuple(msgspec.structs.replace(policy, policy_types=frozenset()) for policy in whole.policies),
        services=tuple(service for service in whole.services if service.name != "kubernetes"),
        service_cidrs=(),
    )


@pytest.mark.parametrize("case", [case for case in CASES if case not in REFUSED])
def test_a_golden_cluster_comes_back(control_plane: ControlPlane, case: str, tmp_path: Path) -> None:
    control_plane.load(*manifests(case))
    (tmp_path / "cluster.json").write_text(json.dumps(everything(control_plane)))
    there, here = load([str(tmp_path / "cluster.json")]), cluster_of(case)
    assert written(there) == written(here)
    assert {name: there.namespaces[name] for name in here.namespaces} == here.namespaces


@pytest.mark.parametrize("case", REFUSED)
def test_a_refusal_has_the_reason_of_the_api_server(control_plane: ControlPlane, case: str) -> None:
    with pytest.raises(ApiError, match=REFUSED[case]) as refused:
        control_plane.load(*manifests(case))
    assert refused.value.code == http.client.UNPROCESSABLE_ENTITY


def test_objects_come_with_their_status(control_plane: ControlPlane) -> None:
    control_plane.load(GOLDEN / "cluster.yaml")
    pod = control_plane.client.get("/api/v1/namespaces/default/pods/db-0")
    assert pod["status"]["podIPs"] == [{"ip": "10.20.1.10"}]
    assert pod["status"]["phase"] == "Running"
    node = control_plane.client.get("/api/v1/nodes/node-1")
    assert node["spec"]["podCIDRs"] == ["10.20.1.0/24"]
    assert node["status"]["addresses"] == [{"type": "InternalIP", "address": "192.168.50.1"}]


def test_a_pod_that_is_ending_stays(control_plane: ControlPlane) -> None:
    control_plane.load(*manifests("odd-state"))
    assert control_plane.client.get("/api/v1/namespaces/default/pods/ending")["metadata"]["deletionTimestamp"]


def test_an_object_that_is_there_is_replaced(control_plane: ControlPlane) -> None:
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "default", "labels": {"team": "x"}}}
    control_plane.create([namespace])
    labels = control_plane.client.get("/api/v1/namespaces/default")["metadata"]["labels"]
    assert labels == {"team": "x", "kubernetes.io/metadata.name": "default"}


def test_a_cleared_cluster_is_a_new_one(control_plane: ControlPlane) -> None:
    def state() -> list[tuple[str, str, object]]:
        items = everything(control_plane)["items"]
        return [(each["kind"], each["metadata"]["name"], each["metadata"].get("labels")) for each in items]

    control_plane.clear()
    new = state()
    control_plane.load(*manifests("odd-state"))
    assert state() != new
    control_plane.clear()
    assert state() == new
