"""Policies saved to a real API server."""

from collections.abc import Iterator
from typing import Any

import pytest

from ovsnp.console.form import field_of, form_of
from ovsnp.console.saving import (
    ClusterPolicies,
    ClusterRights,
    ConflictError,
    NotSavedError,
    PolicyRefusedError,
    as_new,
)
from ovsnp.errors import ApiServerError
from ovsnp.kubernetes.configuration import find_api_server
from ovsnp.kubernetes.connection import ApiConnection
from ovsnp.kubernetes.resources import NETWORK_POLICIES
from tests.cluster.control_plane import ControlPlane


def policy(name: str = "one", **spec: Any) -> dict[str, Any]:
    metadata = {"name": name, "namespace": "default"}
    spec = {"podSelector": {}, "policyTypes": ["Ingress"], **spec}
    return {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": metadata, "spec": spec}


@pytest.fixture
def policies(control_plane: ControlPlane) -> Iterator[ClusterPolicies]:
    with ApiConnection(find_api_server(control_plane.kubeconfig)) as connection:
        yield ClusterPolicies(connection)


def there(control_plane: ControlPlane) -> list[str]:
    return [each["metadata"]["name"] for each in control_plane.client.get(NETWORK_POLICIES.path)["items"]]


def test_policy_is_created_changed_and_deleted(control_plane: ControlPlane, policies: ClusterPolicies) -> None:
    made = policies.create(policy())
    made["spec"]["ingress"] = [{"ports": [{"port": 80}]}]
    changed = policies.update(made)
    assert changed["metadata"]["generation"] == 2
    assert changed["spec"]["ingress"] == [{"ports": [{"port": 80, "protocol": "TCP"}]}]
    copied = policies.create({**changed, "metadata": {**changed["metadata"], "name": "two"}})
    assert copied["metadata"]["uid"] != changed["metadata"]["uid"]
    assert there(control_plane) == ["one", "two"]
    policies.delete(changed)
    assert there(control_plane) == ["two"]


def test_dry_run_writes_nothing(control_plane: ControlPlane, policies: ClusterPolicies) -> None:
    policies.check(policy())
    assert there(control_plane) == []
    made = policies.create(policy())
    policies.check({**made, "spec": {**made["spec"], "ingress": [{}]}})
    assert "ingress" not in policies.update(made)["spec"]


def test_refusal_is_at_the_field(control_plane: ControlPlane, policies: ClusterPolicies) -> None:
    block = {"ipBlock": {"cidr": "10.0.0.0/8", "except": ["11.0.0.0/16"]}}
    wrong = policy(ingress=[{"from": [block], "ports": [{"port": 80, "endPort": 70}]}])
    with pytest.raises(PolicyRefusedError) as refused:
        policies.create(wrong)
    fields = {field_of(each.path, form_of(wrong)) for each in refused.value.mistakes}
    assert fields == {"inbound.0.peers.0.block", "inbound.0.ports.0.port"}
    assert all(each.message for each in refused.value.mistakes)
    made = policies.create(policy())
    with pytest.raises(PolicyRefusedError) as refused:
        policies.update({**made, "spec": {**made["spec"], "podSelector": {"matchLabels": {"a b": "c"}}}})
    assert [each.path for each in refused.value.mistakes] == ["spec.podSelector.matchLabels"]
    assert there(control_plane) == ["one"]


def test_unknown_field_is_refused_and_not_dropped(control_plane: ControlPlane, policies: ClusterPolicies) -> None:
    with pytest.raises(PolicyRefusedError) as refused:
        policies.create(policy(ingress=[{"form": []}]))
    assert [each.path for each in refused.value.mistakes] == ["spec.ingress[0].form"]
    assert there(control_plane) == []


def test_conflicts_are_told_and_nothing_is_overwritten(control_plane: ControlPlane, policies: ClusterPolicies) -> None:
    made = policies.create(policy())
    with pytest.raises(ConflictError, match="is there already"):
        policies.create(policy())
    control_plane.kubectl("annotate", "networkpolicy", "one", "by=another")
    for change in (policies.update, policies.delete):
        with pytest.raises(ConflictError, match="has changed since it was read"):
            change(made)
    control_plane.kubectl("delete", "networkpolicy", "one")
    for change in (policies.update, policies.delete):
        with pytest.raises(ConflictError, match="no longer there"):
            change(made)
    policies.create(made)
    with pytest.raises(ConflictError):
        policies.delete(made)
    assert there(control_plane) == ["one"]


def test_object_that_was_not_read_is_neither_replaced_nor_deleted(policies: ClusterPolicies) -> None:
    policies.create(policy())
    for change in (policies.update, policies.delete):
        with pytest.raises(NotSavedError, match="no resourceVersion"):
            change(policy())


def test_namespace_that_is_not_there_is_at_its_field(policies: ClusterPolicies) -> None:
    wrong = policy()
    wrong["metadata"]["namespace"] = "nowhere"
    with pytest.raises(PolicyRefusedError) as refused:
        policies.create(wrong)
    assert [each.path for each in refused.value.mistakes] == ["metadata.namespace"]


def test_rights_of_the_user(control_plane: ControlPlane, policies: ClusterPolicies) -> None:
    rules = [{"apiGroups": ["networking.k8s.io"], "resources": ["networkpolicies"], "verbs": ["create"]}]
    kubeconfig = control_plane.service_account("writer", rules)
    with ApiConnection(find_api_server(kubeconfig)) as connection:
        limited, rights = ClusterPolicies(connection), ClusterRights(connection)
        assert rights.obstacle("create", "default", "") == ""
        assert "You may not update" in rights.obstacle("update", "default", "one")
        made = limited.create(policy())
        with pytest.raises(ApiServerError, match="forbidden"):
            limited.update(made)
        with pytest.raises(ApiServerError, match="forbidden"):
            limited.delete(made)


def test_copy_has_nothing_of_the_server() -> None:
    metadata = {
        "name": "one",
        "uid": "1",
        "resourceVersion": "2",
        "managedFields": [],
        "ownerReferences": [],
        "labels": {"a": "b"},
        "annotations": {"kubectl.kubernetes.io/last-applied-configuration": "{}"},
    }
    assert as_new({"metadata": metadata, "spec": {}, "status": {}}) == {
        "metadata": {"name": "one", "labels": {"a": "b"}},
        "spec": {},
    }
