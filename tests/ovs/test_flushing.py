"""Connections that Open vSwitch cannot forget in the usual way."""

import json

import pytest

from ovsnp.model.ports import Protocol
from ovsnp.pipeline.conntrack import ZONE
from ovsnp.switch.conntrack import conntrack
from ovsnp.switch.datapath import Datapath, datapath
from ovsnp.switch.ovsdb import Database
from tests.ovs.holder_scene import HolderScene
from tests.ovs.service_scene import ServiceScene, address_of, first
from tests.ovs.wired import BRIDGE, WiredNode

IPV4 = "eth_type(0x0800),ipv4({},proto={},tos=0,ttl=64,frag=no)"
IPV6 = "eth_type(0x86dd),ipv6({},proto={},label=0,tclass=0,hlimit=64,frag=no)"
OTHERS = {
    "ICMP": (4, IPV4, 1, ",icmp(type=8,code=0)"),
    "GRE": (4, IPV4, 47, ""),
    "ICMPv6": (6, IPV6, 58, ",icmpv6(type=128,code=0)"),
}
SCTP = {"SCTP": 4, "SCTP over IPv6": 6}


def below(node: WiredNode) -> Datapath:
    with Database(node.switch.location) as database:
        return datapath(node.switch.location, database, BRIDGE)


def remembered(node: WiredNode, address: str) -> list[str]:
    """The protocols of the connections of an address."""
    with conntrack(node.switch.location, BRIDGE, below(node)) as tracker:
        return [each.protocol for zone in ZONE.values() for each in tracker.entries(zone) if address in each]


def send(node: WiredNode, what: str) -> int:
    """Send one packet from the client to web-0; returns the IP version."""
    if what in SCTP:
        version = SCTP[what]
        node.send("client", first(address_of("client", version), 7, address_of("web-0", version), 8, Protocol.SCTP))
    else:
        version, form, protocol, rest = OTHERS[what]
        ends = f"src={address_of('client', version)},dst={address_of('web-0', version)}"
        macs = "in_port(1),eth(src=0a:58:00:02:00:00,dst=0a:58:00:00:00:01)"
        node.send_any("client", f"{macs},{form.format(ends, protocol)}{rest}")
    node.pass_over()
    return version


@pytest.mark.parametrize("what", [*OTHERS, *SCTP])
def test_other_protocols_are_forgotten(scene: ServiceScene, what: str) -> None:
    there = HolderScene(scene)
    node = scene.nodes[0]
    version = send(node, what)
    others = next(iter(there.converse("stranger", "web-1", version)))
    assert len(remembered(node, address_of("client", version))) == 1
    there.give("client", "the next")
    outcome = json.loads(node.apply(scene.manifests, "-o", "json").out)
    assert remembered(node, address_of("client", version)) == []
    assert outcome["forgotten"] == 1
    emptied = [ZONE[6]] if what == "ICMPv6" and below(node).ends_at_icmpv6 else []
    assert outcome["emptied_zones"] == emptied
    assert remembered(node, address_of("stranger", version)) == ([] if emptied else ["tcp"])
    assert there.goes_on(others)


def test_a_host_with_two_datapaths(own_scene: ServiceScene) -> None:
    """Usually a bridge of the kernel and one in ovs-vswitchd; here the other one is empty."""
    there = HolderScene(own_scene)
    node = own_scene.nodes[0]
    goes, stays = (next(iter(there.converse("client", server, 4))) for server in ("web-0", "web-1"))
    node.vsctl("add-br", "br-other", "--", "set", "Bridge", "br-other", "datapath_type=netdev")
    if "netdev@ovs-netdev" not in node.switch.appctl("dpctl/dump-dps"):
        pytest.skip("a second datapath needs root")
    there.give("web-0", "the next")
    there.forbid()
    where = node.run("apply", own_scene.manifests)
    assert "connections of pods that are gone: 1 forgotten" in where.out
    assert remembered(node, address_of("client", 4)) == ["tcp"]
    there.record(0).unlink()
    assert "no record" in node.run("apply", own_scene.manifests).out
    assert remembered(node, address_of("client", 4)) == []
    node.vsctl("del-br", "br-other")
    assert not any(there.goes_on(it) for it in (goes, stays))
