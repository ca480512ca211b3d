"""Random clusters with unusable state: it never widens what is allowed, and changes nothing else."""

import copy
import ipaddress
import os
from collections.abc import Callable
from random import Random
from typing import Any

import msgspec
import pytest

from ovsnp.compiler import compile_cluster, local_pods
from ovsnp.manifests import load_objects
from ovsnp.model.address import family, parse_address, parse_prefix
from ovsnp.model.bridge import BridgePort, BridgePorts
from ovsnp.model.cluster import Cluster
from ovsnp.model.options import Options
from ovsnp.model.ports import Protocol
from ovsnp.oracle import OutsideEnd, ServingBackend, Traffic, backends, judge, who
from tests.support.clusters import Object, Probe, interesting_traffic, random_cluster, random_services
from tests.support.resolved import frontends
from tests.support.without_places import bare

CLUSTERS = int(os.environ.get("OVSNP_CLUSTERS", "100"))
PROBES = 150
DELETED = "2026-03-01T00:00:00Z"

Odd = Callable[[Random, list[Object]], list[Object]]


def of_kind(objects: list[Object], kind: str) -> list[Object]:
    return [each for each in objects if each["kind"] == kind]


def living(objects: list[Object]) -> list[Object]:
    return [
        pod for pod in of_kind(objects, "Pod")
        if pod["status"].get("podIPs") and "hostNetwork" not in pod["spec"]
        and pod["status"]["phase"] not in ("Succeeded", "Failed")
    ]  # fmt: skip


def twin(random: Random, objects: list[Object], **status: Any) -> Object:
    """A copy of an existing pod under another name."""
    pod = copy.deepcopy(random.choice(of_kind(objects, "Pod")))
    pod["metadata"]["name"] = "odd"
    pod["spec"].pop("hostNetwork", None)
    pod["status"] = {"phase": "Running", **status}
    return pod


def joining(_: Random, objects: list[Object]) -> list[Object]:
    node = copy.deepcopy(of_kind(objects, "Node")[0])
    return [node | {"metadata": {"name": "odd"}, "spec": {}, "status": {}}]


def without_address(_: Random, objects: list[Object]) -> list[Object]:
    """A node with a pod CIDR and without an address, and a pod on it; all other nodes have an address."""
    node = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "odd"}}
    pod = twin(Random(0), objects, podIPs=[{"ip": "10.77.0.9"}])
    pod["spec"]["nodeName"] = "odd"
    return [node | {"spec": {"podCIDRs": ["10.77.0.0/24"]}}, pod]


def around_all(_: Random, objects: list[Object]) -> list[Object]:
    node = copy.deepcopy(of_kind(objects, "Node")[0])
    node["metadata"] = {"name": "odd"}
    node["spec"]["podCIDRs"] = ["fd00::/8" if ":" in cidr else "10.0.0.0/8" for cidr in node["spec"]["podCIDRs"]]
    node["status"]["addresses"] = [
        {"type": "InternalIP", "address": "172.16.0.77"}, {"type": "InternalIP", "address": "fd00:16::77"}
    ]  # fmt: skip
    return [node]


def replaced(random: Random, objects: list[Object]) -> list[Object]:
    """A node that is not ready, and that has the addresses and pod CIDRs of another node."""
    node = copy.deepcopy(random.choice(of_kind(objects, "Node")))
    node["metadata"] = {"name": "odd"}
    node["status"]["conditions"] = [{"type": "Ready", "status": "Unknown"}]
    return [node]


def orphan(random: Random, objects: list[Object]) -> list[Object]:
    pod = twin(random, objects, podIPs=[{"ip": random.choice(("10.88.0.9", "fd00:88::9"))}])
    pod["spec"]["nodeName"] = random.choice(("gone", None))
    return [pod]


def stray(random: Random, objects: list[Object]) -> list[Object]:
    return [twin(random, objects, podIPs=[{"ip": random.choice(("10.88.0.9", "fd00:88::9", "192.0.2.1"))}])]


def at_a_nodes_address(random: Random, objects: list[Object]) -> list[Object]:
    node = random.choice(of_kind(objects, "Node"))
    own = [each["address"] for each in node["status"]["addresses"] if each["type"] != "Hostname"]
    gateways = [str(ipaddress.ip_network(cidr)[1]) for cidr in node["spec"]["podCIDRs"]]
    return [twin(random, objects, podIPs=[{"ip": random.choice([*own, *gateways])}])]


def ending(random: Random, objects: list[Object]) -> list[Object]:
    """A terminating pod at the addresses of a living pod."""
    found = living(objects)
    if not found:
        return []
    other = random.choice(found)
    pod = twin(random, objects, podIPs=other["status"]["podIPs"])
    pod["metadata"]["deletionTimestamp"] = DELETED
    pod["spec"]["nodeName"] = other["spec"]["nodeName"]
    return [pod]


def resting(random: Random, objects: list[Object]) -> list[Object]:
    node = random.choice(of_kind(objects, "Node"))
    pod = twin(
        random, objects, phase="Resting", podIPs=[{"ip": str(ipaddress.ip_network(node["spec"]["podCIDR"])[12])}]
    )
    pod["spec"]["nodeName"] = node["metadata"]["name"]
    return [pod]


