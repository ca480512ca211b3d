"""Makes a topology file for some nodes, pods and outside hosts.

It is built like containerlab/ovsnp.clab.yml, the file of the shipped lab, whose comments say why a command is there.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ovsnp.lab.topology import NODE_LABEL, OUTSIDE_LABEL, POD_LABEL
from ovsnp.model.address import FAMILIES, Address, Prefix, family, format_address, host_prefix
from ovsnp.model.cluster import Node, Pod

_UNDERLAY = "underlay"
_LONGEST = 40
"""The longest name of a container: the name is part of socket paths, which must be short."""
_UNDERLAY_MTU = 1500
_POD_MTU = 1400

_SYSCTLS = {"net.ipv6.conf.all.disable_ipv6": 0}
_NODE_SYSCTLS = {
    "net.ipv4.ip_forward": 1,
    "net.ipv6.conf.all.forwarding": 1,
    "net.ipv4.conf.all.rp_filter": 0,
    "net.ipv4.conf.default.rp_filter": 0,
    "net.ipv4.conf.all.arp_ignore": 1,
}

Container = dict[str, Any]


class Wiring:
    """Gives a container to every node, pod and outside host, and links the containers."""

    def __init__(self, nodes: Sequence[Node], pods: Sequence[Pod], outsiders: Sequence[Address]) -> None:
        self._nodes, self._pods, self._outsiders = nodes, pods, outsiders
        taken = {_UNDERLAY}
        self._node_names = {node.name: _unique(node.name, taken) for node in nodes}
        self._pod_names = {pod.key: _unique(f"{pod.namespace}-{pod.name}", taken) for pod in pods}
        self._host_names = {address: _unique(f"host-{n}", taken) for n, address in enumerate(outsiders, 1)}
        self._ports = {pod.key: f"pod{number}" for number, pod in enumerate(pods, 1)}

    def document(self, name: str, segments: Mapping[int, Prefix]) -> dict[str, Any]:
        """The topology file of a lab of that name; ``segments`` hold the nodes' addresses, by family."""
        containers = {_UNDERLAY: self._switch()}
        for number, node in enumerate(self._nodes, 1):
            containers[self._node_names[node.name]] = self._node(node, number, segments)
        containers |= {self._pod_names[pod.key]: self._pod(pod) for pod in self._pods}
        containers |= {container: self._host(address) for address, container in self._host_names.items()}
        kinds = {"linux": {"sysctls": _SYSCTLS}}
        groups = {"node": {"sysctls": _NODE_SYSCTLS}}
        topology = {"kinds": kinds, "groups": groups, "nodes": containers, "links": list(self._links())}
        return {"name": name, "prefix": "__lab-name", "topology": topology}

    def _switch(self) -> Container:
        uplinks = range(1, len(self._nodes) + len(self._outsiders) + 1)
        return {
            "kind": "linux",
            "exec": [
                "ip link add br0 type bridge mcast_snooping 0",
                *(f"ip link set port{number} master br0" for number in uplinks),
                "ip link set br0 up",
            ],
        }

    def _node(self, node: Node, number: int, segments: Mapping[int, Prefix]) -> Container:
        mac = "0a:58:ff:ff:" + number.to_bytes(2, "big").hex(":")
        add = "ovs-vsctl --timeout=20 --may-exist"
        commands = [
            f"{add} add-br br-phy -- set bridge br-phy datapath_type=netdev 'other_config:hwaddr=\"{mac}\"'",
            f"{add} add-port br-phy eth1",
        ]
        for version in FAMILIES:
            rule = f"ip -{version} rule add pref"
            interfaces = ("lo", "br-phy", "ovsnp-gw0")
            commands += [f"{rule} {20000 + n} iif {each} lookup main" for n, each in enumerate(interfaces)]
            commands.append(f"{rule} 20003 blackhole")
        commands += [_address(each, segments[family(each)].length, "br-phy") for each in node.addresses]
        commands.append("ip link set br-phy up")
        commands += [f"ip route add {host_prefix(each)} dev br-phy" for each in self._outsiders]
        commands.append(f"{add} add-br br-int -- set bridge br-int datapath_type=netdev fail_mode=secure")
        for pod in self._pods_of(node):
            port = self._ports[pod.key]
            ids = f"external_ids:iface-id={pod.key} 'external_ids:attached-mac=\"{self._mac(pod)}\"'"
            commands.append(f"{add} add-port br-int {port} -- set interface {port} {ids}")
        return {"kind": "linux", "group": "node", "labels": {NODE_LABEL: node.name}, "exec": commands}

    def _pod(self, pod: Pod) -> Container:
        commands = []
        (node,) = (each for each in self._nodes if each.name == pod.node)
        for address in pod.addresses:
            cidr = next(each for each in node.pod_cidrs if each.contains(host_prefix(address)))
            commands.append(_address(address, cidr.length, "eth1"))
            commands.append(f"ip route add default via {format_address(cidr.gateway)}")
        return {"kind": "linux", "labels": {POD_LABEL: pod.key}, "exec": commands}

    def _host(self, address: Address) -> Container:
        commands = [_address(address, len(address) * 8, "eth1")]
        for node in self._nodes:
            way = next(each for each in node.addresses if family(each) == family(address))
            commands.append(f"ip route add {host_prefix(way)} dev eth1")
            cidrs = (cidr for cidr in node.pod_cidrs if cidr.family == family(address))
            commands += [f"ip route add {cidr} via {format_address(way)} dev eth1 onlink" for cidr in cidrs]
        return {"kind": "linux", "labels": {OUTSIDE_LABEL: format_address(address)}, "exec": commands}

    def _links(self) -> Iterator[dict[str, Any]]:
        for number, container in enumerate((*self._node_names.values(), *self._host_names.values()), 1):
            yield {"endpoints": [f"{container}:eth1", f"{_UNDERLAY}:port{number}"], "mtu": _UNDERLAY_MTU}
        for pod in self._pods:
            ends = [
                {"node": self._node_names[str(pod.node)], "interface": self._ports[pod.key]},
                {"node": self._pod_names[pod.key], "interface": "eth1", "mac": self._mac(pod)},
            ]
            yield {"type": "veth", "mtu": _POD_MTU, "endpoints": ends}

    def _pods_of(self, node: Node) -> Iterator[Pod]:
        return (pod for pod in self._pods if pod.node == node.name)

    def _mac(self, pod: Pod) -> str:
        """The MAC that ovsnp derives from a pod's IPv4 address; without IPv4, a similar one from the port's number."""
        ipv4 = next((address for address in pod.addresses if family(address) == 4), None)
        if ipv4 is not None:
            return "0a:58:" + ipv4.hex(":")
        return "0a:59:" + int(self._ports[pod.key].removeprefix("pod")).to_bytes(4, "big").hex(":")


def _address(address: Address, length: int, device: str) -> str:
    nodad = " nodad" if family(address) == 6 else ""
    return f"ip addr add {format_address(address)}/{length} dev {device}{nodad}"


def _unique(name: str, taken: set[str]) -> str:
    """The name, cut to the longest length, with a number if it is taken; adds the result to ``taken``."""
    found, number = name[:_LONGEST].rstrip("-."), 1
    while found in taken:
        number += 1
        ending = f"-{number}"
        found = name[: _LONGEST - len(ending)].rstrip("-.") + ending
    taken.add(found)
    return found
