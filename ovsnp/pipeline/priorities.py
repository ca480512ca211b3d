"""Priorities within the tables, highest first."""

NEIGHBOR = 240
NEIGHBOR_GUARD = 230
MULTICAST_GUARD = 220
SOURCE_EXCEPTION = 215
SOURCE_GUARD = 210
ACCEPT = 200
"""Origin: address resolution, then what nobody may send, then what each port may."""

OWN_ADDRESS = 200
ANSWER = 100
"""AddressResolution: the asker's own address is never answered for."""

INVALID = 500
RELATED = 400
PORTLESS = 300
OPENING = 200
OPEN = 100
"""ConntrackState."""

NODE = 100
"""DestinationNode, SourceNode."""

TUNNEL_GUARD = 500
UNJUDGED = 400
NODE_PEER = 300
NOT_ISOLATED = 200
JUDGE = 100
"""Egress, Ingress (and NODE_PEER in IngressRule)."""

PEER = 1000
"""EgressPeer, IngressPeer: plus the prefix length."""

RULE_PLAIN = 250
RULE_CLAUSE = 200
RULE_DROP = 100
"""EgressRule, IngressRule: a rule of one clause, conjunctions, the isolated subject's end."""

UNROUTABLE = 500
HOST_ROUTE = 400
NODE_ROUTE = 300
RETURN_ROUTE = 200
DEFAULT_ROUTE = 100
"""Forward."""

NO_RETURN = 200
DELIVER = 100
"""Output."""

ALWAYS = 100
"""Tables with one flow for each kind of packet."""

MISS = 1
"""A table's last flow, above the NORMAL flow that a new bridge has at priority 0."""
