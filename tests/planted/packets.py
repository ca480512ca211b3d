"""Makes random packets that tell flows apart, as `ofproto/trace` takes them, with the states of their connections."""

import ipaddress
import re
from collections.abc import Iterable, Mapping, Sequence
from random import Random
from typing import NamedTuple

from ovsnp.model.address import family, format_address
from ovsnp.model.bridge import BridgePorts
from ovsnp.model.cluster import Cluster
from ovsnp.pipeline.numbers import number
from tests.planted.written import Line, WrittenFlow

_STRANGE_MAC = "02:aa:00:00:00:01"
_ROUTER = "0a:58:00:00:00:01"
_OUTSIDE = {4: ("192.0.2.1", "198.51.100.77"), 6: ("2001:db8::1", "2001:db8:ffff::77")}
_PORTS = (80, 8080, 53, 443, 1, 65535, 6081, 4789)
_PROTOCOLS = {"tcp": 6, "udp": 17, "sctp": 132, "icmp": 1, "icmp6": 58}
STATES = ("new", "est", "est|rpl", "rel", "rel|rpl", "inv")
_ADDRESS_FIELDS = {
    "nw_src",
    "nw_dst",
    "ipv6_src",
    "ipv6_dst",
    "ct_nw_dst",
    "ct_ipv6_dst",
    "arp_spa",
    "arp_tpa",
    "nd_target",
}


_ND = ("nd_target", "nd_sll")
_LACKING: Mapping[str, Sequence[str]] = {"135": (), "136": ("nd_sll",)}
"""The fields of neighbour discovery that packets of an ICMPv6 type lack; packets of other types lack all."""


class Packet(NamedTuple):
    """A packet, label and mark of its connection, and the flags (``state``) that it has at each lookup of conntrack."""

    fields: Mapping[str, str]
    kind: str
    state: str
    label: int
    mark: int
    hash: int = 1

    def command(self) -> tuple[str, ...]:
        """The arguments of ``ofproto/trace`` after the bridge."""
        lacking = _LACKING.get(self.fields.get("icmpv6_type", ""), _ND)
        known = {name: value for name, value in self.fields.items() if name not in lacking}
        connection = {}
        if self.kind not in ("arp", "other") and self.state not in ("inv", "rel"):
            connection["ct_state"] = f"trk|{self.state}"
        if self.label:
            connection["ct_label"] = f"{self.label:#x}"
        if self.mark:
            connection["ct_mark"] = f"{self.mark:#x}"
        first = {name: known.pop(name) for name in ("nw_src", "nw_dst", "ipv6_src", "ipv6_dst") if name in known}
        opened = (
            {name: known.pop(name) for name in tuple(known) if name.startswith("ct_")}
            if connection.get("ct_state")
            else {}
        )
        known = {name: value for name, value in known.items() if not name.startswith("ct_")}
        text = ",".join(
            [
                *([self.kind] if self.kind != "other" else []),
                *(f"{name}={value}" for each in (known, first, connection, opened) for name, value in each.items()),
            ]
        )
        flags = ",".join(("trk", *self.state.split("|")))
        # A trace does not find the datapath's hash, by which a select group chooses.
        return f"{text},dp_hash={self.hash}", "--ct-next", flags, "--ct-next", flags

    def __str__(self) -> str:
        return " ".join(self.command())


class Values(NamedTuple):
    """Values for fields: those that flows, pods, nodes and Services have, and values near those of flows."""

    addresses: Mapping[int, tuple[str, ...]]
    ports: tuple[int, ...]
    macs: tuple[str, ...]
    types: tuple[int, ...]
    vnis: tuple[int, ...]


def values(lines: Iterable[Line], cluster: Cluster) -> Values:
    """The values of these flows and this cluster."""
    addresses: dict[int, set[str]] = {version: set(_OUTSIDE[version]) for version in (4, 6)}
    ports, macs, types, vnis = set(_PORTS), {_STRANGE_MAC, _ROUTER}, {0, 8, 128, 130}, {0, 1, 2}
    for held in _held(cluster):
        addresses[4 if "." in held else 6].add(held)
    for line in lines:
        for term in line.terms if isinstance(line, WrittenFlow) else ():
            name, _, value = term.partition("=")
            if name in _ADDRESS_FIELDS:
                addresses[4 if "." in value else 6].update(_around(value))
            elif name == "tp_dst":
                ports.update(_near(value, 65535))
            elif name == "icmp_type":
                types.update(_near(value, 255))
            elif name in ("dl_src", "arp_sha", "nd_sll"):
                macs.add(value.partition("/")[0])
                macs.add(value.partition("/")[0][:-1] + "f")
            elif name == "tun_id":
                vnis.update(_near(value, 0xFFFFFF))
    kept = {version: tuple(sorted(found)) for version, found in addresses.items()}
    return Values(kept, tuple(sorted(ports)), tuple(sorted(macs)), tuple(sorted(types)), tuple(sorted(vnis)))


