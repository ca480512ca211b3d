"""The bridges of a cluster on one Open vSwitch, and the output port of traced packets."""

import re

import msgspec

from ovsnp.compiler import compile_cluster, local_pods
from ovsnp.flows.match import format_value
from ovsnp.flows.program import Program
from ovsnp.model.address import format_address, parse_address
from ovsnp.model.bridge import BridgePort, BridgePorts
from ovsnp.model.cluster import Cluster, Pod
from ovsnp.model.options import Options
from ovsnp.oracle import Endpoint, NodeEnd, PodEnd, Traffic
from ovsnp.pipeline.fields import ETH_SRC
from ovsnp.pipeline.ports import GATEWAY_MAC, GATEWAY_OFPORT, ROUTER_MAC, TUNNEL_OFPORT
from ovsnp.render import render_text
from ovsnp.switch.drop_meter import make_meter
from ovsnp.switch.ofctl import show_fragments
from tests.support.instance import DummySwitch

OPTION_MAP = "{class=0xffff,type=0x1,len=4}->tun_metadata0,{class=0xffff,type=0x2,len=16}->tun_metadata1"
_OUTPUT = re.compile(r"^Datapath actions: (?:.*,)?(\d+)$")
_TUNNEL_END = re.compile(r"set_field:(\S+)->tun_(?:ipv6_)?dst")


def offline_ports(pods: tuple[Pod, ...]) -> BridgePorts:
    """Ports numbered from 100, with MAC addresses that need no IPv4 address."""
    numbered = enumerate(sorted(pod.key for pod in pods), start=100)
    pod_ports = {key: BridgePort(ofport, 0x0A5800010000 + ofport) for ofport, key in numbered}
    return BridgePorts(TUNNEL_OFPORT, BridgePort(GATEWAY_OFPORT, GATEWAY_MAC), pod_ports)


