"""The rows and columns of small clusters."""

from typing import Any

from ovsnp.analysis.reach.parties import By, Party, PartyKind, parties
from ovsnp.manifests import load_objects
from ovsnp.oracle.classes import Classes
from ovsnp.oracle.rulebook import Rulebook

Object = dict[str, Any]


def pod(name: str, *addresses: str, node: str | None = None, **labels: str) -> Object:
    spec: Object = {"containers": [{"name": "main"}]} | ({"nodeName": node} if node else {})
    status = {"podIPs": [{"ip": each} for each in addresses]}
    return {
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "labels": labels}, "spec": spec, "status": status
    }  # fmt: skip


def node(number: int) -> Object:
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": f"node-{number}"},
        "spec": {"podCIDRs": [f"10.20.{number}.0/24"]},
        "status": {"addresses": [{"type": "InternalIP", "address": f"192.168.50.{number}"}]},
    }


def policy(*blocks: Object, **labels: str) -> Object:
    rule = {"from": [{"ipBlock": block} for block in blocks]}
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": "p"},
        "spec": {"podSelector": {"matchLabels": labels}, "ingress": [rule]},
    }


def found(objects: list[Object], by: By = By.WORKLOAD, *, strict_nodes: bool = False) -> list[Party]:
    classes = Classes(load_objects(objects))
    rules = Rulebook(classes.clusters[0], classes.partition)
    return list(parties(classes, [rules], by, strict_nodes=strict_nodes))


def names(objects: list[Object], by: By = By.WORKLOAD, *, strict_nodes: bool = False) -> list[str]:
    return [party.name for party in found(objects, by, strict_nodes=strict_nodes)]


NODES = [node(1), node(2)]
PODS = [pod("web-1", "10.20.1.5", node="node-1"), pod("web-2", "10.20.2.5", node="node-2")]


def test_pods_then_nodes_then_outsiders() -> None:
    assert names([*NODES, *PODS]) == ["default/web", "nodes", "outside/0.0.0.0/0"]
    assert names([*NODES, *PODS], By.POD) == [
        "default/web-1",
        "default/web-2",
        "node/node-1",
        "node/node-2",
        "outside/0.0.0.0/0",
    ]
    assert names([NODES[0], PODS[0]]) == ["default/web-1", "node/node-1", "outside/0.0.0.0/0"]


def test_pods_that_policies_tell_apart_are_not_one_workload() -> None:
    assert names([*NODES, *PODS, policy({"cidr": "10.20.1.0/24"})]) == [
        "default/web[web-1]",
        "default/web[web-2]",
        "nodes",
        "outside/0.0.0.0/0",
    ]


def test_workloads_of_one_name_are_told_apart() -> None:
    both = [pod("x", "10.0.0.1", app="web", tier="a"), pod("y", "10.0.0.2", app="web", tier="b")]
    assert names(both)[:2] == ["default/web[x]", "default/web[y]"]


def test_nodes_are_told_apart_only_where_they_are_judged() -> None:
    objects = [*NODES, *PODS, policy({"cidr": "192.168.50.1/32"})]
    nodes = [party for party in found(objects, strict_nodes=True) if party.kind is PartyKind.NODE]
    assert [(party.name, sorted(party.nodes), party.addresses) for party in nodes] == [
        ("node/node-1", ["node-1"], ("192.168.50.1",)),
        ("nodes[10.20.1.1]", ["node-1", "node-2"], ("10.20.1.1", "192.168.50.2", "10.20.2.1")),
    ]
    (nodes,) = (party for party in found(objects) if party.kind is PartyKind.NODE)
    assert (nodes.name, len(nodes.addresses)) == ("nodes", 4)


def test_outsiders_are_called_by_the_innermost_block() -> None:
    blocks = {"cidr": "10.0.0.0/8", "except": ["10.1.0.0/16"]}, {"cidr": "198.51.100.7/32"}
    outside = [party for party in found([*PODS[:1], policy(*blocks)]) if party.kind is PartyKind.OUTSIDE]
    assert [party.name for party in outside] == ["outside/0.0.0.0/0[+1]", "outside/10.0.0.0/8[+1]"]
    assert "10.1.0.0-10.1.255.255" in outside[0].addresses
    assert outside[1].addresses == ("10.0.0.0-10.0.255.255", "10.2.0.0-10.255.255.255", "198.51.100.7")


def test_blocks_of_different_rules_are_different_outsiders() -> None:
    blocks = {"cidr": "10.0.0.0/8"}, {"cidr": "10.1.0.0/16"}
    both = [policy(block) for block in blocks]
    both[1]["metadata"] = {"name": "q"}
    assert names([PODS[0], *both])[1:] == ["outside/0.0.0.0/0", "outside/10.0.0.0/8", "outside/10.1.0.0/16"]
    assert names([PODS[0], policy(*blocks)])[1:] == ["outside/0.0.0.0/0", "outside/10.0.0.0/8[+1]"]


def test_families_that_no_pod_has_are_left_out() -> None:
    assert names([pod("a", "10.0.0.1")]) == ["default/a", "outside/0.0.0.0/0"]
    assert names([pod("a", "fd00::1")]) == ["default/a", "outside/::/0"]
    assert names([pod("a", "10.0.0.1", "fd00::1")]) == ["default/a", "outside/0.0.0.0/0", "outside/::/0"]
