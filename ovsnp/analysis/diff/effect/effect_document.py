"""An effect as JSON; docs/diff-effect.schema.json is its schema."""

from typing import Any

from ovsnp.analysis.diff.effect.comparison import Effect, PodChurn
from ovsnp.analysis.diff.effect.lines import EffectLine, Who
from ovsnp.analysis.diff.effect.pod_names import PodTerms
from ovsnp.analysis.diff.effect.ports import TrafficTerms
from ovsnp.analysis.diff.effect.reasons import Reason
from ovsnp.analysis.diff.effect.services import ServiceLine
from ovsnp.model.address import Address, format_address
from ovsnp.model.policy import IPBlock


def document(effect: Effect) -> dict[str, Any]:
    """One document; keys may be added in later versions, never changed."""
    return {
        "differences": bool(effect),
        "gained": [_line(line) for line in effect.lines if line.gained],
        "lost": [_line(line) for line in effect.lines if not line.gained],
        "services": {
            "gained": [_service(line) for line in effect.services if line.gained],
            "lost": [_service(line) for line in effect.services if not line.gained],
        },
        "pods": {
            "new": _came(effect.pods_new),
            "gone": _came(effect.pods_gone),
            "moved": _came(effect.pods_moved),
        },
    }


def _line(line: EffectLine) -> dict[str, Any]:
    return {
        "families": list(line.families),
        "sources": _who(line.sources),
        "destinations": _who(line.destinations),
        "ports": _ports(line.ports),
        "reasons": [_reason(each) for each in line.reasons],
    }


def _who(who: Who) -> dict[str, Any]:
    return {
        "text": str(who),
        "everyone": who.everyone,
        "pods": _pods(who.pods) if who.pods else None,
        "on_node": who.on,
        "nodes": "all" if who.all_nodes else [_node(each.name, each.addresses) for each in who.nodes],
        "outside": "all" if who.outside else [_block(block) for block in who.blocks],
    }


def _pods(pods: PodTerms) -> dict[str, Any]:
    terms = [
        {
            "namespaces": term.scope,
            "not_in": list(term.beside),
            "selector": str(term.selector),
            "name": term.name,
        }
        for term in pods.terms
    ]
    return {"text": str(pods), "all_but": pods.but, "terms": terms}


def _node(name: str, addresses: tuple[Address, ...]) -> dict[str, Any]:
    return {"name": name, "addresses": [format_address(each) for each in addresses]}


def _block(block: IPBlock) -> dict[str, Any]:
    return {"cidr": str(block.cidr), "except": [str(each) for each in block.excepts]}


def _ports(ports: TrafficTerms) -> dict[str, Any]:
    ranges = [
        {"protocol": each.protocol, "first": max(each.first, 1), "last": each.last}
        if each.protocol
        else {"protocol": None, "first": None, "last": None}
        for each in ports.ranges
    ]
    return {"text": str(ports), "all_but": ports.but, "ranges": ranges}


def _reason(reason: Reason) -> dict[str, Any]:
    section = reason.direction.section
    return {
        "policy": reason.policy,
        "direction": section,
        "rule": None if reason.rule is None else f"{section}[{reason.rule}]",
        "gone": reason.gone,
    }


def _service(line: ServiceLine) -> dict[str, Any]:
    return {
        "families": list(line.families),
        "sources": _pods(line.sources),
        "service": line.service,
        "port": line.port,
        "itself": line.itself,
        "served_by": line.served_by,
        "endpoints": [{"address": format_address(each.address), "port": each.port} for each in sorted(line.endpoints)],
    }


def _came(came: PodChurn | None) -> dict[str, Any]:
    return {"text": str(came.words) if came else "", "names": list(came.keys) if came else []}
