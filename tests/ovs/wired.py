"""Nodes with pods, gateways and tunnels that take and give real packets, without root.

Each node is a separate Open vSwitch on the dummy datapath, with conntrack, NAT and tunnels. Packets to the other node
are taken from the uplink of one node, and put into the uplink of the other. (Open vSwitch's tests/tunnel-push-pop.at.)
"""

import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from ipaddress import IPv4Address
from itertools import chain
from pathlib import Path
from typing import NamedTuple

from ovsnp.flows.match import format_value
from ovsnp.model.options import Encap
from ovsnp.pipeline.fields import ETH_SRC
from ovsnp.pipeline.ports import GATEWAY_MAC, GATEWAY_PORT, ROUTER_MAC
from tests.ovs.frames import Packet, frame, parse
from tests.support.applying import Answer, ovsnp
from tests.support.instance import DummySwitch

BRIDGE = "br-int"
QUEUE = 100
"""The most packets that wait at a dummy port: the datapath takes them one by one, and more are lost."""
_UNDERLAY = "br-phy"
_UPLINK = "uplink"
_PCAP_HEADER, _PCAP_RECORD = 24, 16
_PATIENCE = 10.0


class Arrival(NamedTuple):
    """A packet that came out of a node: at a pod's port, or at ``gateway``."""

    at: str
    packet: Packet


class WiredNode:
    """A node: the integration bridge with the ports of its pods, and the bridge that carries the tunnel."""

    def __init__(self, switch: DummySwitch, name: str, addresses: Sequence[str]) -> None:
        """``addresses`` are the IPv4 addresses of all tunnel endpoints, this node's first."""
        self.switch, self.name, self.address = switch, name, addresses[0]
        self._others = addresses[1:]
        self._pods: dict[str, tuple[str, int]] = {}
        self._keys: dict[str, str] = {}
        self._read: dict[str, int] = {}
        self._add_bridges()

    def vsctl(self, *arguments: str) -> str:
        """Change the database."""
        return self.switch.run(["ovs-vsctl", "--timeout=20", "--", *arguments])

    def _add_bridges(self) -> None:
        self.vsctl(
            *("add-br", BRIDGE, "--", "set", "Bridge", BRIDGE, "datapath_type=dummy"),
            *("--", "add-br", _UNDERLAY, "--", "set", "Bridge", _UNDERLAY, "datapath_type=dummy"),
            f"other_config:hwaddr={_underlay_mac(self.address)}",
            *("--", *self._port(_UNDERLAY, _UPLINK)),
        )
        self._address_underlay()

    def _address_underlay(self) -> None:
        """Set the state that ovs-vswitchd does not take from its database, but on a real node from the kernel."""
        self.switch.appctl("netdev-dummy/ip4addr", _UNDERLAY, f"{self.address}/24")
        self.switch.appctl("ovs/route/add", f"{self.address}/24", _UNDERLAY)
        for other in self._others:
            self.switch.appctl("tnl/neigh/set", _UNDERLAY, other, _underlay_mac(other))

    def _port(self, bridge: str, name: str, *columns: str) -> list[str]:
        """The words for ovs-vsctl that add a port."""
        capture = f"options:tx_pcap={self._capture(name)}"
        return ["add-port", bridge, name, "--", "set", "Interface", name, "type=dummy", capture, *columns]

    def _capture(self, name: str) -> Path:
        return self.switch.directory / f"{name}.pcap"

    def add_pods(self, keys: Mapping[str, str]) -> None:
        """Give pods their ports; ``keys`` are the pods' names here, each with the pod's ``NAMESPACE/NAME``."""
        for pod, key in keys.items():
            self._pods[pod] = f"pod-{len(self._pods) + 1}", 0x0A5800020000 + len(self._pods)
            self._keys[pod] = key
        self._plug_all(keys)

    def _plug_all(self, pods: Collection[str], *columns: str) -> None:
        if pods:
            self.vsctl(*chain.from_iterable(("--", *self._pod_port(pod, *columns)) for pod in pods))

    def _pod_port(self, pod: str, *columns: str) -> list[str]:
        name, mac = self._pods[pod]
        ids = f"external_ids:iface-id={self._keys[pod]}", f'external_ids:attached-mac="{format_value(ETH_SRC, mac)}"'
        # In one transaction, Open vSwitch numbers new ports in any order.
        number = f"ofport_request={name.removeprefix('pod-')}"
        return self._port(BRIDGE, name, *ids, number, *columns)

    def plug(self, pod: str, *columns: str) -> None:
        """Put the missing port of a pod onto the bridge."""
        self._plug_all([pod], *columns)

    def unplug(self, pod: str) -> None:
        """Remove a pod's port from the bridge."""
        self.vsctl("del-port", BRIDGE, self._pods[pod][0])

    def start_switch(self) -> None:
        """Start ovs-vswitchd again after it was killed, without flows."""
        self.switch.start_switch()
        self._address_underlay()

    def make_bridge_again(self) -> None:
        """Create a deleted bridge and the ports of its pods in the database again."""
        self.vsctl("add-br", BRIDGE, "--", "set", "Bridge", BRIDGE, "datapath_type=dummy")
        self._capture(GATEWAY_PORT).unlink()
        del self._read[GATEWAY_PORT]
        self._plug_all(self._pods)

    def apply(self, manifests: Path, *more: str) -> Answer:
        """Run ``ovsnp apply``, which must succeed, and capture at the gateway that it makes."""
        answer = self.run("apply", manifests, *more)
        assert answer.code == 0, answer
        # The datapath drops megaflows of the earlier flows only when Open vSwitch has checked them all.
        self.switch.appctl("revalidator/wait")
        if not self._capture(GATEWAY_PORT).exists():
            self.vsctl("set", "Interface", GATEWAY_PORT, f"options:tx_pcap={self._capture(GATEWAY_PORT)}")
        return answer

    def run(self, command: str, manifests: Path, *more: str) -> Answer:
        """Run a command of ovsnp for the bridge."""
        there = ("--db", self.switch.location.database, "--bridge", BRIDGE, "--node", self.name, "-f", manifests)
        return ovsnp(command, *there, *more)

    def holds(self, sender: str) -> bool:
        """True if a pod is on this node."""
        return sender in self._pods

    def send(self, sender: str, *packets: Packet) -> None:
        """Put packets into a pod's port, or with ``gateway`` into the gateway's."""
        port, mac = self._pods.get(sender, (GATEWAY_PORT, GATEWAY_MAC))
        self._receive(port, *(frame(packet, mac, ROUTER_MAC) for packet in packets))

    def send_any(self, sender: str, packet: str) -> None:
        """Put a packet of any protocol into a pod's port, in the notation of ``netdev-dummy/receive``."""
        self._receive(self._pods[sender][0], packet)

    def take(self, outer: bytes) -> None:
        """Put a packet from another node into the uplink."""
        self._receive(_UPLINK, outer.hex())

    def _receive(self, port: str, *frames: str) -> None:
        assert len(frames) <= QUEUE
        before = self._taken(port)
        self.switch.appctl("netdev-dummy/receive", port, *frames)
        deadline = time.monotonic() + _PATIENCE
        while self._taken(port) < before + len(frames):
            assert time.monotonic() < deadline, "the datapath took no packet"

    def _taken(self, port: str) -> int:
        """The number of packets that the datapath has taken from a port; when it answers, it has processed them."""
        _, _, at_port = self.switch.appctl("dpctl/show", "--statistics").partition(f": {port} ")
        return int(at_port.partition("RX packets:")[2].split()[0])

    def close(self) -> None:
        """Remove the bridges, and forget connections and captured packets."""
        self.switch.appctl("dpctl/flush-conntrack")
        self.switch.appctl("ovs/route/del", f"{self.address}/24")
        self.vsctl("del-br", BRIDGE, "--", "del-br", _UNDERLAY)
        for file in self.switch.directory.glob("*.pcap"):
            file.unlink()

    def arrivals(self) -> Iterator[Arrival]:
        """The packets that came out at pods and the gateway since the last call."""
        names = {port: pod for pod, (port, _) in self._pods.items()} | {GATEWAY_PORT: "gateway"}
        for port, name in names.items():
            yield from (Arrival(name, parse(data)) for data in self._captured(port))

    def pass_over(self) -> None:
        """Skip the packets that came out at pods since the last call, of any protocol."""
        for port, _ in self._pods.values():
            list(self._captured(port))

    def to_other_nodes(self) -> list[bytes]:
        """The packets that came out of the uplink since the last call, with their tunnel headers."""
        return list(self._captured(_UPLINK))

    def _captured(self, port: str) -> Iterator[bytes]:
        path = self._capture(port)
        data = path.read_bytes() if path.exists() else b""
        at = self._read.get(port, _PCAP_HEADER)
        while at + _PCAP_RECORD <= len(data):
            length = int.from_bytes(data[at + 8 : at + 12], "little")
            yield data[at + _PCAP_RECORD : at + _PCAP_RECORD + length]
            at += _PCAP_RECORD + length
        self._read[port] = at


