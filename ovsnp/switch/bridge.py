"""Gives a bridge what it needs and lacks."""

from collections.abc import Callable, Iterator
from typing import Any

from ovs.db import idl

from ovsnp.errors import SwitchError
from ovsnp.flows.match import format_value
from ovsnp.model.options import Encap
from ovsnp.pipeline.fields import ETH_SRC
from ovsnp.pipeline.ports import GATEWAY_MAC, GATEWAY_OFPORT, GATEWAY_PORT, TUNNEL_OFPORT, TUNNEL_PORT
from ovsnp.pipeline.tables import TABLES
from ovsnp.switch.ovsdb import Database

_DEFAULT_PROTOCOLS = [f"OpenFlow1{minor}" for minor in range(5)]
_TUNNEL_OPTIONS = {"remote_ip": "flow", "key": "flow"}

_Step = tuple[str, Callable[[idl.Transaction], None]]


def is_secure(database: Database, bridge: str) -> bool:
    """True if the bridge drops packets that no flow matches; to make it secure empties its tables."""
    return bool(database.bridge(bridge).fail_mode == ["secure"])


def complete_bridge(database: Database, bridge: str, encap: Encap) -> list[str]:
    """Give the bridge what it lacks of OpenFlow15, ``fail_mode=secure``, table names, tunnel and gateway port.

    Returns the steps that were done, in words; writes nothing if nothing is lacking. Raises SwitchError if a port with
    one of these names is of another kind or on another bridge, or if Open vSwitch could not make a port.
    """
    steps = list(_lacking(database, bridge, encap))
    if steps:

        def take(transaction: idl.Transaction) -> None:
            for _, step in steps:
                step(transaction)

        database.change(take)
    _check(database, bridge)
    return [words for words, _ in steps]


def lacks(database: Database, bridge: str, encap: Encap) -> list[str]:
    """The steps that `complete_bridge` would do, in its words; writes nothing. Raises SwitchError where it would."""
    steps = list(_lacking(database, bridge, encap))
    _check(database, bridge)
    return [words for words, _ in steps]


def _lacking(database: Database, bridge: str, encap: Encap) -> Iterator[_Step]:
    row = database.bridge(bridge)
    if "OpenFlow15" not in row.protocols:
        protocols = [*(row.protocols or _DEFAULT_PROTOCOLS), "OpenFlow15"]
        yield "OpenFlow15 enabled", lambda _: setattr(row, "protocols", protocols)
    if not is_secure(database, bridge):
        yield "fail_mode set to secure", lambda _: setattr(row, "fail_mode", ["secure"])
    found = {interface.name: interface for interface in database.interfaces(bridge)}
    for name in {TUNNEL_PORT, GATEWAY_PORT} & ({port.name for port in database.rows("Port")} - found.keys()):
        raise SwitchError(f"port {name} is on another bridge; remove it there (ovs-vsctl del-port {name})")
    yield from _lacking_tables(row)
    yield from _lacking_tunnel(row, found.get(TUNNEL_PORT), encap)
    yield from _lacking_gateway(row, found.get(GATEWAY_PORT))


def _lacking_tables(bridge: Any) -> Iterator[_Step]:
    """Names for tables without a row, for ``ovs-ofctl --names``, and tries for their address fields."""
    lacking = [table for table in TABLES if table.id not in bridge.flow_tables]
    if not lacking:
        return

    def describe(transaction: idl.Transaction) -> None:
        for table in lacking:
            row = transaction.insert(transaction.idl.tables["Flow_Table"])
            _set(row, {"name": table.name, **({"prefixes": table.prefixes} if table.prefixes else {})})
            bridge.setkey("flow_tables", table.id, row)

    yield f"{len(lacking)} tables named", describe


def _lacking_tunnel(bridge: Any, interface: Any, encap: Encap) -> Iterator[_Step]:
    columns = {"type": str(encap), "options": _TUNNEL_OPTIONS}
    if interface is None:
        made = {**columns, "ofport_request": [TUNNEL_OFPORT]}
        yield f"port {TUNNEL_PORT} made ({encap})", lambda transaction: _add(transaction, bridge, TUNNEL_PORT, made)
    elif interface.type not in list(Encap):
        raise SwitchError(f"port {TUNNEL_PORT} is of type {interface.type or 'system'}, not a tunnel; remove it")
    elif interface.type != encap or _TUNNEL_OPTIONS.items() - interface.options.items():
        yield f"port {TUNNEL_PORT} made {encap}", lambda _: _set(interface, columns)


def _lacking_gateway(bridge: Any, interface: Any) -> Iterator[_Step]:
    if interface is None:
        made = {
            "type": "internal",
            "mac": [format_value(ETH_SRC, GATEWAY_MAC)],
            "ofport_request": [GATEWAY_OFPORT],
        }
        yield f"port {GATEWAY_PORT} made", lambda transaction: _add(transaction, bridge, GATEWAY_PORT, made)
    elif interface.type != "internal":
        raise SwitchError(f"port {GATEWAY_PORT} is of type {interface.type or 'system'}, not internal; remove it")


def _add(transaction: idl.Transaction, bridge: Any, name: str, columns: dict[str, Any]) -> None:
    interface = transaction.insert(transaction.idl.tables["Interface"])
    _set(interface, {"name": name, **columns})
    port = transaction.insert(transaction.idl.tables["Port"])
    _set(port, {"name": name, "interfaces": [interface]})
    bridge.addvalue("ports", port)


def _set(row: Any, columns: dict[str, Any]) -> None:
    for column, value in columns.items():
        setattr(row, column, value)


def _check(database: Database, bridge: str) -> None:
    for interface in database.interfaces(bridge):
        if interface.name in (TUNNEL_PORT, GATEWAY_PORT) and interface.error:
            raise SwitchError(f"Open vSwitch could not make port {interface.name}: {interface.error[0]}")
