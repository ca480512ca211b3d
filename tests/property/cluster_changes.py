"""Random changes of a random cluster: of its objects, and of the ports of a bridge."""

import copy
from collections.abc import Callable, Iterator, Sequence
from random import Random

from ovsnp.compiler import local_pods
from ovsnp.manifests import load_objects
from ovsnp.model.bridge import BridgePort, BridgePorts
from ovsnp.model.cluster import Cluster, Pod
from ovsnp.model.options import Encap, Options
from tests.support.clusters import (
    LABELS,
    NAMESPACE_LABELS,
    Object,
    another_node,
    another_pod,
    another_policy,
    labels_of,
    random_cluster,
    random_services,
)

NODE = "node-0"

Change = Callable[[Random, list[Object]], None]


def change(random: Random, objects: Sequence[Object]) -> list[Object]:
    """The objects after one to three changes of random kinds."""
    after = copy.deepcopy(list(objects))
    for _ in range(random.choice((1, 1, 1, 2, 3))):
        random.choice(CHANGES)(random, after)
    return after


def ports_of(random: Random, pods: Sequence[Pod], before: BridgePorts | None = None) -> BridgePorts:
    """A port for most of the pods; most pods keep the port that they had."""
    last = before.pods if before else {}
    ports = {pod.key: last[pod.key] for pod in pods if pod.key in last and random.random() < 0.95}
    free = [number for number in range(100, 200) if number not in {port.ofport for port in ports.values()}]
    for pod in pods:
        if pod.key not in ports and random.random() < 0.9:
            ofport = free.pop(random.randrange(len(free)))
            ports[pod.key] = BridgePort(ofport, 0x0A5800010000 + ofport)
    tunnel = before.tunnel if before and random.random() < 0.98 else random.choice((1, 2654))
    gateway = (
        before.gateway if before and random.random() < 0.98 else BridgePort(random.choice((2, 2655)), 0x0A5800000002)
    )
    return BridgePorts(tunnel, gateway, ports)


def _of_kind(objects: Sequence[Object], kind: str) -> list[Object]:
    return [each for each in objects if each["kind"] == kind]


def _any(random: Random, objects: Sequence[Object], kind: str) -> Object | None:
    found = _of_kind(objects, kind)
    return random.choice(found) if found else None


def _goes(kind: str) -> Change:
    def go(random: Random, objects: list[Object]) -> None:
        if gone := _any(random, objects, kind):
            objects.remove(gone)

    return go


def _pod_comes(random: Random, objects: list[Object]) -> None:
    """Add a pod at a free address, which another pod may have had before."""
    if nodes := _of_kind(objects, "Node"):
        objects.append(another_pod(random, objects, random.choice(nodes)))


def _pod_is_replaced(random: Random, objects: list[Object]) -> None:
    """Replace a pod by another pod at the same addresses."""
    if pod := _any(random, objects, "Pod"):
        another = copy.deepcopy(pod)
        another["metadata"]["name"] += "-again"
        another["metadata"]["labels"] = labels_of(random, LABELS)
        objects[objects.index(pod)] = another


def _pod_changes(random: Random, objects: list[Object]) -> None:
    """Change the labels, the named ports, or the phase of a pod."""
    if pod := _any(random, objects, "Pod"):
        match random.randrange(4):
            case 0 | 1:
                pod["metadata"]["labels"] = labels_of(random, LABELS)
            case 2:
                other = _any(random, objects, "Pod")
                assert other
                pod["spec"]["containers"] = other["spec"]["containers"]
            case _:
                pod["status"]["phase"] = random.choice(("Running", "Succeeded"))


def _pods_swap_addresses(random: Random, objects: list[Object]) -> None:
    pods = [each for each in _of_kind(objects, "Pod") if "hostNetwork" not in each["spec"]]
    if len(pods) > 1:
        first, second = random.sample(pods, 2)
        first["status"], second["status"] = second["status"], first["status"]
        of_first, of_second = first["spec"], second["spec"]
        of_first["nodeName"], of_second["nodeName"] = of_second["nodeName"], of_first["nodeName"]


def _namespace_changes(random: Random, objects: list[Object]) -> None:
    if namespace := _any(random, objects, "Namespace"):
        labels = labels_of(random, NAMESPACE_LABELS)
        namespace["metadata"]["labels"] = labels | {"kubernetes.io/metadata.name": namespace["metadata"]["name"]}


def _policy_comes(random: Random, objects: list[Object]) -> None:
    objects.append(another_policy(random, objects))