class TracedCluster:
    """A bridge for each node of a cluster, with the node's compiled flows."""

    def __init__(self, switch: DummySwitch, cluster: Cluster, options: Options, mark: str = "t") -> None:
        self._switch, self._cluster = switch, cluster
        self._nodes = tuple(cluster.nodes) or (None,)
        self._bridges = {node: f"{mark}{index}" for index, node in enumerate(self._nodes)}
        self._ports = {node: offline_ports(local_pods(cluster, node)) for node in self._nodes}
        self.programs: dict[str | None, Program] = {}
        self._outputs: dict[str | None, dict[int, int]] = {}
        for node, bridge in self._bridges.items():
            choices = msgspec.structs.replace(options, bridge=bridge, node=node)
            self._build(node, compile_cluster(cluster, self._ports[node], choices))

    def _build(self, node: str | None, program: Program) -> None:
        bridge, ports = self._bridges[node], self._ports[node]
        ofports = [ports.tunnel, ports.gateway.ofport, *(port.ofport for port in ports.pods.values())]
        self._switch.add_bridge(bridge, {f"{bridge}-{ofport}": ofport for ofport in ofports})
        self._outputs[node] = self._switch.datapath_ports(bridge)
        show_fragments(self._switch.location, bridge)
        self._switch.run(["ovs-ofctl", "-O", "OpenFlow15", "add-tlv-map", bridge, OPTION_MAP])
        make_meter(self._switch.location, bridge)
        said = self._switch.run(["ovs-ofctl", "-O", "OpenFlow15", "bundle", bridge, "-"], render_text(program))
        assert said == "", said
        self.programs[node] = program

    def close(self) -> None:
        """Delete the bridges."""
        for bridge in self._bridges.values():
            self._switch.delete_bridge(bridge)

    def dump(self, node: str | None) -> str:
        """The flows of a node, as Open vSwitch dumps them."""
        command = ["ovs-ofctl", "-O", "OpenFlow15", "--no-names", "--no-stats", "dump-flows", self._bridges[node]]
        return self._switch.run(command)

    def dump_groups(self, node: str | None) -> str:
        """The groups of a node, as Open vSwitch dumps them."""
        command = ["ovs-ofctl", "-O", "OpenFlow15", "--no-names", "dump-groups", self._bridges[node]]
        return self._switch.run(command)

    def connects(self, source: Endpoint, destination: Endpoint, traffic: Traffic) -> bool:
        """True if the first packet of a connection gets from one end to the other; at least one end is a pod."""
        if isinstance(source, PodEnd):
            node, in_port = source.pod.node, self._ports[source.pod.node].pods[source.pod.key]
        else:
            entry = source.node.name if isinstance(source, NodeEnd) else destination.pod.node
            node, in_port = entry, self._ports[entry].gateway
        packet = f"{_packet(source, destination, traffic)},in_port={in_port.ofport}"
        packet += f",dl_src={format_value(ETH_SRC, in_port.mac)}"
        out, text = self._trace(node, packet)
        if out == TUNNEL_OFPORT:
            node, packet = self._through_tunnel(node, text, _packet(source, destination, traffic))
            out, _ = self._trace(node, packet)
        return self._is_at(destination, node, out)

    def sent(self, node: str | None, packet: str, *options: str) -> int | None:
        """The OpenFlow port by which a node's bridge sends a packet; None if it drops the packet."""
        return self._trace(node, packet, *options)[0]

    def way(self, node: str | None, packet: str, *options: str) -> tuple[int | None, str]:
        """The result of `sent`, and the final packet in the notation of Open vSwitch (empty: unchanged)."""
        port, text = self._trace(node, packet, *options)
        return port, re.findall(r"^Final flow: (.*)$", text, re.MULTILINE)[-1].replace("unchanged", "")

    def _trace(self, node: str | None, packet: str, *options: str) -> tuple[int | None, str]:
        # A trace has no datapath hash, by which a select group chooses a bucket, so the packet brings one.
        text = self._switch.appctl("ofproto/trace", self._bridges[node], f"{packet},dp_hash=1", *options)
        last = [line for line in text.splitlines() if line.startswith("Datapath actions:")][-1]
        found = _OUTPUT.match(last)
        assert found or any(end in last for end in ("drop", "ct(commit", "userspace(")), text
        return (self._outputs[node][int(found[1])] if found else None), text

    def _through_tunnel(self, node: str | None, text: str, packet: str) -> tuple[str | None, str]:
        assert node is not None
        sender = self._cluster.nodes[node].tunnel_address
        receiver = parse_address(_TUNNEL_END.findall(text)[-1])
        (there,) = [other.name for other in self._cluster.nodes.values() if other.tunnel_address == receiver]
        assert sender is not None
        field = "tun_src" if len(sender) == 4 else "tun_ipv6_src"
        router = format_value(ETH_SRC, ROUTER_MAC)
        return there, f"{packet},{field}={format_address(sender)},in_port={TUNNEL_OFPORT},dl_src={router}"

    def _is_at(self, destination: Endpoint, node: str | None, out: int | None) -> bool:
        if out is None:
            return False
        if isinstance(destination, PodEnd):
            assert (node, out) == (destination.pod.node, self._ports[node].pods[destination.pod.key].ofport)
        else:
            assert out == GATEWAY_OFPORT
        return True


def _packet(source: Endpoint, destination: Endpoint, traffic: Traffic) -> str:
    version = 4 if len(source.address) == 4 else 6
    if traffic.protocol is None:
        kind = "icmp,icmp_type=8" if version == 4 else "icmp6,icmpv6_type=128"
    else:
        name = traffic.protocol.lower()
        kind = f"{name}{'' if version == 4 else '6'},{name}_src=40000,{name}_dst={traffic.port}"
    names = ("nw_src", "nw_dst") if version == 4 else ("ipv6_src", "ipv6_dst")
    addresses = f"{names[0]}={format_address(source.address)},{names[1]}={format_address(destination.address)}"
    return f"{kind},{addresses},nw_ttl=64,dl_dst={format_value(ETH_SRC, ROUTER_MAC)}"
