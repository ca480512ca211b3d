"""From the object to the form."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import msgspec

from ovsnp.console.form.document import (
    ExpressionForm,
    LabelForm,
    NamespacesForm,
    PeerForm,
    PolicyForm,
    PortForm,
    RuleForm,
    SelectorForm,
    view_of,
)
from ovsnp.console.form.mistakes import NotShownError
from ovsnp.console.form.notation import ANY_PROTOCOL, EVERY_PORT, PROTOCOLS, block_text, port_text
from ovsnp.manifests.kinds import wire
from ovsnp.model.cluster import METADATA_NAME
from ovsnp.yaml_reader.paths import Path, format_path
from ovsnp.yaml_reader.report import DEFAULT_NAMESPACE
from ovsnp.yaml_reader.structure import is_declared, shape_faults


def form_of(policy: Mapping[str, Any]) -> PolicyForm:
    """The form of a NetworkPolicy, which may have mistakes in its values and fields that ovsnp does not know.

    Raises NotShownError for a part of another shape, such as a text in the place of a list.
    """
    cleaned, faults = shape_faults(dict(policy), wire.ApiNetworkPolicy)
    for fault in faults:
        if is_declared(fault.path, wire.ApiNetworkPolicy):
            raise NotShownError(format_path(fault.path))
    written = msgspec.convert(cleaned, wire.ApiNetworkPolicy)
    metadata, spec = written.metadata or wire.ApiMetadata(), written.spec or wire.ApiPolicySpec()
    form = PolicyForm(
        name=metadata.name or "",
        namespace=metadata.namespace or DEFAULT_NAMESPACE,
        selector=_selector(spec.pod_selector, ("spec", "podSelector")),
        directions=_directions(spec),
        inbound=_rules(spec.ingress, ("spec", "ingress"), "from"),
        outbound=_rules(spec.egress, ("spec", "egress"), "to"),
    )
    form.view = view_of(form)
    return form


def directions_of(spec: Mapping[str, Any]) -> list[Literal["Ingress", "Egress"]]:
    """The directions in which a policy with this ``spec`` isolates, also without ``policyTypes``."""
    types, egress = spec.get("policyTypes") or (), spec.get("egress")
    return _directions(wire.ApiPolicySpec(policy_types=[*types], egress=[None] if egress else None))


def _directions(spec: wire.ApiPolicySpec) -> list[Literal["Ingress", "Egress"]]:
    # "If this field is not specified, it will default based on the existence of ingress or egress rules; policies that
    # contain an egress section are assumed to affect egress, and all policies are assumed to affect ingress."
    types = spec.policy_types or (["Ingress", "Egress"] if spec.egress else ["Ingress"])
    found: list[Literal["Ingress", "Egress"]] = []
    if "Ingress" in types:
        found.append("Ingress")
    if "Egress" in types:
        found.append("Egress")
    return found


def _rules(
    rules: Sequence[wire.ApiIngressRule | wire.ApiEgressRule | None] | None, path: Path, peers: str
) -> list[RuleForm]:
    return [_rule(rule, (*path, index), peers) for index, rule in enumerate(rules or ())]


def _rule(rule: wire.ApiIngressRule | wire.ApiEgressRule | None, path: Path, peers: str) -> RuleForm:
    if rule is None:
        raise NotShownError(format_path(path))
    return RuleForm(
        port_choice="listed" if rule.ports else "all",
        ports=_ports(rule.ports or (), (*path, "ports")),
        peer_choice="listed" if rule.peers else "all",
        peers=[_peer(peer, (*path, peers, index)) for index, peer in enumerate(rule.peers or ())],
        origin=int(path[-1]),
    )


def _ports(ports: Sequence[wire.ApiPort | None], path: Path) -> list[PortForm]:
    """One row for each item, and one row for the three items of all protocols with one port."""
    single: list[PortForm] = []
    for index, port in enumerate(ports):
        if port is None or (port.end_port is not None and not isinstance(port.port, int)):
            raise NotShownError(format_path((*path, index)))
        single.append(PortForm(port.protocol or PROTOCOLS[0], port_text(port.port, port.end_port), [index]))
    rows: list[PortForm] = []
    while single:
        first, count = single[0], len(PROTOCOLS)
        together = single[:count]
        if _is_any(together):
            rows.append(PortForm(ANY_PROTOCOL, first.port, [index for each in together for index in each.origin]))
            single = single[count:]
        else:
            rows.append(single.pop(0))
    return rows


def _is_any(rows: Sequence[PortForm]) -> bool:
    """True for one port of each protocol, in the order in which ``any`` is written."""
    ports = {row.port for row in rows}
    return tuple(row.protocol for row in rows) == PROTOCOLS and len(ports) == 1 and EVERY_PORT not in ports


def _peer(peer: wire.ApiPeer | None, path: Path) -> PeerForm:
    selects = peer is not None and (peer.pod_selector is not None or peer.namespace_selector is not None)
    if peer is None or selects == (peer.ip_block is not None):
        raise NotShownError(format_path(path))
    origin = int(path[-1])
    if peer.ip_block is not None:
        exceptions = peer.ip_block.excepts or []
        if None in exceptions:
            raise NotShownError(format_path((*path, "ipBlock", "except")))
        texts = [text for text in exceptions if text is not None]
        return PeerForm("block", block=block_text(peer.ip_block.cidr or "", texts), origin=origin)
    return PeerForm(
        namespaces=_namespaces(peer.namespace_selector, (*path, "namespaceSelector")),
        pods=_selector(peer.pod_selector, (*path, "podSelector")),
        origin=origin,
    )


def _namespaces(selector: wire.ApiLabelSelector | None, path: Path) -> NamespacesForm:
    if selector is None:
        return NamespacesForm("own")
    rows = _selector(selector, path)
    if rows.choice == "all":
        return NamespacesForm("all")
    match rows:
        case SelectorForm(labels=[LabelForm(key=key, value=name)], expressions=[]) if key == METADATA_NAME and name:
            return NamespacesForm("named", name)
    return NamespacesForm("listed", "", rows.labels, rows.expressions)


def _selector(selector: wire.ApiLabelSelector | None, path: Path) -> SelectorForm:
    """The rows of a selector; one that is absent, or has no requirement, selects all."""
    labels = (selector and selector.match_labels) or {}
    expressions = (selector and selector.match_expressions) or []
    return SelectorForm(
        "listed" if labels or expressions else "all",
        [LabelForm(key, value, key) for key, value in labels.items()],
        [_expression(each, (*path, "matchExpressions", index)) for index, each in enumerate(expressions)],
    )


def _expression(expression: wire.ApiRequirement | None, path: Path) -> ExpressionForm:
    if expression is None or None in (expression.values or ()):
        raise NotShownError(format_path(path))
    values = [value for value in expression.values or () if value is not None]
    return ExpressionForm(expression.key or "", expression.operator or "", values, int(path[-1]))