def _held(cluster: Cluster) -> Iterable[str]:
    for pod in cluster.pods:
        yield from map(format_address, pod.addresses)
    for node in cluster.nodes.values():
        yield from map(format_address, (*node.addresses, *node.gateways))
    for service in cluster.services:
        yield from map(format_address, service.cluster_ips)


def _around(text: str) -> Iterable[str]:
    """An address, or the first and last address of a prefix, and addresses that differ in one bit."""
    address, _, length = text.partition("/")
    if not re.fullmatch(r"\d*", length):
        yield address
        return
    network = ipaddress.ip_network(text, strict=False)
    most = network.max_prefixlen
    number = int(ipaddress.ip_address(address))
    edge = 1 << (most - network.prefixlen)
    for each in (
        number,
        number | edge - 1,
        number ^ edge,
        number ^ 1,
        number ^ 2,
        number ^ 0x40,
        number ^ 1 << 8,
        number ^ 1 << (most - 1),
    ):
        yield str(ipaddress.ip_address(each) if most == 32 else ipaddress.IPv6Address(each))


def _near(text: str, most: int) -> Iterable[int]:
    value, _, mask = text.partition("/")
    number = int(value, 0)
    free = most & ~int(mask, 0) if mask else 0
    for each in (number, number | free, number - 1, (number | free) + 1, number ^ 1, number ^ (free + 1)):
        if 0 <= each <= most:
            yield each


