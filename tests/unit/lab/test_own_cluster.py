"""A lab of the user's own cluster: the pods, the outside hosts, the addresses of nodes, and the files."""

import json
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any

import msgspec
import pytest

from ovsnp.cli.settings_file import read_mapping
from ovsnp.errors import UsageError
from ovsnp.lab import topology
from ovsnp.lab.hosts import check
from ovsnp.lab.own.choosing import choose
from ovsnp.lab.own.outsiders import find_outsiders, free_address
from ovsnp.lab.own.planning import LabPlan, plan
from ovsnp.lab.own.underlay import lay
from ovsnp.lab.own.wiring import Wiring
from ovsnp.lab.own.writing import cluster_objects, policy_objects
from ovsnp.manifests import load, load_objects
from ovsnp.model.address import format_address, parse_address, parse_prefix
from ovsnp.model.cluster import Cluster, Node, Pod
from ovsnp.model.policy import Direction, PodPeer
from ovsnp.oracle import PodEnd, affects, peer_matches, selects
from tests.support.applying import ovsnp
from tests.support.clusters import random_cluster
from tests.support.without_places import bare

GOLDEN = Path(__file__).parents[2] / "golden"
CASES = sorted(file.parent.name for file in GOLDEN.glob("*/ovsnp.yaml"))


def golden(case: str) -> Cluster:
    names: Any = read_mapping(GOLDEN / case / "ovsnp.yaml")["manifests"]
    return load([str(GOLDEN / case / name) for name in names])


def told(cluster: Cluster) -> Cluster:
    """The cluster without places in files and without the objects that ovsnp ignores."""
    return msgspec.structs.replace(
        bare(cluster),
        idle=frozenset(),
        host_pods=(),
        ended_pods=(),
        unused_nodes=frozenset(),
        notes=(),
        slices=bare(msgspec.structs.replace(cluster, slices=_full(cluster))).slices,
    )


def _full(cluster: Cluster) -> tuple[Any, ...]:
    return tuple(each for each in cluster.slices if each.endpoints)


def again(cluster: Cluster) -> Cluster:
    cluster = msgspec.structs.replace(cluster, slices=_full(cluster))
    return load_objects([*cluster_objects(cluster), *policy_objects(cluster.policies)])


@pytest.mark.parametrize("case", CASES)
def test_what_is_written_is_the_same_cluster(case: str) -> None:
    cluster = golden(case)
    if cluster.nodes:
        assert told(again(cluster)) == told(cluster)


@pytest.mark.parametrize("seed", range(50))
def test_what_is_written_of_random_clusters_is_the_same(seed: int) -> None:
    cluster = load_objects(random_cluster(Random(seed)))
    assert told(again(cluster)) == told(cluster)


