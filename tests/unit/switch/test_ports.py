"""Ports as the database has them."""

from types import SimpleNamespace
from typing import Any

import pytest

from ovsnp.errors import SwitchError
from ovsnp.model.bridge import BridgePort, BridgePorts, Oddity
from ovsnp.model.cluster import Pod
from ovsnp.model.mac import parse_mac
from ovsnp.pipeline.ports import GATEWAY_MAC, GATEWAY_OFPORT, TUNNEL_OFPORT
from ovsnp.switch.ports import read_ports
from tests.support.model_objects import pod

DB, SIX, BESIDE = pod("default/db", "10.0.0.1"), pod("default/six", "fd00::6"), pod("default/beside", "10.0.0.9")


def row(name: str, ofport: int | None = 1, **columns: Any) -> SimpleNamespace:
    """A row of Interface, without a MAC address unless one is given."""
    empty = {"external_ids": {}, "mac": [], "mac_in_use": [], "error": []}
    return SimpleNamespace(name=name, ofport=[] if ofport is None else [ofport], **{**empty, **columns})


def of_pod(key: str, name: str = "p1", ofport: int | None = 7, mac: str = "", error: str = "") -> SimpleNamespace:
    ids = {"iface-id": key} | ({"attached-mac": mac} if mac else {})
    return row(name, ofport, external_ids=ids, error=[error] if error else [])


def read(*rows: SimpleNamespace, pods: tuple[Pod, ...] = (DB,)) -> BridgePorts:
    return read_ports(rows, pods)


def closed(*rows: SimpleNamespace, pods: tuple[Pod, ...] = (DB,)) -> Oddity:
    """The only oddity, because of which its pod has no port; another pod keeps its port."""
    found = read(*rows, of_pod("default/beside", "p9", 9), pods=(*pods, BESIDE))
    (oddity,) = found.odd
    assert oddity.closed
    assert found.pods.keys() == {"default/beside"}
    return oddity


def test_ports_that_are_yet_to_be_made_have_the_numbers_that_will_be_asked_for() -> None:
    found = read()
    assert (found.tunnel, found.gateway) == (TUNNEL_OFPORT, BridgePort(GATEWAY_OFPORT, GATEWAY_MAC))
    assert (found.pods, found.assumed) == ({}, False)


def test_ports_that_are_there_have_their_own_numbers() -> None:
    found = read(row("ovsnp-tun0", 40), row("ovsnp-gw0", 41, mac_in_use=["02:00:00:00:00:01"]))
    assert (found.tunnel, found.gateway) == (40, BridgePort(41, 0x020000000001))


def test_gateways_mac_that_was_asked_for_counts_before_one_that_it_still_has() -> None:
    gateway = row("ovsnp-gw0", 41, mac=["0a:58:00:00:00:02"], mac_in_use=["aa:55:aa:55:00:0e"])
    assert read(gateway).gateway.mac == GATEWAY_MAC


def test_gateways_mac_that_is_none_is_an_error() -> None:
    with pytest.raises(SwitchError, match="interface ovsnp-gw0: mac: 'nonsense' is not a MAC"):
        read(row("ovsnp-gw0", 41, mac=["nonsense"]))


@pytest.mark.parametrize("key", ["default/db", "default_db"])
def test_pods_interface_is_known_by_its_iface_id(key: str) -> None:
    assert read(of_pod(key)).pods == {"default/db": BridgePort(7, parse_mac("0a:58:0a:00:00:01"))}


def test_attached_mac_is_the_pods() -> None:
    assert read(of_pod("default/db", mac="02:00:00:00:00:0A")).pods["default/db"].mac == 0x02000000000A


def test_ovn_kubernetes_spelling_counts_where_the_other_is_missing() -> None:
    theirs = of_pod("default_db")
    theirs.external_ids["attached_mac"] = "02:00:00:00:00:0b"
    assert read(theirs).pods["default/db"].mac == 0x02000000000B
    theirs.external_ids["attached-mac"] = "02:00:00:00:00:0a"
    assert read(theirs).pods["default/db"].mac == 0x02000000000A


