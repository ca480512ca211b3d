"""Reading the ports of a bridge and of its pods."""

from typing import Any

from ovsnp.errors import SwitchError
from ovsnp.model.bridge import Port, Ports
from ovsnp.model.cluster import Pod
from ovsnp.model.mac import derived_mac, parse_mac
from ovsnp.pipeline.ports import GATEWAY_MAC, GATEWAY_OFPORT, GATEWAY_PORT, TUNNEL_OFPORT, TUNNEL_PORT
from ovsnp.switch.ovsdb import Database


def read_ports(database: Database, bridge: str, pods: tuple[Pod, ...]) -> Ports:
    """The ports of a bridge and of those local pods that have one.

    A port that `ovsnp.switch.bridge` has yet to make has the number it will ask for. Raises SwitchError where two
    interfaces are one pod's, or a MAC address is missing or none.
    """
    interfaces = {row.name: row for row in database.interfaces(bridge)}
    of_pod: dict[str, Any] = {}
    for row in interfaces.values():
        key = row.external_ids.get("iface-id", "").replace("_", "/", 1)
        if not key or _ofport(row) is None:
            continue
        if key in of_pod:
            raise SwitchError(f"interfaces {of_pod[key].name} and {row.name} are both pod {key}'s; remove one")
        of_pod[key] = row
    tunnel, gateway = interfaces.get(TUNNEL_PORT), interfaces.get(GATEWAY_PORT)
    return Ports(
        (_ofport(tunnel) if tunnel else None) or TUNNEL_OFPORT,
        Port((_ofport(gateway) if gateway else None) or GATEWAY_OFPORT, _gateway_mac(gateway)),
        {pod.key: _pod_port(of_pod[pod.key], pod) for pod in pods if pod.key in of_pod},
    )


def _ofport(row: Any) -> int | None:
    return row.ofport[0] if row.ofport and row.ofport[0] > 0 else None


def _gateway_mac(row: Any) -> int:
    """The address that was asked for; a new port's ``mac_in_use`` may still be the one it was born with."""
    columns = (row.mac, row.mac_in_use) if row else ()
    try:
        return next((parse_mac(column[0]) for column in columns if column), GATEWAY_MAC)
    except ValueError as error:
        raise SwitchError(f"interface {row.name}: mac: {error}; correct it") from None


def _pod_port(row: Any, pod: Pod) -> Port:
    attached = row.external_ids.get("attached-mac")
    try:
        mac = parse_mac(attached) if attached else derived_mac(pod.addresses)
    except ValueError as error:
        raise SwitchError(f"interface {row.name}: external_ids:attached-mac: {error}; correct it") from None
    if mac is None:
        raise SwitchError(
            f"interface {row.name} of pod {pod.key} has no MAC address to go by, and the pod no IPv4 address;"
            f" set it: ovs-vsctl set Interface {row.name} external_ids:attached-mac=MAC"
        )
    return Port(row.ofport[0], mac)
