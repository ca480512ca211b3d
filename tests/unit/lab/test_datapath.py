"""The topology adapted to the kernel datapath."""

from pathlib import Path

import pytest

from ovsnp.errors import SwitchError, UsageError
from ovsnp.lab.datapath import DatapathType, fitted
from ovsnp.lab.runtime import CONTAINERLAB, NETNS, RUNTIMES, netns
from ovsnp.lab.topology import Link, LinkEnd, Topology, TopologyNode, read
from tests.support.checkout import ROOT

SHIPPED = ROOT / "containerlab" / "ovsnp.clab.yml"


def topology(*commands: str) -> Topology:
    """A node with an uplink ``eth1``, a pod at ``a``, and these commands."""
    node = TopologyNode("n", {"ovsnp.node": "n"}, {}, tuple(tuple(line.split()) for line in commands))
    others = (
        TopologyNode("pod", {"ovsnp.pod": "default/a"}, {}, ()),
        TopologyNode("wire", {}, {}, (("ip", "br-phy"),)),
    )
    links = (
        Link((LinkEnd("wire", "n"), LinkEnd("n", "eth1")), 1500),
        Link((LinkEnd("n", "a"), LinkEnd("pod", "eth1")), 1400),
    )
    return Topology(Path("x"), "x", (node, *others), links)


def commands(made: Topology, name: str = "n") -> list[str]:
    return [" ".join(command) for node in made.nodes if node.name == name for command in node.commands]


def test_the_underlay_bridge_becomes_the_port_in_it() -> None:
    made = fitted(
        topology(
            'ovs-vsctl --timeout=20 add-br br-phy -- set bridge br-phy datapath_type=netdev other_config:hwaddr="0a"',
            "ovs-vsctl --may-exist add-port br-phy eth1",
            "ip addr add 192.0.2.1/24 dev br-phy",
            "ovs-vsctl add-br br-int -- set bridge br-int datapath_type=netdev fail_mode=secure",
            "ovs-vsctl add-port br-int a -- set interface a external_ids:iface-id=default/a",
        ),
        DatapathType.SYSTEM,
    )
    assert commands(made) == [
        "ip link set dev eth1 address 0a",
        "ip addr add 192.0.2.1/24 dev eth1",
        "ovs-vsctl add-br br-int -- set bridge br-int datapath_type=system fail_mode=secure",
        "ovs-vsctl add-port br-int a -- set interface a external_ids:iface-id=default/a",
    ]
    assert commands(made, "wire") == ["ip br-phy"]


@pytest.mark.parametrize("more", ["ovs-vsctl add-port br-phy a", "ovs-vsctl add-port br-phy eth2"])
def test_a_bridge_with_other_ports_stays_a_bridge(more: str) -> None:
    lines = ["ovs-vsctl add-br br-phy", "ovs-vsctl add-port br-phy eth1", more, "ip addr add 192.0.2.1/24 dev br-phy"]
    assert commands(fitted(topology(*lines), DatapathType.SYSTEM)) == lines


def test_the_topology_that_is_shipped_has_nothing_left_of_the_userspace_datapath() -> None:
    made = fitted(read(SHIPPED), DatapathType.SYSTEM)
    lines = commands(made, "node-1")
    assert not [line for line in lines if "br-phy" in line or "netdev" in line]
    assert "ip link set dev eth1 address 0a:58:c0:a8:32:01" in lines
    assert sum("add-port br-int" in line for line in lines) == 12
    assert fitted(read(SHIPPED), DatapathType.NETDEV) == read(SHIPPED)


def test_without_the_module_it_says_what_to_load(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(netns.NetnsRuntime, "check_access", staticmethod(lambda: None))
    monkeypatch.setattr(netns, "PROGRAMS", {})
    monkeypatch.setattr(netns, "MODULE", "no_such_module")
    with pytest.raises(
        SwitchError, match=r"no module no_such_module.*modprobe no_such_module, or leave out --datapath"
    ):
        RUNTIMES[NETNS].check_machine(DatapathType.SYSTEM)


def test_a_lab_of_containers_says_that_it_cannot() -> None:
    with pytest.raises(UsageError, match="no datapath system; leave --datapath out, or give --runtime netns"):
        RUNTIMES[CONTAINERLAB].check_machine(DatapathType.SYSTEM)
