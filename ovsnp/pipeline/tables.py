"""The tables of the integration bridge, in order.

Every flow is checked against the declaration of its table when it is built (`ovsnp.flows.check`). Table numbers leave
gaps, so that a new table fits in without a change of the others.
"""

import msgspec

from ovsnp.pipeline import fields as f
from ovsnp.pipeline import registers as r
from ovsnp.pipeline.fields import Field


class Table(msgspec.Struct, frozen=True, eq=False):
    """One table: the fields that its flows may match and set, and the tables that they may use.

    ``next`` are the tables that a packet may go on to, ``lookups`` the tables that are asked and return here.
    ``learns`` are the tables that its flows add flows to. ``purpose`` and ``miss`` say what the table does, and what
    happens to a packet that no flow matches. ``outputs``: its flows may send packets. ``reports``: its flows may send
    packets to controllers. ``conjunctive``: its flows may be conjunctions.
    """

    id: int
    name: str
    purpose: str
    miss: str
    matches: frozenset[Field] = frozenset()
    sets: frozenset[Field] = frozenset()
    next: tuple[str, ...] = ()
    lookups: tuple[str, ...] = ()
    learns: tuple[str, ...] = ()
    outputs: bool = False
    reports: bool = False
    conjunctive: bool = False

    @property
    def prefixes(self) -> list[str]:
        """The address fields for which Open vSwitch should keep a trie, so that prefixes need few megaflows."""
        return sorted(field.name for field in self.matches & {*f.IP_SRC.values(), *f.IP_DST.values()})


def _peer_table(number: int, name: str, side: str, address: dict[int, Field], identity: Field) -> Table:
    return Table(
        number,
        name,
        f"finds the identity of the {side}, by the longest prefix that holds the address",
        "identity 0: the address is in no peer set",
        matches=frozenset(address.values()),
        sets=frozenset({identity}),
    )


def _rule_table(
    number: int, name: str, fields: tuple[Field, Field, Field], after: str, extra: frozenset[Field]
) -> Table:
    subject, peer, rule = fields
    return Table(
        number,
        name,
        "finds the rule that allows a packet (conjunctions of subject, peer identity and port), or drops the packet",
        "dropped",
        matches=frozenset({subject, peer, rule, f.PORT_DST, f.CONJ_ID}) | extra,
        sets=frozenset({rule}),
        next=(after,),
        reports=True,
        conjunctive=True,
    )


