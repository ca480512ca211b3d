"""EgressPeer, EgressServicePeer, IngressPeer: the peer's identity, by the longest prefix that holds the address."""

from functools import lru_cache

from ovsnp.flows.action import SetField
from ovsnp.flows.flow import Flow
from ovsnp.flows.match import Match, match_prefix
from ovsnp.flows.note import FlowNote, Purpose
from ovsnp.ir.clauses import Identity, PeerEntry
from ovsnp.ir.ruleset import PeerTable
from ovsnp.lower.sides import OPENED, PEER
from ovsnp.model.address import Prefix
from ovsnp.pipeline import fields as f
from ovsnp.pipeline import priorities as p

_ADDRESS = {PeerTable.EGRESS: f.IP_DST, PeerTable.EGRESS_SERVICE: f.CT_DST, PeerTable.INGRESS: f.IP_SRC}


def peer_flow(table: PeerTable, entry: PeerEntry) -> Flow:
    """The flow of one prefix.

    In EgressServicePeer it matches the destination that the connection was opened to. Conntrack keeps this address; the
    packet's destination is already the endpoint.
    """
    match = _match(table, entry.prefix)
    action = SetField(PEER[table], entry.identity.number if entry.identity else 0)
    return Flow(table.value, p.PEER + entry.prefix.length, match, (action,), peer_note(entry.identity))


@lru_cache(maxsize=10_000)
def _match(table: PeerTable, prefix: Prefix) -> Match:
    """The match of a prefix, cached because the prefix's identity may change often."""
    opened = (OPENED,) if table is PeerTable.EGRESS_SERVICE else ()
    return match_prefix(_ADDRESS[table], prefix, *opened)


def peer_note(identity: Identity | None) -> FlowNote:
    """The note that names the peer sets of an identity."""
    return FlowNote(Purpose.PEER, identity.sets) if identity else FlowNote(Purpose.NO_PEER)
