"""The program of a node: changes count even where the program cannot be made."""

from typing import Any, NamedTuple

import msgspec
import pytest

from ovsnp.agent.program.node_program import NodeProgram
from ovsnp.errors import SwitchError, UsageError
from ovsnp.model.options import Options
from ovsnp.pipeline.ports import GATEWAY_PORT
from ovsnp.switch.watch_ports import InterfaceRow

Object = dict[str, Any]


class Sent(NamedTuple):
    """An object as the API server sends it; ``body`` None: it is gone."""

    kind: str
    namespace: str
    name: str
    body: msgspec.Raw | None


def came(item: Object) -> Sent:
    meta = item["metadata"]
    return Sent(item["kind"], meta.get("namespace", ""), meta["name"], msgspec.Raw(msgspec.json.encode(item)))


NODE: Object = {
    "kind": "Node",
    "metadata": {"name": "node-1"},
    "spec": {"podCIDRs": ["10.20.1.0/24"]},
    "status": {"addresses": [{"type": "InternalIP", "address": "192.168.50.1"}]},
}
SHOP: Object = {"kind": "Namespace", "metadata": {"name": "shop"}}
POD: Object = {
    "kind": "Pod",
    "metadata": {"namespace": "shop", "name": "web", "uid": "1"},
    "spec": {"nodeName": "node-1"},
    "status": {"phase": "Running", "podIPs": [{"ip": "10.20.1.10"}]},
}
OPTIONS = Options(node="node-1")


def row(name: str, ofport: int, mac: str | None = None, **external: str) -> InterfaceRow:
    return InterfaceRow(name, "", [ofport], [mac] if mac else [], [], external, [])


OF_POD = row("web0", 7, **{"iface-id": "shop/web"})
GATEWAY = row(GATEWAY_PORT, 2, "0a:58:0a:14:01:01")


def test_changes_count_while_the_mac_address_of_the_gateway_is_invalid() -> None:
    program = NodeProgram(OPTIONS)
    program.update([came(NODE)], [GATEWAY])
    with pytest.raises(SwitchError, match="no-mac"):
        program.update([came(SHOP), came(POD)], [row(GATEWAY_PORT, 2, "no-mac"), OF_POD])
    program.update([], [GATEWAY, OF_POD])
    expected = NodeProgram(OPTIONS)
    assert program.for_interfaces([GATEWAY, OF_POD]).flows == _from_nothing(expected)
    assert (program.tables, program.groups) == (expected.tables, expected.groups)


def test_changes_count_while_the_node_is_unknown() -> None:
    program = NodeProgram(OPTIONS)
    program.update([came(NODE)], [GATEWAY, OF_POD])
    with pytest.raises(UsageError, match="node-1"):
        program.update([Sent("Node", "", "node-1", None), came({**NODE, "metadata": {"name": "other"}})], [GATEWAY])
    with pytest.raises(UsageError, match="node-1"):
        program.update([came(SHOP), came(POD)], [GATEWAY, OF_POD])
    program.update([Sent("Node", "", "other", None), came(NODE)], [GATEWAY, OF_POD])
    expected = NodeProgram(OPTIONS)
    assert program.for_interfaces([GATEWAY, OF_POD]).flows == _from_nothing(expected)
    assert (program.tables, program.groups) == (expected.tables, expected.groups)


def test_interfaces_of_before_an_error_are_read_again() -> None:
    program, before = NodeProgram(OPTIONS), [GATEWAY, OF_POD]
    program.update([came(NODE), came(SHOP)], before)
    with pytest.raises(SwitchError, match="no-mac"):
        program.update([came(POD)], [row(GATEWAY_PORT, 2, "no-mac"), OF_POD])
    program.update([], before)
    assert program.whole.flows == _from_nothing(NodeProgram(OPTIONS))


def _from_nothing(program: NodeProgram) -> object:
    program.update([came(NODE), came(SHOP), came(POD)], [GATEWAY, OF_POD])
    return program.for_interfaces([GATEWAY, OF_POD]).flows
