"""A trace has words for the tables that connections pass through, made from the purposes of the flows."""

from typing import cast

import pytest

from ovsnp.analysis.trace.stretch import Stretch
from ovsnp.analysis.trace.transcript import Visit
from ovsnp.analysis.trace.words import WORDS, TableVisit
from ovsnp.flows.action import Goto
from ovsnp.flows.flow import Flow
from ovsnp.flows.match import Match
from ovsnp.flows.note import FlowNote, Purpose
from ovsnp.pipeline import priorities as p
from ovsnp.pipeline.tables import TABLES

ANSWERING = {"AddressResolution", "NeighborAdvertisement"}
NODE, POD = ("node-2",), ("default/web",)


def said(table: str, note: FlowNote, *, priority: int = p.ALWAYS, drops: bool = False) -> str:
    """What is said of a packet that met a flow."""
    flow = Flow(table, priority, Match(), () if drops else (Goto("Send"),), note)
    visit = Visit("br-int", flow.table_id, 0, True, "", priority, flow.cookie, ("drop",) if drops else ("goto_table",))
    return WORDS[table](TableVisit(cast("Stretch", None), visit, flow, None, None))


def test_every_table_that_connections_go_through_has_words() -> None:
    assert WORDS.keys() == {table.name for table in TABLES} - ANSWERING


@pytest.mark.parametrize(
    ("table", "note", "words"),
    [
        ("Origin", FlowNote(Purpose.POD, POD), "from default/web, by its own port and addresses"),
        ("Origin", FlowNote(Purpose.FROM_NODE, NODE), "through the tunnel from node node-2"),
        ("Origin", FlowNote(Purpose.BY_GATEWAY), "by the gateway"),
        ("DestinationNode", FlowNote(), "to a node"),
        ("DestinationNode", FlowNote(Purpose.JUDGED_NODE), "to a node, judged as its address"),
        ("Egress", FlowNote(Purpose.NOT_ISOLATED), "the source is no isolated pod of this node"),
        ("Egress", FlowNote(Purpose.ISOLATED_SERVICE), "the source is isolated"),
        ("Ingress", FlowNote(Purpose.UNJUDGED), "open connections, and errors about them"),
        ("EgressPeer", FlowNote(Purpose.PEER, ("app=db", "10.0.0.0/8")), "the destination is in app=db and 10.0.0.0/8"),
        ("IngressPeer", FlowNote(Purpose.NO_PEER), "the source is in no set"),
        ("IngressRule", FlowNote(Purpose.FROM_EXEMPT_NODE), "nodes always reach pods"),
        ("Forward", FlowNote(Purpose.POD, POD), "to default/web"),
        ("Forward", FlowNote(Purpose.TO_NODE, NODE), "to node node-2"),
        ("Forward", FlowNote(Purpose.BACK_TO_NODE, NODE), "back to node node-2"),
        ("Forward", FlowNote(Purpose.WORLD), "to the rest of the world"),
        ("Output", FlowNote(), "sent as it is"),
        ("Output", FlowNote(Purpose.HAIRPIN, POD), "default/web to itself"),
    ],
)
def test_words_are_made_of_what_the_flow_is_for(table: str, note: FlowNote, words: str) -> None:
    assert said(table, note) == words


@pytest.mark.parametrize(
    ("table", "note", "words"),
    [
        ("Origin", FlowNote(Purpose.VLAN_TAGS), "dropped: VLAN tags"),
        ("ConntrackState", FlowNote(Purpose.INVALID), "dropped: invalid"),
        ("Service", FlowNote(Purpose.NO_ENDPOINTS, POD), "dropped: default/web, which has no endpoints"),
        ("Egress", FlowNote(Purpose.TUNNEL_GUARD, ("vxlan",)), "dropped: a pod's own vxlan packets to a node"),
        ("Forward", FlowNote(Purpose.NO_POD), "dropped: no such pod on this node"),
        ("Output", FlowNote(Purpose.TUNNEL_TO_TUNNEL), "dropped: from tunnel to tunnel"),
    ],
)
def test_a_flow_that_drops_says_why(table: str, note: FlowNote, words: str) -> None:
    assert said(table, note, drops=True) == words