ODD: list[Odd] = [
    joining, without_address, around_all, replaced, orphan, stray, at_a_nodes_address, ending, resting
]  # fmt: skip


def with_odd(random: Random, objects: list[Object]) -> list[Object]:
    """The objects and one or more odd objects, in random order."""
    found = [*objects, *random.choice(ODD)(random, objects)]
    random.shuffle(found)
    return found


def without_notes(cluster: Cluster) -> Cluster:
    return msgspec.structs.replace(bare(cluster), idle=frozenset(), unused_nodes=frozenset(), notes=())


def allowed(cluster: Cluster, probe: Probe) -> bool:
    source, destination = (who(cluster, parse_address(end)) for end in probe[:2])
    protocol = Protocol(probe.protocol) if probe.protocol in list(Protocol) else None
    return judge(cluster, source, destination, Traffic(protocol, probe.port if protocol else None)).allowed


@pytest.mark.parametrize("seed", range(CLUSTERS))
def test_what_can_be_used_is_as_without_the_odd_object(seed: int) -> None:
    """The clusters are equal, so all verdicts and flows are equal, too."""
    random = Random(seed)
    objects = random_cluster(random)
    objects += random_services(random, objects)
    odd = with_odd(random, objects)
    before, after = load_objects(objects), load_objects(odd)
    assert without_notes(after) == without_notes(before)
    assert bool(after.notes) == (len(odd) > len(objects))


@pytest.mark.parametrize("seed", range(CLUSTERS))
def test_address_of_two_living_pods_is_nobodys(seed: int) -> None:
    """No bridge takes packets from the address or delivers to it; other verdicts are as without the two pods."""
    random = Random(seed)
    objects = random_cluster(random)
    if not (found := living(objects)):
        pytest.skip("no pod has an address")
    other = random.choice(found)
    pod = twin(random, objects, podIPs=other["status"]["podIPs"])
    pod["spec"]["nodeName"] = other["spec"]["nodeName"]
    shared = {entry["ip"] for entry in other["status"]["podIPs"]}
    before, after = load_objects([each for each in objects if each is not other]), load_objects([*objects, pod])
    assert bare(after).pods == bare(before).pods
    assert len(after.idle) == len(before.idle) + 2
    for probe in interesting_traffic(objects, PROBES):
        if not shared & {*probe[:2]}:
            assert allowed(after, probe) == allowed(before, probe)
    for node in after.nodes:
        program = compile_cluster(after, ports_of(after, node), Options(node=node))
        found = [flow.match for flow in program.flows if flow.table in ("Origin", "Forward")]
        assert not [match for match in map(str, found) for address in shared if f"={address}," in f"{match},"]


def ports_of(cluster: Cluster, node: str) -> BridgePorts:
    keys = (pod.key for pod in local_pods(cluster, node))
    return BridgePorts(1, BridgePort(2, 2), {key: BridgePort(number, number) for number, key in enumerate(keys, 3)})


@pytest.mark.parametrize("seed", range(CLUSTERS))
def test_address_of_two_nodes_loses_what_nodes_may(seed: int) -> None:
    random = Random(seed)
    objects = random_cluster(random)
    node = copy.deepcopy(of_kind(objects, "Node")[0])
    shared = {"type": "ExternalIP", "address": "203.0.113.99"}
    of_kind(objects, "Node")[0]["status"]["addresses"].append(shared)
    stack = [parse_prefix(cidr).family for cidr in node["spec"]["podCIDRs"]]
    node |= {
        "metadata": {"name": "odd"},
        "spec": {"podCIDRs": [{4: "10.77.0.0/24", 6: "fd00:77::/64"}[each] for each in stack]},
    }
    internal = [{"type": "InternalIP", "address": {4: "172.16.0.77", 6: "fd00:16::77"}[each]} for each in stack]
    node["status"] = {"addresses": [*internal, shared]}
    before, after = load_objects(objects), load_objects([*objects, node])
    assert len(after.notes) == 2
    assert isinstance(who(after, parse_address(shared["address"])), OutsideEnd)
    for probe in interesting_traffic(objects, PROBES):
        assert allowed(before, probe) or not allowed(after, probe)


@pytest.mark.parametrize("seed", range(CLUSTERS))
def test_backends_are_those_of_the_oracle(seed: int) -> None:
    """With odd objects, and with pods in the host network that selectors select."""
    random = Random(seed)
    objects = random_cluster(random)
    objects += [each for each in random_services(random, objects) if each["kind"] == "Service"]
    for pod in of_kind(objects, "Pod")[::2]:
        node = next(each for each in of_kind(objects, "Node") if each["metadata"]["name"] == pod["spec"]["nodeName"])
        internal = [each["address"] for each in node["status"]["addresses"] if each["type"] == "InternalIP"]
        pod["spec"]["hostNetwork"] = True
        pod["status"] = {"phase": "Running", "podIPs": [{"ip": address} for address in internal]}
    cluster = load_objects(with_odd(random, objects))
    for node in cluster.nodes:
        for front in frontends(cluster, node):
            service = next(each for each in cluster.services if each.key == front.service)
            port = next(each for each in service.ports if (each.protocol, each.number) == (front.protocol, front.port))
            expected = backends(cluster, service, port, family(front.address), node)
            assert frozenset(ServingBackend(*each) for each in front.backends) == expected
