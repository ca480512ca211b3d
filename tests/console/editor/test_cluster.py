"""The editor of a live cluster, with a real API server."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ovsnp.console.editor.drafts import Drafts
from ovsnp.console.editor.stores import ClusterStore
from ovsnp.console.pages.site import Site
from ovsnp.console.saving import ClusterRights
from ovsnp.console.workspace.live_cluster import LiveCluster
from ovsnp.console.workspace.workspace import Workspace
from ovsnp.kubernetes.configuration import find_api_server
from ovsnp.kubernetes.connection import ApiConnection
from ovsnp.oracle.terms import Terms
from tests.cluster.control_plane import ControlPlane
from tests.console.conftest import served
from tests.console.editor.test_editor import EDIT, fields
from tests.console.test_live_cluster import until
from tests.console.visitor import Visitor

SAVE, DRAFT = "/policies/save", "/policies/draft"
READS = [
    {
        "apiGroups": ["", "apps", "batch", "discovery.k8s.io", "networking.k8s.io"],
        "resources": ["*"],
        "verbs": ["get", "list", "watch"],
    }
]


@contextmanager
def console(kubeconfig: Path) -> Iterator[Visitor]:
    server = find_api_server(kubeconfig)
    with ApiConnection(server) as connection, LiveCluster(ApiConnection(server), ()) as source:
        store = ClusterStore(connection)
        with served(Site(Workspace(source, Terms()), store, False, Path("/nonexistent"), Drafts())) as visitor:
            visitor.show_token()
            yield visitor


@pytest.fixture
def visitor(control_plane: ControlPlane) -> Iterator[Visitor]:
    with console(control_plane.kubeconfig) as found:
        yield found


def created(visitor: Visitor) -> str:
    """The query that edits a new policy."""
    sent = fields(visitor.get(EDIT).body) | {"name": "made", "selector.choice": "all"}
    saved = visitor.post(SAVE, sent)
    assert saved.headers["location"] == "/policies/default/made?saved=1"
    assert "Saved in the cluster" in visitor.get(saved.headers["location"]).text
    return f"{EDIT}?namespace=default&name=made"


def test_policy_is_created_and_edited(control_plane: ControlPlane, visitor: Visitor) -> None:
    sent = fields(visitor.get(created(visitor)).body)
    assert visitor.post(SAVE, sent | {"directions": "Egress"}).status == 303
    found = control_plane.kubectl("get", "networkpolicy", "made", "-o", "jsonpath={.spec.policyTypes[*]}")
    assert found == "Egress"


def test_conflict_and_rename_are_told(control_plane: ControlPlane, visitor: Visitor) -> None:
    sent = fields(visitor.get(created(visitor)).body)
    renamed = visitor.post(SAVE, sent | {"name": "other"})
    assert renamed.status == 422
    assert "the API server renames no objects" in renamed.text
    assert "the API server renames no objects" in visitor.post(DRAFT, sent | {"name": "other"}).text
    control_plane.kubectl("annotate", "networkpolicy", "made", "by=another")
    reply = visitor.post(SAVE, sent | {"directions": "Egress"})
    assert reply.status == 422
    assert "has changed since it was read" in reply.text
    assert "Open it as it is now" in reply.text
    assert "<ins>    by: another</ins>" in reply.body
    assert fields(reply.body)["directions"] == "Egress"


def test_refusal_of_the_server_is_at_the_field(visitor: Visitor) -> None:
    sent = fields(visitor.get(EDIT).body) | {"name": "made", "selector.choice": "all", "namespace": "nowhere"}
    reply = visitor.post(SAVE, sent)
    assert reply.status == 422
    assert 'data-mistakes="namespace"><p>namespaces' in reply.body


def test_rights_are_those_of_the_namespace_and_of_the_policy(control_plane: ControlPlane) -> None:
    """A Role allows in its namespace only, and may name single policies."""
    policy = {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "spec": {"podSelector": {}}}
    control_plane.create(
        [
            {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "team"}},
            *({**policy, "metadata": {"name": name, "namespace": "team"}} for name in ("one", "two")),
        ]
    )
    kubeconfig = control_plane.service_account("editor", READS)
    resource = "--resource=networkpolicies.networking.k8s.io"
    for role, *given in (("creator", "--verb=create"), ("of-one", "--verb=update", "--resource-name=one")):
        control_plane.kubectl("create", "role", role, *given, resource, "-n", "team")
        subject = "--serviceaccount=default:editor"
        control_plane.kubectl("create", "rolebinding", role, f"--role={role}", subject, "-n", "team")
    with ApiConnection(find_api_server(kubeconfig)) as connection:
        until(lambda: ClusterRights(connection).may("create", "team", ""))
        until(lambda: ClusterRights(connection).may("update", "team", "one"))
    with console(kubeconfig) as visitor:
        page = visitor.get(EDIT)
        assert "You may not create NetworkPolicies in the namespace default; ask for a Role" in page.text
        sent = fields(page.body) | {"name": "made", "selector.choice": "all"}
        for namespace, refused in (("default", True), ("team", False)):
            (said,) = (
                line["obstacle"]
                for line in map(json.loads, visitor.post(DRAFT, sent | {"namespace": namespace}).body.splitlines())
                if "obstacle" in line
            )
            assert bool(said) == refused
        assert visitor.post(SAVE, sent | {"namespace": "team"}).status == 303
        for name, words in (("one", ""), ("two", "You may not update NetworkPolicies in the namespace team")):
            body = visitor.get(f"{EDIT}?namespace=team&name={name}")
            assert ('class="first" disabled' in body.body) == bool(words)
            assert words in body.text
        assert "You may not delete" in visitor.get("/policies/team/one/delete").text


def test_user_without_the_permission(control_plane: ControlPlane) -> None:
    with console(control_plane.service_account("reader", READS)) as visitor:
        page = visitor.get(EDIT)
        assert "You may not create NetworkPolicies in the namespace default" in page.text
        assert 'class="first" disabled' in page.body
        sent = fields(page.body) | {"name": "made", "selector.choice": "all"}
        reply = visitor.post(SAVE, sent)
        assert reply.status == 422
        assert "forbidden" in reply.text