@pytest.mark.parametrize("key", ["attached-mac", "attached_mac"])
@pytest.mark.parametrize("mac", ["02:00", "01:00:00:00:00:01", "02-00-00-00-00-01"])
def test_attached_mac_that_is_none_closes_the_pod(mac: str, key: str) -> None:
    wrong = of_pod("default/db")
    wrong.external_ids[key] = mac
    oddity = closed(wrong)
    assert (oddity.pod, oddity.interfaces) == ("default/db", ("p1",))
    assert oddity.message.startswith(f"interface p1: external_ids:{key}: '{mac}' is ")
    assert oddity.message.endswith("; correct it")


def test_pod_without_ipv4_address_needs_an_attached_mac() -> None:
    oddity = closed(of_pod("default/six"), pods=(SIX,))
    assert "interface p1 has no MAC address, and the pod has no IPv4 address" in oddity.message
    assert "ovs-vsctl set Interface p1 external_ids:attached-mac=MAC" in oddity.message
    found = read(of_pod("default/six", mac="02:00:00:00:00:06"), pods=(SIX,))
    assert (found.pods["default/six"].ofport, found.odd) == (7, ())


def test_two_interfaces_of_one_pod_close_it_whichever_has_the_smaller_number() -> None:
    for numbers in ((7, 8), (8, 7)):
        oddity = closed(of_pod("default/db", "p2", numbers[0]), of_pod("default_db", "p1", numbers[1]))
        assert (oddity.pod, oddity.interfaces) == ("default/db", ("p1", "p2"))
        assert "p1 and p2" in oddity.message
        assert "ovs-vsctl del-port" in oddity.message


def test_two_interfaces_close_the_pod_also_where_a_third_is_dead() -> None:
    oddity = closed(*(of_pod("default/db", f"p{number}", number) for number in (1, 2)), of_pod("default/db", "p3", -1))
    assert oddity.interfaces == ("p1", "p2")


def test_dead_interface_closes_the_pod_and_says_why() -> None:
    oddity = closed(of_pod("default/db", ofport=-1, error="could not open network device p1 (No such device)"))
    assert "could not open network device p1" in oddity.message
    assert "ovs-vsctl del-port p1" in oddity.message


@pytest.mark.parametrize("ofport", [None, 0])
def test_interface_that_has_no_number_yet_closes_the_pod_and_is_not_to_be_removed(ofport: int | None) -> None:
    assert closed(of_pod("default/db", ofport=ofport)).message == "interface p1 has no OpenFlow port yet"


@pytest.mark.parametrize("names", [("p1", "p2"), ("p2", "p1")])
def test_dead_interface_beside_a_good_one_does_not_count(names: tuple[str, str]) -> None:
    dead, good = names
    found = read(of_pod("default/db", dead, -1, error="gone"), of_pod("default/db", good, 8))
    assert found.pods["default/db"].ofport == 8
    (oddity,) = found.odd
    assert (oddity.closed, oddity.interfaces) == (False, (dead,))
    assert f"beside {good}, which is the pod's port" in oddity.message


def test_interfaces_of_pods_elsewhere_have_no_port_but_are_told() -> None:
    found = read(of_pod("default/other"), of_pod("other_one", "p2", 8), of_pod("other/one", "p5", 5), row("eth0", 3))
    assert (found.pods, found.odd) == ({}, ())
    assert found.interfaces == {"default/other": ("p1",), "other/one": ("p2", "p5")}


@pytest.mark.parametrize(
    "key", ["", "4e3c1a7e-6f4b-4f0f-9d5a-0c3f6f0c4a11", "k8s-node-1", "net_default_db", "a/b/c", "VM/1"]
)
def test_iface_id_that_is_no_pods_is_passed_over(key: str) -> None:
    assert read(of_pod(key)).interfaces == {}


def test_dead_interface_serves_no_pod() -> None:
    assert read(of_pod("default/other", ofport=-1, error="gone")).interfaces == {}
