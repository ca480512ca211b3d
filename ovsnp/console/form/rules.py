"""Writes rules with their ports and peers."""

import copy
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from ovsnp.console.form.document import PeerForm, PortForm, RuleForm
from ovsnp.console.form.mistakes import FieldMistake
from ovsnp.console.form.notation import (
    ANY_PROTOCOL,
    EVERY_PORT,
    PROTOCOLS,
    block_fault,
    block_fields,
    port_fault,
    port_fields,
)
from ovsnp.console.form.selectors import stale, write_namespaces, write_selector

_Row = TypeVar("_Row")

SECTIONS: Mapping[str, str] = {"ingress": "inbound", "egress": "outbound"}
"""The list of rows for each list of rules."""

PEERS: Mapping[str, str] = {"ingress": "from", "egress": "to"}
"""The field of the peers for each list of rules."""

_NO_PEER = {
    "ingress": "missing; add a source, or choose all sources",
    "egress": "missing; add a destination, or choose all destinations",
}
_NO_ROW = "missing; add a port, or choose all ports"
_NO_PROTOCOL = "missing; choose TCP, UDP, SCTP or any"
_EVERYTHING = "any protocol and all ports is no row; choose all ports for the rule"


def written_rules(
    rows: Sequence[RuleForm],
    before: Sequence[RuleForm],
    items: Sequence[Mapping[str, Any]],
    section: str,
    mistakes: list[FieldMistake],
) -> list[Mapping[str, Any]]:
    """The rules of one direction; ``items`` are the rules of which ``before`` are the rows."""
    result: list[Mapping[str, Any]] = []
    for index, row in enumerate(rows):
        field = f"{SECTIONS[section]}.{index}"
        old, item = _origin(row.origin, before, items, field)
        result.append(item if row == old else _rule(row, old, item, section, field, mistakes))
    return result


def _rule(
    row: RuleForm, before: RuleForm | None, item: dict[str, Any], section: str, field: str, mistakes: list[FieldMistake]
) -> dict[str, Any]:
    old = before or RuleForm("all", [], "all", [])
    key = PEERS[section]
    if row.peer_choice == "all":
        if old.peer_choice != "all":
            del item[key]
    elif not row.peers:
        mistakes.append(FieldMistake(f"{field}.peerChoice", _NO_PEER[section]))
    elif row.peers != old.peers:
        item[key] = _peers(row.peers, old.peers, item.get(key) or [], field, mistakes)
    if row.port_choice == "all":
        if old.port_choice != "all":
            del item["ports"]
    elif not row.ports:
        mistakes.append(FieldMistake(f"{field}.portChoice", _NO_ROW))
    elif row.ports != old.ports:
        item["ports"] = _ports(row.ports, old.ports, item.get("ports") or [], field, mistakes)
    return item


def _peers(
    rows: Sequence[PeerForm],
    before: Sequence[PeerForm],
    items: Sequence[Mapping[str, Any]],
    rule: str,
    mistakes: list[FieldMistake],
) -> list[Mapping[str, Any]]:
    result: list[Mapping[str, Any]] = []
    for index, row in enumerate(rows):
        field = f"{rule}.peers.{index}"
        old, item = _origin(row.origin, before, items, field)
        if row == old:
            result.append(item)
        elif row.kind == "block":
            result.append(_block(row, old, item, field, mistakes))
        else:
            result.append(_pods(row, old, item, field, mistakes))
    return result


def _block(
    row: PeerForm, before: PeerForm | None, item: dict[str, Any], field: str, mistakes: list[FieldMistake]
) -> dict[str, Any]:
    cidr, exceptions = block_fields(row.block)
    if fault := block_fault(row.block):
        mistakes.append(FieldMistake(f"{field}.block", fault))
    if before is None or before.kind != "block":
        kept = {key: value for key, value in item.items() if key not in ("podSelector", "namespaceSelector")}
        return {**kept, "ipBlock": {"cidr": cidr, **({"except": exceptions} if exceptions else {})}}
    old_cidr, old_exceptions = block_fields(before.block)
    block = {**item["ipBlock"]}
    if cidr != old_cidr:
        block["cidr"] = cidr
    if exceptions and exceptions != old_exceptions:
        block["except"] = exceptions
    elif not exceptions and old_exceptions:
        del block["except"]
    return {**item, "ipBlock": block}


def _pods(
    row: PeerForm, before: PeerForm | None, item: dict[str, Any], field: str, mistakes: list[FieldMistake]
) -> dict[str, Any]:
    if before is not None and before.kind != "pods":
        before = None
        item.pop("ipBlock", None)
    if before is None or row.pods != before.pods:
        old = before.pods if before else None
        pods = write_selector(row.pods, old, item.get("podSelector"), f"{field}.pods", mistakes)
        item["podSelector"] = pods
        if row.pods.choice == "all" and row.namespaces.choice != "own":
            del item["podSelector"]  # namespaceSelector alone means all their pods
    if before is None or row.namespaces != before.namespaces:
        old_namespaces, selector = before.namespaces if before else None, item.get("namespaceSelector")
        namespaces = write_namespaces(row.namespaces, old_namespaces, selector, f"{field}.namespaces", mistakes)
        item["namespaceSelector"] = namespaces
        if namespaces is None:
            del item["namespaceSelector"]
            if item.get("podSelector") is None:
                item["podSelector"] = {}
    return item


def _ports(
    rows: Sequence[PortForm],
    before: Sequence[PortForm],
    items: Sequence[Mapping[str, Any]],
    rule: str,
    mistakes: list[FieldMistake],
) -> list[Mapping[str, Any]]:
    known = {tuple(row.origin): row for row in before}
    result: list[Mapping[str, Any]] = []
    for index, row in enumerate(rows):
        field = f"{rule}.ports.{index}"
        old = known.get(tuple(row.origin))
        if old is None and row.origin:
            raise stale(field)
        result += _port(row, old, [copy.deepcopy({**items[each]}) for each in row.origin], field, mistakes)
    return result


def _port(
    row: PortForm, before: PortForm | None, items: list[dict[str, Any]], field: str, mistakes: list[FieldMistake]
) -> list[dict[str, Any]]:
    """The items of a row: three if it is about any protocol."""
    if row == before:
        return items
    if not row.protocol.strip():
        mistakes.append(FieldMistake(f"{field}.protocol", _NO_PROTOCOL))
    if fault := port_fault(row.port):
        mistakes.append(FieldMistake(f"{field}.port", fault))
    if row.protocol == ANY_PROTOCOL and row.port.strip() == EVERY_PORT:
        mistakes.append(FieldMistake(f"{field}.port", _EVERYTHING))
    if before is None or row.protocol != before.protocol:
        wanted = PROTOCOLS if row.protocol == ANY_PROTOCOL else (row.protocol.strip(),)
        like = items[0] if items else {}
        items = [{**like, "protocol": protocol} for protocol in wanted]
    if before is None or row.port != before.port:
        items = [_with_port(item, port_fields(row.port)) for item in items]
    return items


def _with_port(item: Mapping[str, Any], fields: Mapping[str, Any]) -> dict[str, Any]:
    kept = {key: value for key, value in item.items() if key not in ("port", "endPort") or key in fields}
    return {**kept, **fields}


def _origin(
    origin: int | None, before: Sequence[_Row], items: Sequence[Mapping[str, Any]], field: str
) -> tuple[_Row | None, dict[str, Any]]:
    """The row before, and a copy of its item; None and an empty item for a new row."""
    if origin is None:
        return None, {}
    if not 0 <= origin < len(before):
        raise stale(field)
    return before[origin], copy.deepcopy({**items[origin]})
