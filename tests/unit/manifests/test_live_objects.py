"""A live cluster: objects that depend on each other, and objects with mistakes."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec
import pytest

from ovsnp.manifests.live import LiveObjects
from ovsnp.model.changes import Changes
from ovsnp.model.policy import Direction
from ovsnp.model.selector import Selector

Object = dict[str, Any]

BOTH = frozenset(Direction)


class Sent(NamedTuple):
    """An object as the API server sends it; ``body`` None: it is gone."""

    kind: str
    namespace: str
    name: str
    body: msgspec.Raw | None


def came(*objects: Object) -> list[Sent]:
    return [sent(item, msgspec.Raw(msgspec.json.encode(item))) for item in objects]


def gone(*objects: Object) -> list[Sent]:
    return [sent(item, None) for item in objects]


def sent(item: Object, body: msgspec.Raw | None) -> Sent:
    return Sent(item["kind"], item["metadata"].get("namespace", ""), item["metadata"]["name"], body)


def node(name: str, number: int) -> Object:
    return {
        "kind": "Node",
        "metadata": {"name": name},
        "spec": {"podCIDRs": [f"10.20.{number}.0/24"]},
        "status": {"addresses": [{"type": "InternalIP", "address": f"172.16.0.{number}"}]},
    }


def pod(name: str, address: str, on: str | None = "node-1", **metadata: str) -> Object:
    return {
        "kind": "Pod",
        "metadata": {"namespace": "shop", "name": name, **metadata},
        "spec": {"nodeName": on} if on else {},
        "status": {"phase": "Running", "podIPs": [{"ip": address}]},
    }


def endpoint_slice(*endpoints: tuple[str, str]) -> Object:
    return {
        "kind": "EndpointSlice",
        "metadata": {"namespace": "shop", "name": "web-1", "labels": {"kubernetes.io/service-name": "web"}},
        "addressType": "IPv4",
        "ports": [{"port": 80}],
        "endpoints": [
            {"addresses": [address], "targetRef": {"kind": "Pod", "name": name}} for address, name in endpoints
        ],
    }


def policy(spec: Object) -> Object:
    return {"kind": "NetworkPolicy", "metadata": {"namespace": "shop", "name": "web"}, "spec": spec}


SHOP: Object = {"kind": "Namespace", "metadata": {"name": "shop", "labels": {"team": "a"}}}
SERVICE: Object = {
    "kind": "Service",
    "metadata": {"namespace": "shop", "name": "web"},
    "spec": {"clusterIP": "10.96.0.7", "ports": [{"port": 80}]},
}


def test_pod_counts_only_while_its_namespace_is_known() -> None:
    live, web = LiveObjects(), pod("web", "10.20.1.5")
    assert not live.update(came(node("node-1", 1), web)).came.pods
    assert [each.name for each in live.update(came(SHOP)).came.pods] == ["web"]
    changes = live.update(gone(SHOP))
    assert [each.name for each in changes.went.pods] == ["web"]
    assert [each.name for each in changes.went.namespaces] == ["shop"]


def test_endpoint_goes_while_two_pods_claim_its_address() -> None:
    live, web, other = LiveObjects(), pod("web", "10.20.1.5"), pod("other", "10.20.1.5")
    live.update(came(SHOP, node("node-1", 1), web, endpoint_slice(("10.20.1.5", "web"), ("10.20.1.6", "next"))))
    assert len(slice_of(live.update(came(other)))) == 1
    assert "is the address of pod shop/other too" in live.notes[-1].message
    assert len(slice_of(live.update(gone(other)))) == 2
    assert not live.notes


def test_endpoint_goes_with_the_node_of_its_pod() -> None:
    live, first, second = LiveObjects(), node("node-1", 1), node("node-2", 2)
    live.update(came(SHOP, first, second, pod("web", "10.20.1.5"), endpoint_slice(("10.20.1.5", "web"))))
    assert not slice_of(live.update(gone(first)))
    assert len(slice_of(live.update(came(first)))) == 1


def slice_of(changes: Changes) -> Sequence[object]:
    (only,) = changes.came.slices
    return only.endpoints


def test_cluster_ip_is_lost_while_a_pod_has_it() -> None:
    """Without Node objects a pod may have any address."""
    live, web = LiveObjects(), pod("web", "10.96.0.7", on=None)
    assert live.update(came(SHOP, SERVICE)).came.services
    assert live.update(came(web)).went.services
    assert live.update(gone(web)).came.services


def test_two_services_with_one_cluster_ip_both_lose_it() -> None:
    live = LiveObjects()
    other = {**SERVICE, "metadata": {"namespace": "shop", "name": "other"}}
    live.update(came(SHOP, SERVICE))
    changes = live.update(came(other))
    assert [each.name for each in changes.went.services] == ["web"]
    assert not changes.came.services
    assert [each.name for each in live.update(gone(SERVICE)).came.services] == ["other"]


def test_terminating_pod_gives_up_an_address_that_another_pod_has() -> None:
    live, web, other = LiveObjects(), pod("web", "10.20.1.5"), pod("other", "10.20.1.5")
    live.update(came(SHOP, node("node-1", 1), web, other))
    ending = pod("web", "10.20.1.5", deletionTimestamp="2026-03-01T00:00:00Z")
    assert [each.name for each in live.update(came(ending)).came.pods] == ["other"]


def test_heartbeat_of_a_node_changes_nothing() -> None:
    live, first = LiveObjects(), node("node-1", 1)
    live.update(came(first))
    first["status"]["conditions"] = [{"type": "Ready", "status": "True", "lastHeartbeatTime": "2026-03-01T00:00:00Z"}]
    assert live.update(came(first)) == Changes()


INGRESS = {"podSelector": {"matchLabels": {"app": "web"}}, "policyTypes": ["Ingress"], "ingress": [{}]}


@pytest.mark.parametrize(
    ("spec", "selects_all", "types"),
    [
        ({**INGRESS, "ingress": [{"from": [{"serviceSelector": {}}]}]}, False, {Direction.INGRESS}),
        ({**INGRESS, "tier": "admin"}, False, {Direction.INGRESS}),
        ({**INGRESS, "podSelector": {"matchFields": {"app": "web"}}}, True, {Direction.INGRESS}),
        ({**INGRESS, "policyTypes": ["Ingress", "Forward"]}, False, BOTH),
        ({**INGRESS, "policyTypes": [], "mirror": True}, False, BOTH),
    ],
)
def test_policy_with_something_unknown_isolates_and_allows_nothing(
    spec: Object, selects_all: bool, types: set[Direction]
) -> None:
    live = LiveObjects()
    (found,) = live.update(came(SHOP, policy(spec))).came.policies
    assert (found.pod_selector == Selector()) is selects_all
    assert (found.policy_types, found.ingress, found.egress) == (types, (), ())
    assert live.closed.keys() == {("shop", "web")}
    assert live.closed["shop", "web"].reason.startswith("spec.")
    assert live.notes[0].message.endswith("; until ovsnp knows it, the policy isolates its pods and allows nothing")
    (mended,) = live.update(came(policy(INGRESS))).came.policies
    assert len(mended.ingress) == 1
    assert not live.closed
    assert not live.notes


@pytest.mark.parametrize(
    ("broken", "kind"),
    [
        ({**SHOP, "metadata": {"name": "shop", "labels": {"a b": "c"}}}, "namespaces"),
        ({**SERVICE, "spec": {"clusterIP": "10.96.0.300", "ports": [{"port": 80}]}}, "services"),
        (endpoint_slice(("10.20.1.500", "web")), "slices"),
        (pod("web", "10.20.1.5") | {"spec": {"nodeName": "node-1", "containers": "web"}}, "pods"),
    ],
)
def test_object_with_a_mistake_is_left_out_with_a_note(broken: Object, kind: str) -> None:
    live = LiveObjects()
    changes = live.update(came(node("node-1", 1), *([SHOP] if kind != "namespaces" else []), broken))
    assert not getattr(changes.came, kind)
    assert live.notes[0].message.endswith("; ovsnp leaves the object out")
    live.update(gone(broken))
    assert not live.notes