def _policy_changes(random: Random, objects: list[Object]) -> None:
    if policy := _any(random, objects, "NetworkPolicy"):
        another = another_policy(random, objects)
        policy["spec"] = another["spec"]


def _node_comes(random: Random, objects: list[Object]) -> None:
    objects.append(another_node(random, objects))


def _node_changes(random: Random, objects: list[Object]) -> None:
    """Remove the second address family of a node, perhaps the bridge's own, or add it again."""
    if node := _any(random, objects, "Node"):
        cidrs, lost = node["spec"]["podCIDRs"], node["metadata"].setdefault("annotations", {})
        if len(cidrs) > 1:
            node["spec"]["podCIDRs"], lost["second"] = cidrs[:1], cidrs[1]
        elif "second" in lost:
            node["spec"]["podCIDRs"] = [*cidrs, lost.pop("second")]


def _other_node_goes(random: Random, objects: list[Object]) -> None:
    """Remove a node other than the bridge's own; ovsnp leaves out the pods on it."""
    others = [each for each in _of_kind(objects, "Node") if each["metadata"]["name"] != "node-0"]
    if others:
        objects.remove(random.choice(others))


def _services_change(random: Random, objects: list[Object]) -> None:
    """Replace most of the Services and EndpointSlices by others."""
    if _of_kind(objects, "Pod") and _of_kind(objects, "Node"):
        stay = [each for each in objects if each["kind"] not in ("Service", "EndpointSlice") or random.random() < 0.3]
        there = {_name(each) for each in stay}
        objects[:] = [*stay, *(each for each in random_services(random, stay) if _name(each) not in there)]


def _name(item: Object) -> tuple[str, str, str]:
    return item["kind"], item["metadata"].get("namespace", ""), item["metadata"]["name"]


def _service_changes(random: Random, objects: list[Object]) -> None:
    if service := _any(random, objects, "Service"):
        match random.randrange(3):
            case 0:
                service["spec"]["sessionAffinity"] = random.choice(("None", "ClientIP"))
            case 1:
                service["spec"]["selector"] = labels_of(random, LABELS) or {"app": "a"}
            case _:
                service["spec"]["internalTrafficPolicy"] = random.choice(("Local", "Cluster"))


def _slice_changes(random: Random, objects: list[Object]) -> None:
    if item := _any(random, objects, "EndpointSlice"):
        endpoints = item["endpoints"]
        if endpoints and random.random() < 0.5:
            endpoints.remove(random.choice(endpoints))
        for endpoint in endpoints:
            endpoint["conditions"] = random.choice(({}, {"ready": True}, {"ready": False, "serving": True}))


CHANGES: Sequence[Change] = (
    _pod_comes,
    _pod_comes,
    _goes("Pod"),
    _pod_is_replaced,
    _pod_changes,
    _pod_changes,
    _pods_swap_addresses,
    _namespace_changes,
    _policy_comes,
    _policy_comes,
    _goes("NetworkPolicy"),
    _policy_changes,
    _node_comes,
    _node_changes,
    _other_node_goes,
    _services_change,
    _goes("Service"),
    _service_changes,
    _goes("EndpointSlice"),
    _slice_changes,
)


def options_of(random: Random) -> Options:
    """Options for all changes of a cluster; one cluster in eight has no Node objects."""
    return Options(
        node=NODE if random.random() < 0.88 else None,
        encap=random.choice((Encap.GENEVE, Encap.GENEVE, Encap.VXLAN)),
        strict_nodes=random.random() < 0.4,
        masquerade=random.random() < 0.3,
        service_blocks=random.random() < 0.5,
    )


def loaded(objects: Sequence[Object], options: Options) -> Cluster:
    """The cluster of these objects; without Nodes and Services if the options name no node."""
    if options.node:
        return load_objects(objects)
    return load_objects(
        [_without_node(each) for each in objects if each["kind"] in ("Namespace", "Pod", "NetworkPolicy")]
    )


def _without_node(item: Object) -> Object:
    return (
        {**item, "spec": {key: item["spec"][key] for key in item["spec"] if key != "nodeName"}}
        if "spec" in item
        else item
    )


def moments(random: Random, options: Options, count: int) -> Iterator[tuple[Cluster, BridgePorts]]:
    """A cluster and the ports of a bridge, and both again after each of ``count`` changes."""
    objects = random_cluster(random)
    objects += random_services(random, objects)
    ports: BridgePorts | None = None
    for _ in range(count + 1):
        cluster = loaded(objects, options)
        ports = ports_of(random, local_pods(cluster, options.node), ports)
        yield cluster, ports
        objects = change(random, objects)
