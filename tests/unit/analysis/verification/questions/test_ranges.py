"""No question takes a sample: its packets range over all values that the tables on their way can tell apart."""

from collections.abc import Iterator
from functools import cached_property
from typing import NamedTuple

import pytest

from ovsnp.analysis.verification.expectation.proof_context import ProofContext
from ovsnp.analysis.verification.packet_classes.traffic import Cells
from tests.support.golden_cases import CASES
from tests.unit.analysis.verification.questions.ranges import Missing, bridge_of, by_space, left, missing

_POD, _GATEWAY, _TUNNEL = "", " by the gateway", " by tunnels"
_SOURCES, _DESTINATIONS = ("nw_src", "ipv6_src"), ("nw_dst", "ipv6_dst")
_HEADER = ("tun_src", "tun_ipv6_src", "tun_id", "tun_metadata0", "tun_metadata1")
_OF_CONNECTIONS = ("ct_state", "ct_label", "ct_nw_proto", "ct_tp_dst", "ct_nw_dst", "ct_ipv6_dst")


class Apart(NamedTuple):
    """Fields of which some spaces (``of``; empty: any) have only some values, and the spaces that have the others."""

    of: tuple[str, ...]
    fields: tuple[str, ...]
    asked_by: tuple[str, ...]


def _by(kind: str, *ports: str) -> tuple[str, ...]:
    return tuple(f"{kind}{port}" for port in ports)


_ANY: tuple[str, ...] = ()
_FROM_PODS = ("policy", "service", "connection state", "masquerade")
_ARRIVING = (*_by("policy", _GATEWAY, _TUNNEL), "carrier by tunnels")
_NO_TUNNEL = (*_FROM_PODS, *_by("policy", _GATEWAY), *_by("service", _GATEWAY), *_by("connection state", _GATEWAY),
              "spoofing", "unknown port", "VLAN tag", "multicast", "other protocol")  # fmt: skip
APART = (
    # Packets of a space come by one kind of port, and have some Ethernet types only.
    Apart(_ANY, ("in_port",), ("policy", *_by("policy", _GATEWAY, _TUNNEL), "unknown port")),
    Apart(_ANY, ("dl_dst",), _by("multicast", _POD, _TUNNEL)),
    Apart(_ANY, ("vlan_tci",), _by("VLAN tag", _POD, _TUNNEL)),
    Apart(
        _ANY, ("eth_type",), ("policy", "other protocol", *_by("ARP", _TUNNEL), *_by("neighbour discovery", _TUNNEL))
    ),
    Apart(_ANY, ("icmp_type", "nd_sll"), _by("neighbour discovery", _TUNNEL)),
    # Packets that come by no tunnel have no tunnel header; tunnels are known or unknown, with a carrier or without.
    Apart(_NO_TUNNEL, _HEADER, (*_by("policy", _TUNNEL), *_by("unknown tunnel", _TUNNEL), *_by("carrier", _TUNNEL))),
    Apart(_by("policy", _TUNNEL), ("tun_id",), _by("carrier", _TUNNEL)),
    Apart(_by("carrier", _TUNNEL), ("tun_id",), (*_by("policy", _TUNNEL), *_by("carrier", _TUNNEL))),
    Apart(_by("unknown tunnel", _TUNNEL), _HEADER[:2], _by("policy", _TUNNEL)),
    # Pods send with their own addresses, or forge; by the gateway nobody opens a connection from a pod's address.
    Apart(_FROM_PODS, (*_SOURCES, "dl_src"), ("spoofing",)),
    Apart((*_by("service", _GATEWAY), *_by("connection state", _GATEWAY)), _SOURCES, _by("policy", _GATEWAY)),
    # Packets that arrive are for local pods, or for other ends.
    Apart(_ARRIVING, _DESTINATIONS, _ARRIVING),
    # Connections to Services: their first packets go to a cluster IP, the next ones have a protocol of a Service.
    Apart(_by("service", _POD, _GATEWAY), (*_DESTINATIONS, *_OF_CONNECTIONS), ("policy", "connection state")),
    Apart(_by("connection state", _POD, _GATEWAY), ("nw_proto", "tp_dst", *_OF_CONNECTIONS), ("policy",)),
    Apart(("masquerade",), (*_DESTINATIONS, *_OF_CONNECTIONS), ("policy",)),
)


def unasked(case: str) -> Iterator[Missing]:
    """The classes of values that no question about a golden case's bridge ranges over."""
    bridge, questions = bridge_of(case)
    spaces = by_space(bridge, questions)
    for each in spaces:
        for found in missing(bridge, each):
            names = {name for apart in APART if _is_about(apart, found) for name in apart.asked_by}
            if lacking := left(found, (other for other in spaces if other.name in names)):
                yield found._replace(classes=lacking)


def _is_about(apart: Apart, found: Missing) -> bool:
    return found.field in apart.fields and (not apart.of or found.asked in apart.of)


@pytest.mark.parametrize("case", CASES)
def test_questions_range_over_what_tables_tell_apart(case: str) -> None:
    assert [(found.asked, found.field, found.tests) for found in unasked(case)] == []


class Sample(NamedTuple):
    """A property or method that is cut to its first values, as questions once did with some."""

    owner: type
    name: str
    most: int


SAMPLES = (
    Sample(ProofContext, "everyone", 2),
    Sample(ProofContext, "to", 2),
    Sample(ProofContext, "_usual_values", 1),
    Sample(Cells, "elements", 2),
)


def _taking(original: object, most: int) -> object:
    if isinstance(original, property | cached_property):
        get = original.fget if isinstance(original, property) else original.func
        return property(lambda self: get(self)[:most])
    assert callable(original)
    return lambda *arguments: original(*arguments)[:most]


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: f"{sample.owner.__name__}.{sample.name}")
def test_a_sample_is_found_out(monkeypatch: pytest.MonkeyPatch, sample: Sample) -> None:
    original = sample.owner.__dict__[sample.name]
    monkeypatch.setattr(sample.owner, sample.name, _taking(original, sample.most))
    assert [*unasked("service-masquerade")]
