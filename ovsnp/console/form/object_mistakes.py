"""The mistakes of an object, at the fields of its form."""

from collections.abc import Mapping, Sequence
from typing import Any

from ovsnp.console.form.document import LabelForm, NamespacesForm, PeerForm, PolicyForm, PortForm, RuleForm
from ovsnp.console.form.mistakes import FieldMistake
from ovsnp.console.form.notation import ANY_PROTOCOL, PROTOCOLS
from ovsnp.console.form.rules import SECTIONS
from ovsnp.errors import InputError
from ovsnp.manifests import load_objects
from ovsnp.manifests.kinds.syntax import label_key_fault
from ovsnp.yaml_reader.paths import parse_path


def mistakes_of(policy: Mapping[str, Any], form: PolicyForm) -> list[FieldMistake]:
    """All mistakes of an object in the manifests' sentences; ``form`` is the form that the object is of."""
    try:
        load_objects([policy])
    except InputError as error:
        found = (FieldMistake(field_of(each.path, form), each.message) for each in error.diagnostics)
        return [*dict.fromkeys(found)]
    return []


def field_of(path: str, form: PolicyForm) -> str:
    """The field that shows the part of the object at a path such as ``spec.ingress[0].ports[0].port``.

    A part without a field has the nearest field around it; empty if the form shows none of it.
    """
    match parse_path(path):
        case ("metadata", "name" | "generateName", *_):
            return "name"
        case ("metadata", "namespace", *_):
            return "namespace"
        case ("spec", "podSelector", *rest):
            return _selector("selector", form.selector.labels, rest)
        case ("spec", "policyTypes", *_):
            return "directions"
        case ("spec", "ingress" | "egress" as section, int(index), *rest):
            rows = form.inbound if section == "ingress" else form.outbound
            field = f"{SECTIONS[section]}.{index}"
            return _rule(field, rows[index], rest) if index < len(rows) else ""
        case ("spec", "ingress" | "egress" as section, *_):
            return SECTIONS[section]
    return ""


def _rule(field: str, row: RuleForm, rest: Sequence[str | int]) -> str:
    match rest:
        case ("ports", int(index), *inside):
            return _port(f"{field}.ports", row.ports, index, inside)
        case ("ports", *_):
            return f"{field}.portChoice"
        case ("from" | "to", int(index), *inside) if index < len(row.peers):
            return _peer(f"{field}.peers.{index}", row.peers[index], inside)
        case ("from" | "to", *_):
            return f"{field}.peerChoice"
    return field


def _port(field: str, rows: Sequence[PortForm], item: int, inside: Sequence[str | int]) -> str:
    """The field of the row that has an item; a row for any protocol has several items."""
    for index, row in enumerate(rows):
        item -= len(PROTOCOLS) if row.protocol == ANY_PROTOCOL else 1
        if item < 0:
            return f"{field}.{index}.{'protocol' if inside[:1] == ['protocol'] else 'port'}"
    return field


def _peer(field: str, peer: PeerForm, rest: Sequence[str | int]) -> str:
    match rest:
        case ("ipBlock", *_):
            return f"{field}.block"
        case ("namespaceSelector", *inside):
            return _namespaces(f"{field}.namespaces", peer.namespaces, inside)
        case ("podSelector", *inside):
            return _selector(f"{field}.pods", peer.pods.labels, inside)
    return field


def _namespaces(field: str, namespaces: NamespacesForm, rest: Sequence[str | int]) -> str:
    return f"{field}.name" if namespaces.choice == "named" else _selector(field, namespaces.labels, rest)


def _selector(field: str, labels: Sequence[LabelForm], rest: Sequence[str | int]) -> str:
    match rest:
        case ("matchLabels", str(key), *_):
            rows = [index for index, row in enumerate(labels) if row.key.strip() == key]
            part = "key" if label_key_fault(key) else "value"
            return f"{field}.labels.{rows[0]}.{part}" if rows else field
        case ("matchExpressions", int(index), "key" | "operator" | "values" as part, *_):
            return f"{field}.expressions.{index}.{part}"
        case ("matchExpressions", int(index), *_):
            return f"{field}.expressions.{index}"
    return field
