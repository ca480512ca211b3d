"""How a Service's connections spread over its endpoints, and their cost for the datapath."""

import re
from collections import Counter
from collections.abc import Sequence

import pytest

from ovsnp.model.ports import Protocol
from tests.ovs.frames import Packet
from tests.ovs.service_scene import BACKENDS, CLUSTER_IP, ServiceScene, address_of, first
from tests.ovs.wired import QUEUE

CONNECTIONS = 1200
LIMIT = 13.8
"""Chi-square with two degrees of freedom: an even choice exceeds this value once in a thousand times."""


def opened(client: str, port: int, version: int, protocol: Protocol) -> Packet:
    return first(client, port, CLUSTER_IP[version], 80 if protocol is Protocol.TCP else 53, protocol)


def shares(scene: ServiceScene, sender: str, packets: Sequence[Packet]) -> Counter[str]:
    """The number of connections that each endpoint got, from conntrack."""
    node = scene.nodes[0]
    for start in range(0, len(packets), QUEUE):
        node.send(sender, *packets[start : start + QUEUE])
    version = 4 if "." in packets[0].source.address else 6
    entries = node.switch.appctl("dpctl/dump-conntrack", f"zone={2654 if version == 4 else 2655}")
    found = Counter(re.findall(r"reply=\(src=([^,]+),", entries))
    assert found.total() == len(packets)
    names = {address_of(pod, version): pod for pod in BACKENDS}
    return Counter({names[address]: number for address, number in found.items()})


def chi_square(found: Counter[str]) -> float:
    even = found.total() / len(BACKENDS)
    return sum((found[pod] - even) ** 2 / even for pod in BACKENDS)


def counted(scene: ServiceScene, what: str) -> int:
    """A number of the datapath: ``missed`` packets, or ``flows``."""
    return int(scene.nodes[0].switch.appctl("dpctl/show").partition(f"{what}:")[2].split()[0])


@pytest.mark.parametrize("version", [4, 6])
def test_one_clients_tcp_connections_spread_evenly_and_share_megaflows(scene: ServiceScene, version: int) -> None:
    scene.serve(BACKENDS)
    scene.apply()
    missed, flows = counted(scene, "missed"), counted(scene, "flows")
    client = address_of("client", version)
    packets = [opened(client, 32768 + number, version, Protocol.TCP) for number in range(CONNECTIONS)]
    assert chi_square(shares(scene, "client", packets)) < LIMIT
    assert counted(scene, "missed") - missed < 150
    assert counted(scene, "flows") - flows < 150


@pytest.mark.parametrize("version", [4, 6])
def test_udp_costs_a_megaflow_for_each_of_256_values_of_a_port(scene: ServiceScene, version: int) -> None:
    scene.serve(BACKENDS)
    scene.apply()
    missed = counted(scene, "missed")
    client = address_of("client", version)
    packets = [opened(client, 32768 + number, version, Protocol.UDP) for number in range(CONNECTIONS)]
    # A client has at most 256 choices.
    assert min(shares(scene, "client", packets).values()) > CONNECTIONS / 5
    assert counted(scene, "missed") - missed < 350


@pytest.mark.parametrize(("affinity", "protocol"), [(600, Protocol.TCP), (None, Protocol.UDP), (None, Protocol.TCP)])
def test_many_clients_spread_evenly(scene: ServiceScene, affinity: int | None, protocol: Protocol) -> None:
    scene.serve(BACKENDS, affinity)
    scene.apply()
    clients = [f"198.51.{net}.{host}" for net in (100, 101, 102, 103) for host in range(1, 255)]
    packets = [opened(client, 40000, 4, protocol) for client in clients]
    assert chi_square(shares(scene, "gateway", packets)) < LIMIT