class WiredCluster:
    """The nodes, the manifests in a directory, and the packets seen between the nodes."""

    def __init__(self, switches: Sequence[DummySwitch], nodes: Mapping[str, str], manifests: Path) -> None:
        """``nodes`` are one or two: names with the addresses of their tunnels."""
        self.manifests = manifests
        self.nodes = tuple(
            WiredNode(switch, name, sorted(nodes.values(), key=lambda each, own=own: each != own))
            for switch, (name, own) in zip(switches, nodes.items(), strict=False)
        )
        self.tunneled: list[bytes] = []

    def close(self) -> None:
        """Remove the nodes."""
        for node in self.nodes:
            node.close()

    def write(self, name: str, text: str) -> None:
        """Put a file among the manifests."""
        (self.manifests / f"{name}.yaml").write_text(text)

    def apply(self, *more: str) -> list[Answer]:
        """Apply the manifests to each node."""
        return [node.apply(self.manifests, *more) for node in self.nodes]

    def send(self, sender: str, packet: Packet, node: int = 0) -> list[Arrival]:
        """Send a packet from a pod, or from the ``gateway`` of a node; returns where it came out, if anywhere."""
        self.tunneled = []
        found = [each for each in self.nodes if each.holds(sender)] or [self.nodes[node]]
        found[0].send(sender, packet)
        arrived = list(found[0].arrivals())
        for outer in found[0].to_other_nodes():
            self.tunneled.append(outer)
            (other,) = (each for each in self.nodes if each is not found[0])
            other.take(outer)
            arrived += other.arrivals()
            assert not other.to_other_nodes()
        return arrived


def carried(outer: bytes, encap: Encap) -> int:
    """The source pod's address in a Geneve option, or its offset in the VNI of VXLAN; 0 if there is none."""
    if encap is Encap.VXLAN:
        return int.from_bytes(outer[46:49], "big")
    length = (outer[42] & 0x3F) * 4
    options = outer[50 : 50 + length]
    assert not options or options[:3] in (b"\xff\xff\x01", b"\xff\xff\x02")
    assert len(options) in (0, 8, 20)
    return int.from_bytes(options[4:], "big")


def _underlay_mac(address: str) -> str:
    return format_value(ETH_SRC, 0x0AFE << 32 | int(IPv4Address(address)))