TABLES = (
    Table(
        0,
        "Origin",
        "finds where a packet comes from, and drops packets with a source address that is not the sender's",
        "dropped",
        matches=frozenset(
            {f.IN_PORT, f.ETH_SRC, f.ETH_DST, f.IPV4_SRC, f.IPV6_SRC, f.TUN_SRC, f.TUN_IPV6_SRC}
            | {f.ARP_OP, f.ARP_SPA, f.ARP_SHA, f.ICMPV6_TYPE, f.ND_SLL, f.TUN_ID, f.VLAN_TCI}
            | {*f.TUN_METADATA.values()}
        ),
        sets=frozenset({r.ORIGIN, r.EGRESS_SUBJECT, r.ORIGIN_NODE, r.CARRIED, *r.CARRIED_SOURCE.values()}),
        next=("AddressResolution", "SnatConntrack"),
    ),
    Table(
        10,
        "AddressResolution",
        "answers ARP requests, and turns neighbour solicitations into advertisements",
        "dropped",
        matches=frozenset({f.IN_PORT, f.ARP_OP, f.ARP_TPA, f.ICMPV6_TYPE, f.IPV6_SRC, f.ND_TARGET}),
        sets=frozenset({f.ETH_SRC, f.ETH_DST, f.ARP_OP, f.ARP_SHA, f.ARP_THA, f.ARP_SPA, f.ARP_TPA, f.ICMPV6_TYPE}),
        next=("NeighborAdvertisement",),
        outputs=True,
    ),
    Table(
        20,
        "NeighborAdvertisement",
        "completes neighbour advertisements and sends them back",
        "dropped",
        matches=frozenset({f.ICMPV6_TYPE}),
        sets=frozenset(
            {f.ETH_SRC, f.ETH_DST, f.IPV6_SRC, f.IPV6_DST, f.ND_TLL, f.ND_OPTIONS_TYPE, f.ND_RESERVED}
            | {r.ADVERTISED_OPTION, r.ADVERTISED_FLAGS},
        ),
        outputs=True,
    ),
    Table(
        30,
        "SnatConntrack",
        "in replies to a masqueraded connection, replaces the gateway's address with the pod's",
        "dropped",
        matches=frozenset({f.IPV4_DST, f.IPV6_DST}),
        next=("Conntrack",),
    ),
    Table(40, "Conntrack", "finds the packet's connection", "dropped", next=("ConntrackState",)),
    Table(
        50,
        "ConntrackState",
        "drops invalid packets; open connections, answers and errors skip policy, and policy judges other packets",
        "dropped",
        matches=frozenset(
            {f.CT_STATE, r.ADMITTED, r.ANSWERED, r.ORIGIN, r.ORIGIN_LABEL, r.SERVICE_LABEL, f.IPV4_SRC, f.IPV6_SRC}
        ),
        sets=frozenset({r.JUDGED, r.SERVICE_BOUND, r.ANSWERING}),
        next=("Service", "DestinationNode"),
    ),
    Table(
        60,
        "Service",
        "chooses the endpoint for a connection to a cluster IP",
        "dropped",
        sets=frozenset({r.SERVICE_BOUND, r.SERVICE_LABEL}),
        matches=frozenset({f.IPV4_DST, f.IPV6_DST, f.PORT_DST, r.ORIGIN}),
        next=("Endpoint", "DestinationNode"),
        lookups=("SessionAffinity",),
    ),
    Table(
        63,
        "SessionAffinity",
        "holds the endpoint of each client of a Service with sessionAffinity; Open vSwitch learns these flows",
        "the client has no endpoint yet",
    ),
    Table(
        66,
        "Endpoint",
        "for Services with sessionAffinity: gives a client the endpoint that it had, or else one that a group chooses;"
        " learns the endpoint",
        "dropped",
        sets=frozenset({r.SERVICE_BOUND, r.SERVICE_LABEL, r.ENDPOINT}),
        matches=frozenset({f.IPV4_DST, f.IPV6_DST, f.PORT_DST, r.ENDPOINT}),
        next=("DestinationNode",),
        learns=("SessionAffinity",),
    ),
    Table(
        70,
        "DestinationNode",
        "marks packets to nodes",
        "dropped",
        matches=frozenset({f.IPV4_DST, f.IPV6_DST}),
        sets=frozenset({r.TO_NODE, r.EXEMPT}),
        next=("Egress",),
    ),
    Table(
        80,
        "Egress",
        "selects the packets that egress policy judges; drops tunnel packets that a pod itself sends to a node",
        "dropped",
        matches=frozenset({r.ORIGIN, r.JUDGED, r.TO_NODE, r.EXEMPT, r.EGRESS_SUBJECT, r.SERVICE_BOUND, f.PORT_DST}),
        next=("EgressRule", "Forward"),
        lookups=("EgressPeer", "EgressServicePeer"),
        reports=True,
    ),
    _peer_table(90, "EgressPeer", "destination", f.IP_DST, r.EGRESS_PEER),
    Table(
        95,
        "EgressServicePeer",
        "with --service-blocks, finds the identity of the cluster IP that the connection was opened to, by ipBlocks",
        "identity 0: the cluster IP is in no ipBlock",
        matches=frozenset({f.CT_STATE, *f.CT_DST.values()}),
        sets=frozenset({r.EGRESS_SERVICE_PEER}),
    ),
    _rule_table(
        100,
        "EgressRule",
        (r.EGRESS_SUBJECT, r.EGRESS_PEER, r.EGRESS_RULE),
        "Forward",
        frozenset({r.EGRESS_SERVICE_PEER, f.CT_STATE, f.CT_NW_PROTO, f.CT_TP_DST}),
    ),
    Table(
        110,
        "Forward",
        "routes packets to local pods, to the node, through the tunnel to other nodes, and else out by the gateway",
        "dropped",
        matches=frozenset({f.IPV4_DST, f.IPV6_DST, f.CT_STATE, f.CT_MARK, *r.CARRIED_SOURCE.values()}),
        sets=frozenset({f.ETH_SRC, f.ETH_DST, f.TUN_DST, f.TUN_IPV6_DST, r.OUT_PORT, r.INGRESS_SUBJECT}),
        next=("Ingress",),
    ),
    Table(
        120,
        "Ingress",
        "selects the packets that ingress policy judges",
        "dropped",
        matches=frozenset({r.JUDGED, r.INGRESS_SUBJECT, r.CARRIED, r.ANSWERING}),
        sets=frozenset({f.IPV4_SRC, f.IPV6_SRC}),
        next=("IngressRule", "Commit", "Output"),
        lookups=("SourceNode", "IngressPeer"),
    ),
    Table(
        130,
        "SourceNode",
        "marks packets from nodes that always reach pods",
        "the source is no such node",
        matches=frozenset({f.IPV4_SRC, f.IPV6_SRC}),
        sets=frozenset({r.FROM_NODE}),
    ),
    _peer_table(140, "IngressPeer", "source", f.IP_SRC, r.INGRESS_PEER),
    _rule_table(
        150,
        "IngressRule",
        (r.INGRESS_SUBJECT, r.INGRESS_PEER, r.INGRESS_RULE),
        "Commit",
        frozenset({r.FROM_NODE}),
    ),
    Table(
        160,
        "Commit",
        "stores the connection in conntrack, with the rules that admitted it and the node that it came from",
        "dropped",
        matches=frozenset({r.CARRIED, r.ANSWERING}),
        sets=frozenset(
            {r.INGRESS_RULE_LABEL, r.EGRESS_RULE_LABEL, r.ADMITTED, r.ANSWERED, r.CARRIED_LABEL, r.ORIGIN_LABEL}
            | {f.CT_MARK}
        ),
        next=("Output",),
    ),
    Table(
        170,
        "Output",
        "adds the source pod's address to Service-bound packets to other nodes; drops packets that would go back into"
        " the tunnel or the gateway",
        "dropped",
        matches=frozenset({f.IN_PORT, r.ORIGIN, r.OUT_PORT, r.SERVICE_BOUND}),
        sets=frozenset({r.HAIRPIN, f.TUN_ID, *f.TUN_METADATA.values()}),
        next=("Send",),
    ),
    Table(
        180,
        "Send",
        "sends the packet out of its port",
        "dropped",
        matches=frozenset({r.HAIRPIN}),
        outputs=True,
    ),
)

BY_NAME = {table.name: table for table in TABLES}
