"""A console about a live cluster: its pages follow the watches."""

import re
import threading
import time
from collections.abc import Callable, Iterator
from html import unescape
from pathlib import Path

import pytest
import yaml

from ovsnp.analysis.enforcement.enforcement import NO_AGENT
from ovsnp.console.editor.drafts import Drafts
from ovsnp.console.editor.stores import ClusterStore
from ovsnp.console.pages.site import Site
from ovsnp.console.workspace.live_cluster import LiveCluster
from ovsnp.console.workspace.workspace import Workspace
from ovsnp.errors import ApiServerError
from ovsnp.kubernetes.connection import ApiConnection
from ovsnp.kubernetes.resources import FOLLOWED, NETWORK_POLICIES, NODE_POLICY_STATUSES, PODS, WORKLOADS
from ovsnp.oracle.terms import Terms
from tests.console.conftest import GOLDEN, served
from tests.console.test_pages import policies_of
from tests.console.visitor import Visitor
from tests.support.scripted_api import Answer, ScriptedApi, scripted_api, status
from tests.support.watching import api_server


@pytest.fixture
def api() -> Iterator[ScriptedApi]:
    """The golden cluster with the policy access-demo1."""
    with scripted_api() as server:
        for file in (GOLDEN / "cluster.yaml", GOLDEN / "ingress-pod-selector" / "policies.yaml"):
            documents = [each for each in yaml.safe_load_all(file.read_text()) if each]
            server.put_all(item for each in documents for item in each.get("items", [each]))
        yield server


def live_site(source: LiveCluster, connection: ApiConnection) -> Site:
    """A console about a live cluster, which only reads."""
    return Site(Workspace(source, Terms()), ClusterStore(connection), True, Path("/nonexistent"), Drafts())


@pytest.fixture
def visitor(api: ScriptedApi) -> Iterator[Visitor]:
    with (
        ApiConnection(api_server(api.url)) as connection,
        LiveCluster(ApiConnection(api_server(api.url)), ()) as source,
        served(live_site(source, connection)) as visitor,
    ):
        visitor.show_token()
        yield visitor


def until(holds: Callable[[], bool]) -> None:
    """Wait until a condition holds."""
    end = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.05)


def test_pages_follow_the_cluster(api: ScriptedApi, visitor: Visitor) -> None:
    assert policies_of(visitor.get("/policies")) == ["access-demo1"]
    api.put(NETWORK_POLICIES.path, "other", "new", spec={"podSelector": {}, "policyTypes": ["Egress"]})
    until(lambda: "new" in policies_of(visitor.get("/policies")))
    api.delete(NETWORK_POLICIES.path, "default", "access-demo1")
    until(lambda: policies_of(visitor.get("/policies")) == ["new"])


def test_policy_is_shown_as_yaml(api: ScriptedApi, visitor: Visitor) -> None:
    api.put(
        NETWORK_POLICIES.path,
        "other",
        "new",
        {"managedFields": [{"manager": "kubectl"}], "labels": {"a": "<b>"}},
        spec={"podSelector": {}, "policyTypes": ["Egress"]},
    )
    until(lambda: visitor.get("/policies/other/new").status == 200)
    body = visitor.get("/policies/other/new").body
    text = unescape("\n".join(re.findall(r"<code>([^<]*)</code>", body)))
    shown = yaml.safe_load(text)
    assert shown["spec"] == {"podSelector": {}, "policyTypes": ["Egress"]}
    assert shown["metadata"]["labels"] == {"a": "<b>"}
    assert "managedFields" not in shown["metadata"]


def test_rules_are_linked_to_the_lines_of_that_yaml(visitor: Visitor) -> None:
    body = visitor.get("/explain?from=frontend-0&to=db-0&port=6379").body
    links = re.findall(r'<a href="(/policies/[^#"]*)#L(\d+)">([^<]*)</a>', body)
    assert ("/policies/default/access-demo1", links[0][1], f"networkpolicy/default/access-demo1:{links[0][1]}") in links
    lines = visitor.get("/policies/default/access-demo1").body
    port = links[-1][1]
    assert re.search(rf'id="L{port}"[^>]*><code>    - port: 6379|id="L{port}"[^>]*><code>    - protocol: TCP', lines)


def test_enforcement_comes_from_the_agents(api: ScriptedApi, visitor: Visitor) -> None:
    assert "Enforced" not in visitor.get("/policies").text
    version = api.versions(NETWORK_POLICIES.path)["default", "access-demo1"]
    ready = {"type": "Ready", "status": "True", "reason": "R", "message": "m", "lastTransitionTime": ""}
    told = {"observed": {"NetworkPolicy": version}, "conditions": [ready]}
    api.put(NODE_POLICY_STATUSES.path, "", "node-1", status=told)
    until(lambda: "Enforced" in visitor.get("/policies").text)
    assert "1 of 2 nodes" in visitor.get("/policies").text
    assert NO_AGENT in visitor.get("/policies/default/access-demo1").text


def test_kind_that_may_not_be_listed(api: ScriptedApi) -> None:
    def forbid(answer: Answer) -> None:
        answer.whole(403, status(403, "Forbidden", "not you"))

    api.next[PODS.path].extend([forbid] * 50)
    with pytest.raises(ApiServerError, match="not you"), LiveCluster(ApiConnection(api_server(api.url)), ()):
        pass


def test_workloads_that_may_not_be_listed_are_left_out(api: ScriptedApi) -> None:
    def forbid(answer: Answer) -> None:
        answer.whole(403, status(403, "Forbidden", "not you"))

    api.next[WORKLOADS[0].path].extend([forbid] * 50)
    with LiveCluster(ApiConnection(api_server(api.url)), ()) as source:
        state = Workspace(source, Terms()).current()
    assert state.snapshot is not None
    assert len(state.troubles) == 1
    assert "deployments" in state.troubles[0]


def test_policy_that_is_not_understood_is_closed(api: ScriptedApi, visitor: Visitor) -> None:
    api.put(NETWORK_POLICIES.path, "other", "new", spec={"podSelector": {}, "surprise": 1})
    until(lambda: "surprise" in visitor.get("/policies").text)
    assert policies_of(visitor.get("/policies")) == ["access-demo1", "new"]
    said = visitor.get("/input").text
    assert "networkpolicy/other/new:" in said
    assert "the policy isolates its pods and allows nothing" in said
    api.put(NETWORK_POLICIES.path, "other", "new", spec={"podSelector": {}})
    until(lambda: "not understood" not in visitor.get("/policies").text)


def test_kinds_that_may_not_be_listed_are_one_sentence(api: ScriptedApi) -> None:
    def forbid(answer: Answer) -> None:
        answer.whole(403, status(403, "Forbidden", "not you"))

    for kind in FOLLOWED:
        if kind is not NETWORK_POLICIES:
            api.next[kind.path].extend([forbid] * 50)
    with pytest.raises(ApiServerError) as refused, LiveCluster(ApiConnection(api_server(api.url)), ()):
        pass
    (said,) = str(refused.value).splitlines()
    assert "list EndpointSlice, Namespace, Node, Pod, Service, ServiceCIDR in all namespaces" in said
    assert 'apiGroups: [""], resources: ["namespaces", "nodes", "pods", "services"], verbs: ["list", "watch"]' in said


def test_watches_end_with_the_console(api: ScriptedApi) -> None:
    before = {thread.name for thread in threading.enumerate()}
    with LiveCluster(ApiConnection(api_server(api.url)), ()):
        pass
    until(lambda: {thread.name for thread in threading.enumerate() if thread.name.startswith("watch ")} <= before)
