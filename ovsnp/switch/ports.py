"""Reads the ports of a bridge and of its pods."""

import re
from collections.abc import Iterable, Sequence
from typing import Any

from ovsnp.errors import SwitchError
from ovsnp.model.bridge import BridgePort, BridgePorts, Oddity
from ovsnp.model.cluster import Pod
from ovsnp.model.mac import derived_mac, parse_mac
from ovsnp.pipeline.ports import GATEWAY_MAC, GATEWAY_OFPORT, GATEWAY_PORT, TUNNEL_OFPORT, TUNNEL_PORT

_OF_POD = re.compile(r"([a-z0-9-]+)[/_]([a-z0-9.-]+)")
"""The form of a pod's ``iface-id``; other ids, such as a virtual machine's UUID, have no namespace."""

_MAC_KEYS = ("attached-mac", "attached_mac")
"""The keys with which an interface states its MAC address; OVN-Kubernetes writes the second."""


def read_ports(rows: Iterable[Any], pods: Iterable[Pod]) -> BridgePorts:
    """The ports of a bridge and of those local pods that have one; ``rows`` are the interfaces of the bridge.

    A port that `ovsnp.switch.bridge` has not made yet has the number that it will ask for. A pod with two live
    interfaces, or with none that is in order, has no port, and an oddity says what is wrong. Raises SwitchError if the
    gateway's MAC address is invalid.
    """
    interfaces = {row.name: row for row in rows}
    of_pods = rows_by_pod(interfaces.values())
    ports: dict[str, BridgePort] = {}
    odd: list[Oddity] = []
    for pod in pods:
        port, oddity = _judge(pod, of_pods.get(pod.key, ()))
        ports |= {pod.key: port} if port else {}
        odd += [oddity] if oddity else []
    tunnel, gateway = interfaces.get(TUNNEL_PORT), interfaces.get(GATEWAY_PORT)
    living = {key: tuple(row.name for row in rows if _ofport(row)) for key, rows in of_pods.items()}
    return BridgePorts(
        (_ofport(tunnel) if tunnel else None) or TUNNEL_OFPORT,
        BridgePort((_ofport(gateway) if gateway else None) or GATEWAY_OFPORT, _gateway_mac(gateway)),
        ports,
        interfaces={key: names for key, names in living.items() if names},
        odd=tuple(odd),
    )


def rows_by_pod(interfaces: Iterable[Any]) -> dict[str, list[Any]]:
    """The rows of the pods' interfaces, by the key of the pod and sorted by name; leaves out other interfaces."""
    found: dict[str, list[Any]] = {}
    for row in sorted(interfaces, key=lambda row: str(row.name)):
        if names := _OF_POD.fullmatch(row.external_ids.get("iface-id", "")):
            found.setdefault("/".join(names.groups()), []).append(row)
    return found


def _ofport(row: Any) -> int | None:
    return row.ofport[0] if row.ofport and row.ofport[0] > 0 else None


def _gateway_mac(row: Any) -> int:
    """The MAC address that was asked for; ``mac_in_use`` of a new port may still be the address before."""
    columns = (row.mac, row.mac_in_use) if row else ()
    try:
        return next((parse_mac(column[0]) for column in columns if column), GATEWAY_MAC)
    except ValueError as error:
        raise SwitchError(f"interface {row.name}: mac: {error}; correct it") from None


def _judge(pod: Pod, rows: Sequence[Any]) -> tuple[BridgePort | None, Oddity | None]:
    """The port of a pod, and what is wrong with its interfaces.

    If two interfaces can carry packets, it is unknown which is the pod's, so neither is its port. An interface without
    an OpenFlow port carries none: only the other one can be the pod's.
    """
    living = [row for row in rows if _ofport(row)]
    dead = [row for row in rows if not _ofport(row)]
    if len(living) > 1:
        names = " and ".join(row.name for row in living)
        message = f"interfaces {names} are of this one pod; remove what an old sandbox left (ovs-vsctl del-port NAME)"
        return None, _oddity(pod, living, message, closed=True)
    if not living:
        message = "; ".join(map(_without_port, dead))
        return None, _oddity(pod, dead, message, closed=True) if dead else None
    try:
        port = BridgePort(living[0].ofport[0], _mac(living[0], pod))
    except ValueError as error:
        return None, _oddity(pod, living, str(error), closed=True)
    beside = f" beside {living[0].name}, which is the pod's port"
    return port, _oddity(pod, dead, "; ".join(map(_without_port, dead)) + beside, closed=False) if dead else None


def _oddity(pod: Pod, rows: Sequence[Any], message: str, *, closed: bool) -> Oddity:
    return Oddity(pod.key, tuple(row.name for row in rows), closed, message)


def _without_port(row: Any) -> str:
    if row.error:
        return f"interface {row.name} has no OpenFlow port: {row.error[0]}; remove it (ovs-vsctl del-port {row.name})"
    return f"interface {row.name} has no OpenFlow port yet"


def _mac(row: Any, pod: Pod) -> int:
    """The MAC address behind a pod's interface; raises ValueError with the message if it is missing or invalid."""
    key = next((key for key in _MAC_KEYS if row.external_ids.get(key)), None)
    try:
        mac = parse_mac(row.external_ids[key]) if key else derived_mac(pod.addresses)
    except ValueError as error:
        raise ValueError(f"interface {row.name}: external_ids:{key}: {error}; correct it") from None
    if mac is None:
        raise ValueError(
            f"interface {row.name} has no MAC address, and the pod has no IPv4 address that would give one;"
            f" set it: ovs-vsctl set Interface {row.name} external_ids:attached-mac=MAC"
        )
    return mac
