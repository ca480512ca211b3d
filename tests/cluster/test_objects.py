"""Manifests go into the API server as they are, and leave nothing behind."""

import json
from pathlib import Path
from typing import Any

import pytest

from ovsnp.manifests import load
from tests.cluster.control_plane import ControlPlane
from tests.support.golden_cases import CASES, GOLDEN, cluster_of, manifests

KINDS = "namespaces,nodes,pods,services,endpointslices,endpoints,networkpolicies"


def everything(control_plane: ControlPlane) -> dict[str, Any]:
    """All objects of the kinds that ovsnp reads, without those that every cluster has."""
    listed: dict[str, Any] = json.loads(control_plane.kubectl("get", KINDS, "--all-namespaces", "--output=json"))
    return listed


def test_status_is_kept(control_plane: ControlPlane) -> None:
    control_plane.load(GOLDEN / "cluster.yaml")
    pods = {each["metadata"]["name"]: each for each in control_plane.client.get("/api/v1/pods")["items"]}
    assert pods["db-0"]["status"]["podIPs"] == [{"ip": "10.20.1.10"}]
    assert pods["db-0"]["status"]["phase"] == "Running"
    nodes = {each["metadata"]["name"]: each for each in control_plane.client.get("/api/v1/nodes")["items"]}
    assert nodes["node-1"]["spec"]["podCIDRs"] == ["10.20.1.0/24"]
    assert nodes["node-1"]["status"]["addresses"] == [{"type": "InternalIP", "address": "192.168.50.1"}]


@pytest.mark.parametrize("case", CASES)
def test_a_golden_cluster_is_the_same_from_the_api_server(
    control_plane: ControlPlane, case: str, tmp_path: Path
) -> None:
    control_plane.load(*manifests(case))
    (tmp_path / "cluster.json").write_text(json.dumps(everything(control_plane)))
    there, here = load([str(tmp_path / "cluster.json")]), cluster_of(case)
    for kind in ("nodes", "pods", "policies"):
        assert [each.key for each in getattr(there, kind)] == [each.key for each in getattr(here, kind)]


def test_a_cleared_cluster_is_a_new_one(control_plane: ControlPlane) -> None:
    def state() -> list[tuple[str, str, object]]:
        items = everything(control_plane)["items"]
        return [(each["kind"], each["metadata"]["name"], each["metadata"].get("labels")) for each in items]

    new = state()
    control_plane.load(*manifests("odd-state"))
    assert state() != new
    control_plane.clear()
    assert state() == new
