"""The Open vSwitch datapath of a lab's nodes, and the topology adapted to it.

A topology file is written for the userspace datapath: a node's underlay address is on a bridge that holds the
physical port, because tunnel packets must enter ovs-vswitchd. With the kernel datapath, the node's own stack sends and
receives tunnel packets, and the address is on the physical port.
"""

from collections.abc import Iterator, Mapping
from enum import StrEnum
from itertools import pairwise

import msgspec

from ovsnp.lab.topology import Topology, TopologyNode

OVS_VSCTL = "ovs-vsctl"
HWADDR = "other_config:hwaddr="

Words = tuple[str, ...]


class DatapathType(StrEnum):
    """The values of ``datapath_type`` in ovs-vswitchd.conf.db(5)."""

    NETDEV = "netdev"
    SYSTEM = "system"


def fitted(topology: Topology, datapath: DatapathType) -> Topology:
    """The topology, with the nodes' commands adapted to that datapath."""
    if datapath is DatapathType.NETDEV:
        return topology
    nodes = (
        node if node.cluster_node is None else _in_kernel(node, _uplinks(topology, node)) for node in topology.nodes
    )
    return msgspec.structs.replace(topology, nodes=tuple(nodes))


def _uplinks(topology: Topology, node: TopologyNode) -> set[str]:
    """The interfaces of a node whose links do not end at a pod."""
    pods = {each.name for each in topology.nodes if each.pod is not None}
    return {
        end.interface
        for link in topology.links
        for end, other in (link.ends, reversed(link.ends))
        if end.node == node.name and other.node not in pods
    }


def _in_kernel(node: TopologyNode, uplinks: set[str]) -> TopologyNode:
    instead = _stand_ins(node, uplinks)
    commands = tuple(made for command in node.commands for made in _command(command, instead))
    return msgspec.structs.replace(node, commands=commands)


def _stand_ins(node: TopologyNode, uplinks: set[str]) -> dict[str, str]:
    """The bridges whose only port is an uplink, by name, and the uplink that replaces the bridge."""
    ports: dict[str, list[str]] = {}
    for command in node.commands:
        for part in _parts(command):
            if (words := _words(part))[:1] == ["add-port"]:
                ports.setdefault(words[1], []).append(words[2])
    return {bridge: found[0] for bridge, found in ports.items() if len(found) == 1 and uplinks.issuperset(found)}


def _command(command: Words, instead: Mapping[str, str]) -> Iterator[Words]:
    """The commands that replace a command where the uplinks take the place of these bridges."""
    if command[0] != OVS_VSCTL:
        yield tuple(instead.get(word, word) for word in command)
        return
    kept: list[str] = []
    for part in _parts(command):
        port = next((instead[word] for word in _words(part) if word in instead), None)
        if port is None:
            kept += ["--", *(word.replace("datapath_type=netdev", "datapath_type=system") for word in part)]
        yield from (("ip", "link", "set", "dev", port, "address", mac) for mac in _macs(part) if port is not None)
    if kept:
        yield (OVS_VSCTL, *kept[1:])


def _macs(part: Words) -> list[str]:
    """The MAC address that a part of a command gives to a bridge; empty without one."""
    return [word.removeprefix(HWADDR).strip('"') for word in part if word.startswith(HWADDR)]


def _parts(command: Words) -> list[Words]:
    """The commands within one command line of ovs-vsctl; none for another program."""
    if command[0] != OVS_VSCTL:
        return []
    ends = [0, *(index for index, word in enumerate(command) if word == "--"), len(command)]
    return [command[start + 1 : end] for start, end in pairwise(ends)]


def _words(part: Words) -> list[str]:
    """A command of ovs-vsctl without its options."""
    return [word for word in part if not word.startswith("-")]