class Packets:
    """Makes packets for one bridge."""

    def __init__(self, cluster: Cluster, ports: BridgePorts, node: str, random: Random, found: Values) -> None:
        self._cluster, self._ports, self._random, self.values = cluster, ports, random, found
        self._local = [pod for pod in cluster.pods if pod.key in ports.pods and pod.addresses]
        self._others = [each for name, each in cluster.nodes.items() if name != node]
        self._here = cluster.nodes[node]
        numbers = number(cluster.nodes)
        self._marks = (0, 0, *(numbers[each.name] for each in self._others), 5)

    def make(self) -> Packet:
        """A random packet."""
        draw = self._random.random()
        if draw < 0.1:
            return self._resolving()
        if draw < 0.13:
            fields = {**self._sender(4), "dl_type": self._random.choice(("0x88cc", "0x8035", "0x800", "0x86dd"))}
            fields.pop("nw_src", None)
            return self._with(fields, "other")
        version = self._version()
        return self._ip({**self._sender(version), **self._destination(version)}, version)

    def near(self, packet: Packet, wanted: Mapping[str, str], other: Values) -> Packet:
        """A variant of the packet: up to two fields with values of ``other``, and others with those of ``wanted``."""
        fields, kind = dict(packet.fields), packet.kind
        state, label, mark = packet.state, packet.label, packet.mark
        for name in self._random.sample(sorted(fields), k=min(len(fields), self._random.choice((0, 1, 1, 2)))):
            put = self._value(name, fields, other)
            if put is not None:
                fields[name] = put
        for name, value in wanted.items():
            if name in fields and self._random.random() < 0.7:
                fields[name] = _alone(value)
        if self._random.random() < 0.2:
            state, label, mark = self._connection()
        return packet._replace(fields=fields, kind=kind, state=state, label=label, mark=mark)

    def _value(self, name: str, fields: Mapping[str, str], found: Values) -> str | None:
        before, choose = fields[name], self._random.choice
        if name in _ADDRESS_FIELDS or name in ("tun_src", "tun_ipv6_src"):
            return choose(found.addresses[4 if "." in before else 6])
        if name in ("tun_metadata0", "tun_metadata1"):
            return f"{int(ipaddress.ip_address(choose(found.addresses[4 if name.endswith('0') else 6]))):#x}"
        if name.endswith(("_dst", "_src")) and name.startswith(("tcp", "udp", "sctp")):
            return str(choose(found.ports))
        if name in ("icmp_type", "icmpv6_type"):
            return str(choose(found.types))
        if name in ("dl_src", "arp_sha", "nd_sll"):
            return choose(found.macs)
        if name == "dl_dst":
            return choose((_ROUTER, _STRANGE_MAC, "ff:ff:ff:ff:ff:ff", "01:00:5e:00:00:fb", *found.macs))
        if name == "in_port":
            known = [
                self._ports.tunnel,
                self._ports.gateway.ofport,
                *(port.ofport for port in self._ports.pods.values()),
            ]
            return str(choose((*known, 77)))
        if name == "tun_id":
            return str(choose(found.vnis))
        return "1" if name == "arp_op" else None

    def _version(self) -> int:
        return self._random.choice([cidr.family for cidr in self._here.pod_cidrs] * 8 + [4, 6])

    def _address(self, version: int) -> str:
        return self._random.choice(self.values.addresses[version])

    def _sender(self, version: int) -> dict[str, str]:
        """The fields that say who sends: mostly a sender with its own address."""
        name = "nw_src" if version == 4 else "ipv6_src"
        draw = self._random.random()
        fields = {"dl_dst": _ROUTER}
        held = [(pod, each) for pod in self._local for each in pod.addresses if family(each) == version]
        if draw < 0.5 and held:
            pod, address = self._random.choice(held)
            port = self._ports.pods[pod.key]
            fields |= {"in_port": str(port.ofport), "dl_src": _mac(port.mac), name: format_address(address)}
        elif draw < 0.65 or not self._others:
            gateway = self._ports.gateway
            fields |= {"in_port": str(gateway.ofport), "dl_src": _mac(gateway.mac), name: self._address(version)}
        else:
            fields |= {"in_port": str(self._ports.tunnel), "dl_src": _ROUTER, **self._tunneled(version, name)}
        if self._random.random() < 0.12:
            changed = self._random.choice(("in_port", "dl_src", name, "dl_dst"))
            fields[changed] = self._value(changed, fields, self.values) or fields[changed]
        if self._random.random() < 0.03:
            fields["vlan_tci"] = self._random.choice(("0x1000", "0x1005"))
        return fields

    def _tunneled(self, version: int, name: str) -> dict[str, str]:
        node = self._random.choice(self._others)
        found = {name: self._address(version), "tun_id": "0"}
        pods = [each for pod in self._cluster.pods if pod.node == node.name for each in pod.addresses]
        pods = [each for each in (*pods, *node.gateways) if family(each) == version]
        if pods and self._random.random() < 0.7:
            found[name] = format_address(self._random.choice(pods))
        if node.tunnel_address:
            found["tun_src" if len(node.tunnel_address) == 4 else "tun_ipv6_src"] = format_address(node.tunnel_address)
        if self._random.random() < 0.1:
            found["tun_src"] = self._address(4)
        draw = self._random.random()
        if draw < 0.5:
            carried = self._random.choice(pods) if pods and draw < 0.4 else None
            number = int.from_bytes(carried, "big") if carried else int(ipaddress.ip_address(self._address(version)))
            found[f"tun_metadata{0 if version == 4 else 1}"] = f"{number:#x}"
            found["tun_id"] = self._random.choice(("1", "1", "1", "0", str(self._random.choice(self.values.vnis))))
        elif draw < 0.65:
            found["tun_id"] = str(self._random.choice((*self.values.vnis, 3, 4, 5, 6, 7, 8, 9, 10)))
        return found

    def _destination(self, version: int) -> dict[str, str]:
        name = "nw_dst" if version == 4 else "ipv6_dst"
        draw = self._random.random()
        local = [each for pod in self._local for each in pod.addresses if family(each) == version]
        pods = [each for pod in self._cluster.pods for each in pod.addresses if family(each) == version]
        if draw < 0.35 and local:
            return {name: format_address(self._random.choice(local))}
        if draw < 0.5 and pods:
            return {name: format_address(self._random.choice(pods))}
        return {name: self._address(version)}

    def _ip(self, fields: dict[str, str], version: int) -> Packet:
        kind = self._random.choice(("tcp", "tcp", "udp", "sctp", "icmp", "other"))
        ips = {format_address(each): service for service in self._cluster.services for each in service.cluster_ips}
        name = "nw_dst" if version == 4 else "ipv6_dst"
        if self._random.random() < 0.15 and [each for each in ips if ("." in each) == (version == 4)]:
            fields[name] = self._random.choice([each for each in ips if ("." in each) == (version == 4)])
        number = self._random.choice(self.values.ports)
        if (service := ips.get(fields[name])) and self._random.random() < 0.9:
            port = self._random.choice(service.ports)
            kind, number = port.protocol.lower(), port.number
        suffix = "" if version == 4 else "6"
        if kind in ("tcp", "udp", "sctp"):
            fields |= {f"{kind}_src": str(self._random.randrange(1024, 60000)), f"{kind}_dst": str(number)}
            return self._opened(self._with({**fields, "nw_ttl": "64"}, f"{kind}{suffix}"), version)
        if kind == "icmp":
            fields[f"icmp{'v6' if suffix else ''}_type"] = str(self._random.choice(self.values.types))
            return self._opened(self._with({**fields, "nw_ttl": "64"}, f"icmp{suffix}"), version)
        fields["nw_proto"] = str(self._random.choice((47, 50, 1 if suffix else 58)))
        return self._opened(self._with({**fields, "nw_ttl": "64"}, "ip" if version == 4 else "ipv6"), version)

    def _opened(self, packet: Packet, version: int) -> Packet:
        """The packet with the original destination of its connection: its own, or a cluster IP that was translated."""
        if "inv" in packet.state:
            return packet
        names = ("nw_src", "nw_dst") if version == 4 else ("ipv6_src", "ipv6_dst")
        was = packet.fields[names["rpl" not in packet.state]]
        protocol = packet.kind.removesuffix("6") if packet.kind != "icmp6" else packet.kind
        proto = str(_PROTOCOLS.get(protocol, packet.fields.get("nw_proto", "47")))
        port = packet.fields.get(f"{protocol}_{'src' if 'rpl' in packet.state else 'dst'}", "0")
        ips = [
            (each, service)
            for service in self._cluster.services
            for each in service.cluster_ips
            if family(each) == version
        ]
        if packet.label >> 65 & 1 and ips and self._random.random() < 0.9:
            address, service = self._random.choice(ips)
            was = format_address(address)
            ports = [each.number for each in service.ports if each.protocol.lower() == protocol]
            port = str(self._random.choice(ports)) if ports else port
        opened = {"ct_nw_proto": proto, f"ct_{names[1]}": was, "ct_tp_dst": port}
        return packet._replace(fields={**packet.fields, **opened})

    def _resolving(self) -> Packet:
        version = self._version()
        fields = self._sender(version)
        if self._random.random() < 0.5:
            fields["dl_dst"] = "ff:ff:ff:ff:ff:ff" if version == 4 else "33:33:ff:00:00:01"
        mac = fields["dl_src"] if self._random.random() < 0.85 else self._random.choice(self.values.macs)
        if version == 4:
            fields["arp_spa"] = fields.pop("nw_src")
            fields |= {"arp_tpa": self._address(4), "arp_op": self._random.choice("1112"), "arp_sha": mac}
            return self._with(fields, "arp")
        if self._random.random() < 0.3:
            fields["ipv6_src"] = self._random.choice(("fe80::1", "fe80::99", "::"))
        kind = self._random.choice(("135", "135", "135", "133", "134", "136", "137"))
        fields |= {"icmpv6_type": kind, "icmpv6_code": "0", "ipv6_dst": self._address(6), "nw_ttl": "255"}
        if kind in ("135", "136"):
            fields["nd_target"] = self._address(6)
        if kind == "135":
            fields["nd_sll"] = mac
        return self._with(fields, "icmp6")

    def _connection(self) -> tuple[str, int, int]:
        state = self._random.choice(("new", "new", "new", "new", *STATES))
        label = 0 if state == "new" and self._random.random() < 0.8 else self._random.randrange(32)
        mark = self._random.choice(self._marks) if "rpl" in state else 0
        return state, label << 64, mark

    def _with(self, fields: Mapping[str, str], kind: str) -> Packet:
        return Packet(fields, kind, *self._connection(), self._random.randrange(1, 1 << 32))


def wanted(lines: Sequence[Line]) -> dict[str, str]:
    """The values that flows match, by field."""
    terms = [term for line in lines if isinstance(line, WrittenFlow) for term in line.terms]
    return dict(term.split("=", 1) for term in terms if "=" in term and not term.startswith("ct_state"))


def _mac(number: int) -> str:
    return ":".join(f"{number >> shift & 0xFF:02x}" for shift in range(40, -1, -8))


def _alone(value: str) -> str:
    """The value of a match without its mask, as a packet has it."""
    alone = value.partition("/")[0]
    return alone if "." in alone or ":" in alone else str(int(alone, 0))
