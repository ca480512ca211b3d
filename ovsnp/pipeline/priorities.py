"""The priorities of flows within each table, highest first."""

CLOSED = 600
"""Origin, Forward: drops for an address with a new holder, while conntrack forgets the old holder's connections."""

VLAN_GUARD = 250
NEIGHBOR = 240
NEIGHBOR_GUARD = 230
MULTICAST_GUARD = 220
SOURCE_EXCEPTION = 215
SOURCE_GUARD = 210
CARRIER_ABSENT = 206
CARRIER = 205
ACCEPT = 200
"""Origin: VLAN tags, address resolution, then packets that no port may send, then packets that each port may send."""

OWN_ADDRESS = 200
ANSWER = 100
"""AddressResolution: a request for the sender's own address gets no answer."""

OUT_OF_WINDOW_SERVICE = 560
OUT_OF_WINDOW = 550
OUT_OF_WINDOW_OPENING = 540
OUT_OF_WINDOW_ANSWER = 530
INVALID = 500
RELATED = 400
PORTLESS_SERVICE = 310
PORTLESS = 300
OPEN_SERVICE = 260
FIRST_ANSWER = 255
OPEN = 250
OPENING_SERVICE = 210
OPENING = 200
"""ConntrackState."""

SERVICE_GUARD = 200
KEPT_ENDPOINT = 200
SERVICE = 100
"""Service, SessionAffinity, Endpoint."""

NODE = 100
"""DestinationNode, SourceNode."""

TUNNEL_GUARD = 500
FIRST_ANSWERED = 450
UNJUDGED = 400
NODE_PEER = 300
NOT_ISOLATED = 200
CARRIED = 150
SERVICE_BLOCKS = 150
JUDGE = 100
"""Egress, Ingress (and NODE_PEER in IngressRule)."""

PEER = 1000
"""EgressPeer, EgressServicePeer, IngressPeer: this number plus the prefix length."""

RULE_PLAIN = 250
RULE_CLAUSE = 200
RULE_DROP = 100
"""EgressRule, IngressRule: rules with one clause, conjunctions, the drop of an isolated subject."""

UNROUTABLE = 500
HOST_ROUTE = 400
NODE_ROUTE = 300
RETURN_ROUTE = 200
DEFAULT_ROUTE = 100
"""Forward."""

HAIRPIN_FORTH = 310
HAIRPIN_BACK = 300
NO_RETURN = 200
SERVICE_BOUND = 150
DELIVER = 100
"""Output, Send."""

ALWAYS = 100
"""Tables with one flow for each kind of packet."""

MISS = 1
"""The last flow of a table, above the NORMAL flow of a new bridge at priority 0."""