def crowd(count: int = 300) -> Cluster:
    """Many pods of ten apps in three namespaces on five nodes, half of them dual stack, and a policy for each app."""
    objects: list[dict[str, Any]] = [
        {
            "apiVersion": "v1",
            "kind": "Node",
            "metadata": {"name": f"n{node}"},
            "spec": {"podCIDRs": [f"10.1.{node}.0/24", f"fd00:1:{node}::/64"]},
            "status": {"addresses": [{"type": "InternalIP", "address": f"192.0.2.{node + 1}"}]},
        }
        for node in range(5)
    ]
    for number in range(count):
        node, app, space = number % 5, number % 10, f"s{number % 3}"
        addresses = [f"10.1.{node}.{number // 5 + 2}"] + [f"fd00:1:{node}::{number + 2:x}"] * (number // 10 % 2)
        objects.append(
            {
                "apiVersion": "v1",
                "kind": "Pod",
                "metadata": {"name": f"p{number:03}", "namespace": space, "labels": {"app": f"a{app}"}},
                "spec": {"nodeName": f"n{node}", "containers": [{"name": "main"}]},
                "status": {"phase": "Running", "podIPs": [{"ip": address} for address in addresses]},
            }
        )
    for app in range(10):
        for space in range(3):
            peer = {"podSelector": {"matchLabels": {"app": f"a{(app + 1) % 10}"}}, "namespaceSelector": {}}
            objects.append(
                {
                    "apiVersion": "networking.k8s.io/v1",
                    "kind": "NetworkPolicy",
                    "metadata": {"name": f"to-a{app}", "namespace": f"s{space}"},
                    "spec": {
                        "podSelector": {"matchLabels": {"app": f"a{app}"}},
                        "ingress": [{"from": [peer], "ports": [{"port": 80}]}],
                    },
                }
            )
    return load_objects(objects)


def ends(pods: tuple[Pod, ...], version: int) -> list[PodEnd]:
    size = 4 if version == 4 else 16
    return [PodEnd(pod, each) for pod in pods for each in pod.addresses if len(each) == size]


def test_every_policy_has_a_subject_and_peers_that_it_admits_and_does_not_in_both_families() -> None:
    cluster = crowd()
    chosen = choose(cluster, 40)
    assert len(chosen.pods) <= 40
    assert chosen.unmet == ()
    assert chosen.policies == cluster.policies
    for policy in cluster.policies:
        for version in (4, 6):
            there = ends(cluster.pods, version)
            if not any(_subject(policy, end.pod) for end in there):
                continue
            here = ends(chosen.pods, version)
            subjects = [end for end in here if _subject(policy, end.pod)]
            assert subjects
            for direction in filter(lambda each, policy=policy: affects(policy, each), Direction):
                rules = policy.rules(direction)
                others = [end for end in here if end.pod != subjects[0].pod]
                verdicts = {any(_admits(cluster, policy, rule, end) for rule in rules) for end in others}
                assert verdicts == {True, False}


def _subject(policy: Any, pod: Pod) -> bool:
    return bool(policy.namespace == pod.namespace and selects(policy.pod_selector, pod.labels))


def _admits(cluster: Cluster, policy: Any, rule: Any, end: PodEnd) -> bool:
    assert all(isinstance(peer, PodPeer) for peer in rule.peers)
    return peer_matches(cluster, policy.namespace, rule.peers, end)


def test_choice_does_not_depend_on_the_order_of_the_input() -> None:
    objects = [*cluster_objects(crowd()), *policy_objects(crowd().policies)]
    wanted = [pod.key for pod in choose(crowd(), 40).pods]
    Random(1).shuffle(objects)
    assert [pod.key for pod in choose(load_objects(objects), 40).pods] == wanted


def test_few_places_are_kept_for_subjects_and_what_has_no_room_is_said() -> None:
    chosen = choose(crowd(), 5)
    assert len(chosen.pods) == 5
    assert "a pod of s1/to-a3" in chosen.unmet
    planned = plan(crowd(), 5)
    assert planned.left_out[0] == "295 of 300 pods; --most-pods takes more"
    assert planned.left_out[1].startswith("policies that select no pod of the lab: s0/to-a")
    assert planned.left_out[-1].startswith("no room for a pod of ")


def test_small_cluster_is_in_the_lab_whole() -> None:
    cluster = golden("ingress-pod-selector")
    assert choose(cluster, 40).pods == cluster.pods
    assert plan(cluster, 40).left_out == ()


def test_pods_are_of_two_nodes_where_there_are_two() -> None:
    objects = [each for each in cluster_objects(crowd()) if each["kind"] != "NetworkPolicy"]
    policy = next(policy_objects(crowd().policies))
    chosen = choose(load_objects([*objects, policy]), 4)
    assert len({pod.node for pod in chosen.pods}) == 2


# Outside


@pytest.mark.parametrize(
    ("prefix", "without", "found"),
    [
        ("10.0.0.0/8", [], "10.0.0.1"),
        ("10.0.0.0/8", ["10.0.0.0/9"], "10.128.0.1"),
        ("10.0.0.0/31", ["10.0.0.0/32"], "10.0.0.1"),
        ("10.0.0.0/31", ["10.0.0.1/32"], "10.0.0.0"),
        ("10.0.0.0/31", ["10.0.0.0/30"], None),
        ("0.0.0.0/0", ["203.0.113.0/24"], "198.51.100.10"),
        ("2001:db8::/32", [], "2001:db8:113::10"),
        ("fd00::/127", ["fd00::1/128", "10.0.0.0/8"], "fd00::"),
        ("255.255.255.255/32", [], "255.255.255.255"),
    ],
)
def test_free_address(prefix: str, without: list[str], found: str | None) -> None:
    address = free_address(parse_prefix(prefix), map(parse_prefix, without))
    assert (address and format_address(address)) == found


def test_hosts_are_inside_a_block_in_its_exceptions_and_outside_and_nobody_of_the_cluster() -> None:
    cluster = golden("egress-ip-block")
    found = find_outsiders(cluster, cluster.policies, [parse_prefix("192.168.50.0/30")], {4})
    texts = [format_address(address) for address in found.addresses]
    assert texts == ["172.16.0.1", "203.0.113.10", "172.16.0.40"]
    assert found.unmet == ()


@pytest.mark.parametrize("seed", range(30))
def test_hosts_of_random_clusters_are_nobody_of_the_cluster(seed: int) -> None:
    cluster = load_objects(random_cluster(Random(seed)))
    cidrs = [cidr for node in cluster.nodes.values() for cidr in node.pod_cidrs]
    taken = {address for node in cluster.nodes.values() for address in node.addresses}
    for address in find_outsiders(cluster, cluster.policies, [], {4, 6}).addresses:
        host = parse_prefix(f"{format_address(address)}/{len(address) * 8}")
        assert address not in taken
        assert not any(cidr.contains(host) for cidr in cidrs)


# The underlay


def nodes(*addresses: list[str], cidr: str = "10.244.{}.0/24") -> list[Node]:
    return [
        Node(
            f"n{number}",
            (parse_prefix(cidr.format(number)),),
            tuple(map(parse_address, own)),
            parse_address(own[0]) if own else None,
        )
        for number, own in enumerate(addresses)
    ]


def test_addresses_of_one_segment_stay() -> None:
    laid = lay(nodes(["10.0.1.5", "fd00::5"], ["10.0.2.7", "fd00::7"]))
    assert [[*map(format_address, node.addresses)] for node in laid.nodes] == [
        ["10.0.1.5", "fd00::5"],
        ["10.0.2.7", "fd00::7"],
    ]
    assert {version: str(segment) for version, segment in laid.segments.items()} == {4: "10.0.0.0/22", 6: "fd00::/124"}
    assert laid.changes == ()


def test_first_and_last_address_of_a_segment_are_nobodys() -> None:
    assert str(lay(nodes(["10.0.0.4"], ["10.0.0.7"])).segments[4]) == "10.0.0.0/28"
    assert str(lay(nodes(["10.0.0.8"])).segments[4]) == "10.0.0.0/28"


def test_family_that_not_all_nodes_have_is_left_out() -> None:
    assert [*lay(nodes(["10.0.0.1", "fd00::1"], ["10.0.0.2"])).segments] == [4]
    assert [*lay(nodes(["fd00::1", "10.0.0.1"], ["fd00::2"])).segments] == [6]


@pytest.mark.parametrize(
    "addresses", [(["10.0.0.1"], ["192.168.0.1"]), (["10.0.0.1"], []), (["10.0.0.1"], ["10.0.0.1"])]
)
def test_addresses_that_fit_no_segment_are_replaced_and_that_is_said(addresses: tuple[list[str], ...]) -> None:
    laid = lay(nodes(*addresses))
    assert [*map(format_address, (node.addresses[0] for node in laid.nodes))] == ["198.18.0.1", "198.18.0.2"]
    assert laid.changes == ("the nodes' IPv4 addresses do not fit one segment; the lab has 198.18.0.1 and up instead",)


def test_addresses_in_a_pod_cidr_are_replaced() -> None:
    assert lay(nodes(["10.244.0.1"], ["10.244.0.2"])).changes


# The whole


def written(planned: LabPlan, folder: Path) -> tuple[topology.Topology, Cluster]:
    file, policies = planned.write(folder, "mine")
    read = topology.read(file)
    return read, load([str(read.cluster_directory), str(policies)])


def test_topology_and_manifests_that_are_written_are_a_lab(tmp_path: Path) -> None:
    planned = plan(crowd(), 40)
    read, cluster = written(planned, tmp_path)
    check(read, cluster)
    assert told(cluster) == told(planned.cluster)
    assert {node.pod for node in read.nodes if node.pod} == {pod.key for pod in planned.cluster.pods}
    assert cluster.notes == ()


@pytest.mark.parametrize("case", CASES)
def test_every_golden_case_can_be_a_lab(case: str, tmp_path: Path) -> None:
    cluster = golden(case)
    if not cluster.nodes:
        with pytest.raises(UsageError, match="no node can be used"):
            plan(cluster, 40)
        return
    read, found = written(plan(cluster, 40), tmp_path)
    check(read, found)
    assert found.notes == ()


def test_long_names_are_cut_and_stay_apart() -> None:
    wiring = Wiring([], [], [])
    assert [*wiring.document("x", {})["topology"]["nodes"]] == ["underlay"]
    long = "a" * 60
    many = [Node(f"{long}{letter}", (), (), None) for letter in "bcd"]
    names = [name for name in Wiring(many, [], []).document("x", {})["topology"]["nodes"] if name != "underlay"]
    assert len(set(names)) == 3
    assert all(len(name) <= 40 for name in names)
    assert all(one != other for one, other in pairwise(names))


def test_cluster_without_pods_is_a_usage_error() -> None:
    only = [each for each in cluster_objects(crowd(0)) if each["kind"] == "Node"]
    with pytest.raises(UsageError, match="no pod with an address"):
        plan(load_objects(only), 40)


def test_lab_of_containers_cannot_be_of_the_own_cluster(tmp_path: Path) -> None:
    (tmp_path / "cluster.json").write_text(json.dumps({"kind": "List", "apiVersion": "v1", "items": [*_objects()]}))
    answer = ovsnp("lab", "up", "--runtime", "containerlab", "-f", tmp_path / "cluster.json")
    assert (answer.code, answer.out) == (2, "")
    assert "is built of network namespaces; leave out --runtime containerlab" in answer.err


def _objects() -> list[dict[str, Any]]:
    return [*cluster_objects(crowd(4)), *policy_objects(crowd(4).policies)]
