"""Ports as the database has them."""

from types import SimpleNamespace
from typing import Any, cast

import pytest

from ovsnp.errors import SwitchError
from ovsnp.model.bridge import Port
from ovsnp.model.cluster import Pod
from ovsnp.model.mac import parse_mac
from ovsnp.pipeline.ports import GATEWAY_MAC, GATEWAY_OFPORT, TUNNEL_OFPORT
from ovsnp.switch.ovsdb import Database
from ovsnp.switch.ports import read_ports
from tests.unit.verify.builders import pod

DB, SIX = pod("default/db", "10.0.0.1"), pod("default/six", "fd00::6")


def row(name: str, ofport: int | None = 1, **columns: Any) -> SimpleNamespace:
    """An Interface's row, without a MAC address unless one is given."""
    empty = {"external_ids": {}, "mac": [], "mac_in_use": []}
    return SimpleNamespace(name=name, ofport=[] if ofport is None else [ofport], **{**empty, **columns})


def of_pod(key: str, name: str = "p1", ofport: int | None = 7, **external: str) -> SimpleNamespace:
    return row(name, ofport, external_ids={"iface-id": key} | {k.replace("_", "-"): v for k, v in external.items()})


class Rows:
    """Stands in for a database: one bridge's interfaces."""

    def __init__(self, *rows: SimpleNamespace) -> None:
        self._rows = rows

    def interfaces(self, bridge: str) -> list[SimpleNamespace]:
        assert bridge == "br-int"
        return list(self._rows)


def read(*rows: SimpleNamespace, pods: tuple[Pod, ...] = (DB,)) -> Any:
    return read_ports(cast(Database, Rows(*rows)), "br-int", pods)


def test_ports_that_are_yet_to_be_made_have_the_numbers_that_will_be_asked_for() -> None:
    found = read()
    assert (found.tunnel, found.gateway) == (TUNNEL_OFPORT, Port(GATEWAY_OFPORT, GATEWAY_MAC))
    assert (found.pods, found.assumed) == ({}, False)


def test_ports_that_are_there_have_their_own_numbers() -> None:
    found = read(row("ovsnp-tun0", 40), row("ovsnp-gw0", 41, mac_in_use=["02:00:00:00:00:01"]))
    assert (found.tunnel, found.gateway) == (40, Port(41, 0x020000000001))


def test_gateways_mac_that_was_asked_for_counts_before_one_that_it_still_has() -> None:
    gateway = row("ovsnp-gw0", 41, mac=["0a:58:00:00:00:02"], mac_in_use=["aa:55:aa:55:00:0e"])
    assert read(gateway).gateway.mac == GATEWAY_MAC


def test_gateways_mac_that_is_none_is_an_error() -> None:
    with pytest.raises(SwitchError, match="interface ovsnp-gw0: mac: 'nonsense' is not a MAC"):
        read(row("ovsnp-gw0", 41, mac=["nonsense"]))


@pytest.mark.parametrize("key", ["default/db", "default_db"])
def test_pods_interface_is_known_by_its_iface_id(key: str) -> None:
    assert read(of_pod(key)).pods == {"default/db": Port(7, parse_mac("0a:58:0a:00:00:01"))}


def test_attached_mac_is_the_pods() -> None:
    assert read(of_pod("default/db", attached_mac="02:00:00:00:00:0A")).pods["default/db"].mac == 0x02000000000A


@pytest.mark.parametrize("mac", ["02:00", "01:00:00:00:00:01", "02-00-00-00-00-01"])
def test_attached_mac_that_is_none_is_an_error(mac: str) -> None:
    with pytest.raises(SwitchError, match="interface p1: external_ids:attached-mac: "):
        read(of_pod("default/db", attached_mac=mac))


def test_pod_without_ipv4_address_needs_an_attached_mac() -> None:
    with pytest.raises(SwitchError, match=r"interface p1 of pod default/six has no MAC.*attached-mac=MAC"):
        read(of_pod("default/six"), pods=(SIX,))
    assert read(of_pod("default/six", attached_mac="02:00:00:00:00:06"), pods=(SIX,)).pods["default/six"].ofport == 7


@pytest.mark.parametrize("ofport", [None, -1, 0])
def test_interface_that_has_no_openflow_port_is_not_there_yet(ofport: int | None) -> None:
    assert read(of_pod("default/db", ofport=ofport)).pods == {}
    assert read(of_pod("default/db", ofport=ofport), of_pod("default/db", "p2", 8)).pods["default/db"].ofport == 8


def test_two_interfaces_of_one_pod_are_an_error_that_names_both() -> None:
    with pytest.raises(SwitchError, match="interfaces p1 and p2 are both pod default/db's"):
        read(of_pod("default/db"), of_pod("default_db", "p2", 8))


def test_interfaces_of_pods_elsewhere_are_passed_over() -> None:
    assert read(of_pod("default/other"), of_pod("", "p3", 9), row("eth0", 3)).pods == {}
