"""The purposes of flows, from which `compile` makes its headings and `trace` its sentences."""

from enum import Enum

import msgspec


class Purpose(Enum):
    """The purpose of a flow; ``words`` describe it, with ``{}`` in the place of the names in the flow's note."""

    words: str

    def __new__(cls, words: str) -> "Purpose":
        """A member of its own, also if another member has the same words: Enum would make it an alias."""
        purpose = object.__new__(cls)
        purpose._value_ = len(cls.__members__)
        purpose.words = words
        return purpose

    TABLE = ""  # the purpose of the whole table

    # Origin
    POD = "{}"  # in Forward too
    BY_GATEWAY = "by the gateway"
    FROM_NODE = "from node {}"
    CARRIED_FROM_NODE = "Service-bound, from a pod of node {}"
    POD_BY_GATEWAY = "pods' addresses do not come in by the gateway"
    OWN_NODE_BY_TUNNEL = "this node's addresses do not come through the tunnel"
    NEIGHBOR_DISCOVERY = "neighbour discovery that the bridge does not answer"
    VLAN_TAGS = "VLAN tags"
    MULTICAST = "multicast and broadcast"
    EVERYTHING_ELSE = "everything else"

    # AddressResolution
    OWN_ADDRESS = "{}'s own address"
    GATEWAY_OWN_ADDRESS = "the gateway's own address"
    ARP = "ARP"
    NEIGHBOR_SOLICITATION = "neighbour solicitation"
    DUPLICATE_ADDRESS_DETECTION = "duplicate address detection"

    # ConntrackState, Commit
    INVALID = "invalid"
    RELATED = "an error about an admitted connection"
    OPEN = "open"
    OPEN_SERVICE = "open, Service-bound"
    OPENING = "a new connection"
    OPENING_SERVICE = "Service-bound"
    UNANSWERED = "never answered, or no longer admitted"
    FIRST_ANSWER = "the first answer"
    OUT_OF_WINDOW = "TCP out of its window"
    OUT_OF_WINDOW_ANSWER = "TCP out of its window, the first answer"
    PORTLESS = "SCTP from the client"
    CARRIED_SOURCE = "with the source as carried"

    # Service, Endpoint
    SERVICE = "{}"
    NO_ENDPOINTS = "{}, which has no endpoints"

    # DestinationNode
    JUDGED_NODE = "judged as its address"

    # Egress, Ingress
    TUNNEL_GUARD = "a pod's own {} packets to a node"
    UNJUDGED = "open connections, and errors about them"
    FIRST_ANSWERED = "the first answer to a connection"
    TO_EXEMPT_NODE = "pods always reach nodes"
    FROM_EXEMPT_NODE = "nodes always reach pods"  # in IngressRule
    NOT_ISOLATED = "not isolated"
    ISOLATED = "isolated pods"
    ISOLATED_SERVICE = "isolated pods, also by the cluster IP"
    ISOLATED_CARRIED = "isolated pods, the source as carried"

    # EgressPeer, EgressServicePeer, IngressPeer, and with the others EgressRule, IngressRule
    PEER = "peer in {}"
    NO_PEER = "peer in no set"
    SUBJECT = "subject {}"
    PORTS = "ports"
    SERVICE_PORTS = "ports of the cluster IP"
    RULE = "rule {}"

    # Forward
    GATEWAY_ADDRESS = "the node's gateway address"
    TO_NODE = "to node {}"
    BACK_TO_NODE = "back to node {}"
    WORLD = "the rest of the world"
    UNROUTABLE = "multicast, broadcast and link-local"
    NO_POD = "no such pod on this node"
    NO_SERVICE = "no such Service"

    # Output, Send
    TUNNEL_TO_TUNNEL = "from tunnel to tunnel"
    GATEWAY_TO_GATEWAY = "from gateway to gateway"
    HAIRPIN = "{} to itself"
    CARRY = "Service-bound, to another node"
    BACK_TO_POD = "back to the same pod"


class FlowNote(msgspec.Struct, frozen=True, gc=False):
    """The purpose of a flow, and the names that it concerns, such as a pod, a node, a Service, a rule or peer sets."""

    purpose: Purpose = Purpose.TABLE
    names: tuple[str, ...] = ()

    def __str__(self) -> str:
        return self.purpose.words.format(self.named)

    @property
    def named(self) -> str:
        """The names in one phrase: peer sets with "and", as an address is in all of them; others with commas."""
        return (" and " if self.purpose is Purpose.PEER else ", ").join(self.names)
