"""Packets in the notation of ovs-fields(7), as ``ofproto/trace`` takes them."""

from collections.abc import Mapping

from ovsnp.analysis.naming.ends import ClusterIPEnd
from ovsnp.analysis.naming.questions import Connection
from ovsnp.flows.match import format_value
from ovsnp.model.address import Address, family, format_address
from ovsnp.model.bridge import BridgePort
from ovsnp.model.ports import Protocol
from ovsnp.pipeline import fields as f
from ovsnp.pipeline.ports import ROUTER_MAC

SOURCE_PORT = 40000
"""The source port of a client's connection, unless the user names another one."""

_ECHO = {4: ("icmp", "8"), 6: ("icmp6", "128")}
_HOPS = 64
_OF_PACKET = frozenset(
    {"dl_src", "dl_dst", "nw_src", "nw_dst", "ipv6_src", "ipv6_dst", "nw_ttl", "tp_src", "tp_dst", "tcp_flags"}
    | {"icmp_type", "icmp_code"}
)
_OF_TUNNEL = frozenset({"tun_id", *(field.name for field in f.TUN_METADATA.values())})

Fields = Mapping[str, str]
"""A packet's fields by the names that a trace prints; kinds of packets (``tcp6``) are names without value."""


def opening(connection: Connection, mac: int, source_port: int) -> Fields:
    """The packet that opens a connection, sent from a MAC address; for ICMP, an echo request."""
    version, protocol = family(connection.source.address), connection.traffic.protocol
    fields = {"dl_src": format_value(f.ETH_SRC, mac), "dl_dst": format_value(f.ETH_DST, ROUTER_MAC)}
    fields |= {"nw_ttl": str(_HOPS), f.IP_SRC[version].name: format_address(connection.source.address)}
    fields[f.IP_DST[version].name] = format_address(connection.destination.address)
    if protocol is None:
        kind, number = _ECHO[version]
        return {kind: "", **fields, "icmp_type": number}
    flags = {"tcp_flags": "syn"} if protocol is Protocol.TCP else {}
    ports = {"tp_src": str(source_port), "tp_dst": str(connection.traffic.port)}
    return {f.PROTOCOL_KIND[version, protocol]: "", **fields, **ports, **flags}


def first_packet(connection: Connection, port: BridgePort, source_port: int) -> str:
    """The packet that opens a connection, as it comes in by a port of the bridge.

    A packet to a cluster IP comes with a hash, made of the source port: a trace does not compute the datapath's hash,
    which chooses the endpoint. It also comes with the destination and port that conntrack keeps: a trace leaves these
    out when the packet comes back from conntrack, and the flows of `--service-blocks` match them.
    """
    text = f"in_port={port.ofport},{_text(opening(connection, port.mac, source_port))}"
    traffic, destination = connection.traffic, connection.destination
    if not isinstance(destination, ClusterIPEnd) or traffic.protocol is None:
        return text
    opened_to = f"{f.CT_DST[family(destination.address)].name}={format_address(destination.address)}"
    proto = f"ct_nw_proto={f.IP_PROTO[traffic.protocol]},ct_tp_dst={traffic.port}"
    return f"{text},dp_hash={source_port},ct_state=trk|new,{opened_to},{proto}"


def tunneled_packet(sent: Fields, ends: tuple[Address, Address], port: int) -> str:
    """The packet that another node sent with these fields, as it comes out of the tunnel by a port of the bridge.

    ``ends`` are the two addresses of the tunnel, that of the sender first.
    """
    outer = [f"{name}={value}" for name, value in sent.items() if name in _OF_TUNNEL]
    fields = (side[family(end)] for side, end in zip((f.TUNNEL_SRC, f.TUNNEL_DST), ends, strict=True))
    tunnel = [f"{field.name}={format_address(end)}" for field, end in zip(fields, ends, strict=True)]
    return ",".join([f"in_port={port}", _text(sent), *tunnel, *outer])


def _text(fields: Fields) -> str:
    """The packet without the tunnel header, as a trace takes it."""
    kinds = [name for name, value in fields.items() if name in f.KINDS and not value]
    named = [f"{_taken_name(name, kinds[0])}={value}" for name, value in fields.items() if name in _OF_PACKET]
    return ",".join([*kinds, *named])


def _taken_name(name: str, kind: str) -> str:
    """The name by which a trace takes a field that it prints: it takes ``tp_src`` for TCP, ``icmp_type`` for IPv4."""
    if name.startswith("tp_"):
        return name.replace("tp", kind.removesuffix("6"), 1)
    return name.replace("icmp", "icmpv6", 1) if kind == "icmp6" else name
