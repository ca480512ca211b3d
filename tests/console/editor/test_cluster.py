"""The editor of a live cluster, with a real API server."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ovsnp.console.editor.drafts import Drafts
from ovsnp.console.editor.stores import ClusterStore
from ovsnp.console.pages.site import Site
from ovsnp.console.workspace.live_cluster import LiveCluster
from ovsnp.console.workspace.workspace import Workspace
from ovsnp.kubernetes.configuration import find_api_server
from ovsnp.kubernetes.connection import ApiConnection
from ovsnp.oracle.terms import Terms
from tests.cluster.control_plane import ControlPlane
from tests.console.conftest import served
from tests.console.editor.test_editor import EDIT, fields
from tests.console.visitor import Visitor

SAVE = "/policies/save"
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
    control_plane.kubectl("annotate", "networkpolicy", "made", "by=another")
    reply = visitor.post(SAVE, sent | {"directions": "Egress"})
    assert reply.status == 422
    assert "has changed since it was read" in reply.text
    assert "Open it as it is now" in reply.text
    assert fields(reply.body)["directions"] == "Egress"


def test_refusal_of_the_server_is_at_the_field(visitor: Visitor) -> None:
    sent = fields(visitor.get(EDIT).body) | {"name": "made", "selector.choice": "all", "namespace": "nowhere"}
    reply = visitor.post(SAVE, sent)
    assert reply.status == 422
    assert 'data-mistakes="namespace"><p>namespaces' in reply.body


def test_user_without_the_permission(control_plane: ControlPlane) -> None:
    with console(control_plane.service_account("reader", READS)) as visitor:
        page = visitor.get(EDIT)
        assert "You may not create NetworkPolicies in the namespace default" in page.text
        assert 'class="first" disabled' in page.body
        sent = fields(page.body) | {"name": "made", "selector.choice": "all"}
        reply = visitor.post(SAVE, sent)
        assert reply.status == 422
        assert "forbidden" in reply.text
