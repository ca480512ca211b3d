"""The content of a generated cluster of each size: namespaces, apps, and the node and address of every pod."""

import ipaddress
import uuid
from collections import Counter
from collections.abc import Iterator
from random import Random
from typing import NamedTuple


class Size(NamedTuple):
    """The number of objects of each kind; ``local`` pods are on node-0."""

    pods: int
    nodes: int
    namespaces: int
    local: int

    def pods_of(self, space: int) -> range:
        """The turns of the namespace's pods; the turn of a pod among all pods determines its app."""
        return range(space * self.pods // self.namespaces, (space + 1) * self.pods // self.namespaces)

    def local_pods_of(self, space: int) -> range:
        """The turns of the pods on node-0: ten in each of the first namespaces, or more if these are too few."""
        homes = min(self.namespaces, -(-self.local // 10))
        share = (space + 1) * self.local // homes - space * self.local // homes if space < homes else 0
        return self.pods_of(space)[:share]


SIZES = {
    "S": Size(100, 3, 2, 33),
    "M": Size(1_000, 20, 20, 50),
    "L": Size(10_000, 100, 200, 100),
    "XL": Size(100_000, 1_000, 1_000, 100),
}


class App(NamedTuple):
    """The common properties of all pods of one Deployment; ports are name, number and protocol."""

    name: str
    tier: str
    image: str
    ports: tuple[tuple[str, int, str], ...]

    @property
    def labels(self) -> dict[str, str]:
        labels = {"app": self.name, "tier": self.tier}
        return labels | {"k8s-app": "kube-dns"} if self.name == "kube-dns" else labels


METRICS = ("metrics", 9090, "TCP")
APPS = (
    App("web", "frontend", "nginx:1.27.4", (("http", 8080, "TCP"), ("https", 8443, "TCP"), METRICS)),
    App("api", "backend", "example.com/shop/api:2.31.0", (("http", 8000, "TCP"), ("grpc", 9000, "TCP"), METRICS)),
    App("worker", "backend", "example.com/shop/worker:2.31.0", (("grpc", 9001, "TCP"), METRICS)),
    App("search", "backend", "opensearch:2.18.0", (("http", 9200, "TCP"), ("transport", 9300, "TCP"))),
    App("cache", "data", "redis:7.4.1", (("redis", 6379, "TCP"),)),
    App("db", "data", "postgres:17.2", (("postgres", 5432, "TCP"), METRICS)),
    App("queue", "data", "nats:2.10.22", (("client", 4222, "TCP"), ("cluster", 6222, "TCP"), METRICS)),
    App("mail", "frontend", "example.com/shop/mail:1.8.2", (("smtp", 2525, "TCP"), METRICS)),
)
PLATFORM_APPS = (
    *APPS,
    App("kube-dns", "platform", "registry.k8s.io/coredns:v1.11.3", (("dns", 53, "UDP"), ("dns-tcp", 53, "TCP"))),
    App("prometheus", "platform", "quay.io/prometheus/prometheus:v3.0.1", (("web", 9091, "TCP"),)),
)


class PlacedPod(NamedTuple):
    """A pod: its namespace, name and app, the number of its node and its address there."""

    namespace: str
    name: str
    app: App
    node: int
    address: str

    @property
    def key(self) -> str:
        return f"{self.namespace}/{self.name}"


def namespaces(size: Size) -> list[str]:
    """The names of the namespaces; the first has the apps of the platform."""
    return ["monitoring", *(f"team-{index:04}" for index in range(1, size.namespaces))]


def placed_pods(size: Size) -> Iterator[PlacedPod]:
    """All pods, by namespace and name; exactly ``size.local`` are on node-0, the others spread evenly elsewhere."""
    random = Random(size.pods)
    elsewhere = [1 + index % (size.nodes - 1) for index in range(size.pods - size.local)]
    random.shuffle(elsewhere)
    held = Counter[int]()
    for index, space in enumerate(namespaces(size)):
        apps = PLATFORM_APPS if index == 0 else APPS
        here = size.local_pods_of(index)
        for name, turn in sorted(
            (pod_name(apps[turn % len(apps)], space, random), turn) for turn in size.pods_of(index)
        ):
            place = 0 if turn in here else elsewhere.pop()
            held[place] += 1
            address = pod_cidr(place)[1 + held[place]]
            yield PlacedPod(space, name, apps[turn % len(apps)], place, str(address))


def pod_cidr(index: int) -> ipaddress.IPv4Network:
    """The /24 for the pods of a node, from 10.1.0.0 on."""
    return ipaddress.IPv4Network((int(ipaddress.IPv4Address("10.1.0.0")) + index * 256, 24))


def node_address(index: int) -> str:
    return str(ipaddress.IPv4Address("172.16.0.10") + index)


def pod_name(app: App, space: str, random: Random) -> str:
    """The name of a Deployment's pod: the app, the hash of the ReplicaSet and five random characters."""
    replica_set = uuid.uuid5(uuid.NAMESPACE_URL, f"{space}/{app.name}").hex[:10]
    return f"{app.name}-{replica_set}-" + "".join(random.choice("bcdfghjklmnpqrstvwxz2456789") for _ in range(5))
