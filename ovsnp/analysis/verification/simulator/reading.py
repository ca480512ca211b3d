"""Parses flows and groups: the text that `ovsnp compile` writes, and the text that ``ovs-ofctl`` prints.

A flow with an unknown match or action keeps it as unknown: packets that meet the flow cannot be judged.
"""

import re
from collections.abc import Iterable, Iterator, Mapping

import msgspec

from ovsnp.analysis.verification.simulator.actions import Action, ParsedConjunction, ParsedSet, read_actions, split
from ovsnp.analysis.verification.simulator.places import (
    CT_FLAGS,
    OPTION_BITS,
    FieldBits,
    is_option,
    place,
    place_mask,
    read_value,
)
from ovsnp.pipeline.cookies import is_ours
from ovsnp.pipeline.registers import ADMITTED, ANSWERED, ENDPOINT, ORIGIN_LABEL, SERVICE_LABEL
from ovsnp.pipeline.tables import BY_NAME

_ETH_TYPES = {"ip": 0x800, "ipv6": 0x86DD, "arp": 0x806}
_IP_PROTOCOLS = {"icmp": 1, "tcp": 6, "udp": 17, "sctp": 132}
_KINDS: dict[str, dict[str, int]] = {
    **{name: {"eth_type": number} for name, number in _ETH_TYPES.items()},
    **{name: {"eth_type": 0x800, "nw_proto": number} for name, number in _IP_PROTOCOLS.items()},
    **{
        f"{name}6": {"eth_type": 0x86DD, "nw_proto": 58 if name == "icmp" else number}
        for name, number in _IP_PROTOCOLS.items()
    },
}
_IPV4, _IPV6, _ARP = ({"eth_type": {number}} for number in (0x800, 0x86DD, 0x806))
_IP = {"eth_type": {0x800, 0x86DD}}
_PORTS = {**_IP, "nw_proto": {6, 17, 132}}
_ICMP = {**_IP, "nw_proto": {1, 58}}
_ND = {**_IPV6, "nw_proto": {58}}
_NEEDS: dict[str, dict[str, set[int]]] = {
    "nw_proto": {"eth_type": {0x800, 0x86DD, 0x806}},
    "tp_dst": _PORTS,
    "tp_src": _PORTS,
    "icmp_type": _ICMP,
    "icmp_code": _ICMP,
    "tcp_flags": {**_IP, "nw_proto": {6}},
    **dict.fromkeys(("nw_tos", "nw_frag"), _IP),
    **dict.fromkeys(("nw_src", "nw_dst", "ct_nw_dst"), _IPV4),
    **dict.fromkeys(("ipv6_src", "ipv6_dst", "ct_ipv6_dst"), _IPV6),
    **dict.fromkeys(("arp_op", "arp_spa", "arp_tpa", "arp_sha", "arp_tha"), _ARP),
    **dict.fromkeys(("nd_target", "nd_sll", "nd_tll", "nd_options_type", "nd_reserved"), _ND),
}
UNMODELLED = {"nw_ttl", "nw_ecn", "metadata", "pkt_mark", "ct_nw_src", "ct_ipv6_src", "ct_tp_src", "tun_dst",
              "tun_ipv6_dst", "arp_tha", "nd_tll", "nd_options_type", "nd_reserved", "ct_zone"}  # fmt: skip
"""Fields that no question varies: a flow that matches one of them cannot be judged."""
_LABEL = sum(each.full_mask << each.lsb for each in (ADMITTED, SERVICE_LABEL, ANSWERED, ORIGIN_LABEL))
"""The bits of ct_label that questions vary."""
_UNMODELLED_STATES = 1 << CT_FLAGS.index("snat") | 1 << CT_FLAGS.index("dnat")
_ADDRESSES = {"nw_src", "nw_dst", "ipv6_src", "ipv6_dst", "ct_nw_dst", "ct_ipv6_dst"}
_MOST_HOLES = 8
_MOST = {"table": 254, "priority": 0xFFFF, "cookie": (1 << 64) - 1}
_NOT_MATCHES = {"duration", "n_packets", "n_bytes", "idle_age", "hard_age", "idle_timeout", "hard_timeout",
                "importance", "send_flow_rem", "check_overlap", "reset_counts", "no_packet_counts",
                "no_byte_counts", "send_flow_removed"}  # fmt: skip


FieldTests = Mapping[str, tuple[int, int]]
"""A match: for each base a value and the mask under which the field must have it."""


class ReadFlow(msgspec.Struct, frozen=True, eq=False):
    """A flow; ``unknown`` names the parts of its match that are not understood, ``text`` is the line of the flow."""

    table: int
    priority: int
    terms: FieldTests
    actions: tuple[Action, ...]
    cookie: int
    text: str
    unknown: str = ""

    @property
    def conjunctions(self) -> tuple[ParsedConjunction, ...]:
        """The clauses of conjunctive matches among the actions."""
        return tuple(action for action in self.actions if isinstance(action, ParsedConjunction))


class ReadGroup(msgspec.Struct):
    """A group's kind, and the actions of its buckets."""

    kind: str
    buckets: list[tuple[Action, ...]]


class FlowDump(msgspec.Struct, frozen=True):
    """The flows of a bridge, and its groups by number."""

    flows: tuple[ReadFlow, ...]
    groups: dict[int, ReadGroup]

    def without_learned(self) -> "FlowDump":
        """The same without the flows that Open vSwitch learned: they only say which endpoint a client keeps."""
        return FlowDump(tuple(flow for flow in self.flows if not _is_learned(flow)), self.groups)


def read_bridge(lines: Iterable[str]) -> FlowDump:
    """Parse the lines of a bundle or a dump; comments and blank lines are skipped.

    Raises ValueError, with the line's number, where a line is neither a flow nor a group.
    """
    flows: dict[object, ReadFlow] = {}
    groups: dict[int, ReadGroup] = {}
    for number, raw in enumerate(lines, start=1):
        line = raw.strip()
        try:
            if not line or line.startswith(("#", "OFPST", "NXST")):
                continue
            if line.startswith("group ") or line.startswith("group_id="):
                _read_group(line, groups)
            elif line.startswith("flow ") and not line.startswith("flow add "):
                raise ValueError("only flow add can be read")
            elif "actions=" in line:
                flow = read_flow(line.removeprefix("flow add "))
                # Open vSwitch keeps the last of two flows with the same match and priority.
                flows[flow.table, flow.priority, flow.unknown, frozenset(flow.terms.items())] = flow
            else:
                raise ValueError("neither a flow nor a group")
        except ValueError as error:
            raise ValueError(f"line {number}: {error}: {line[:120]}") from None
    return FlowDump(tuple(flows.values()), groups)


def _is_learned(flow: ReadFlow) -> bool:
    """Whether a flow is one of ovsnp in table SessionAffinity that only sets the register of a client's endpoint."""
    where = place(ENDPOINT.base)
    return (
        flow.table == BY_NAME["SessionAffinity"].id
        and not flow.unknown
        and is_ours(flow.cookie)
        and where is not None
        and all(
            isinstance(each, ParsedSet) and (each.base, each.mask) == (where.base, where.mask) for each in flow.actions
        )
    )


def _read_group(line: str, groups: dict[int, ReadGroup]) -> None:
    command, _, rest = line.partition("group_id=") if not line.startswith("group_id=") else ("group add", "", line[9:])
    head, *buckets = re.split(r",(?=bucket=)", rest)
    number, *properties = head.split(",")
    kind = next((each.removeprefix("type=") for each in properties if each.startswith("type=")), "all")
    if command.strip() == "group add":
        groups[int(number)] = ReadGroup(kind, [])
    elif command.strip() != "group insert_bucket":
        raise ValueError("only group add and group insert_bucket can be read")
    for bucket in buckets:
        groups[int(number)].buckets.append(read_actions(bucket.partition("actions=")[2]))


def read_flow(line: str) -> ReadFlow:
    """Parse one flow; raises ValueError where a number or the value of a field cannot be parsed."""
    head, _, actions = line.partition("actions=")
    numbers = {"table": 0, "priority": 32768, "cookie": 0}
    parts = []
    for part in split(head.replace(" ", ",")):
        name, _, value = part.partition("=")
        if name in numbers:
            numbers[name] = _number(name, value)
        elif name not in _NOT_MATCHES:
            parts.append(part)
    terms, unknown = read_terms(parts)
    return ReadFlow(
        numbers["table"], numbers["priority"], terms, read_actions(actions), numbers["cookie"], line.strip(), unknown
    )


def _number(name: str, value: str) -> int:
    try:
        number = int(value, 0)
    except ValueError:
        raise ValueError(f"{name}={value} is no number; dump with --no-names") from None
    if not 0 <= number <= _MOST[name]:
        raise ValueError(f"{name}={value} is not between 0 and {_MOST[name]}")
    return number


def read_terms(parts: Iterable[str]) -> tuple[FieldTests, str]:
    """The match that the parts make, and in words the parts that are not understood; raises ValueError for a bad value.

    The match lacks those parts, so it matches at least all packets that Open vSwitch matches.
    """
    terms: dict[str, tuple[int, int]] = {}
    unknown = []
    for part in parts:
        name, equals, text = part.partition("=")
        where = place(name)
        if name in _KINDS and not equals:
            for base, number in _KINDS[name].items():
                _add(terms, FieldBits(base, 0, 16), number, 0xFFFF)
        elif where is None or where.base in UNMODELLED:
            unknown.append(part)
        elif is_option(where.base):
            value, mask = read_value(text, where.bits) if equals else (0, 0)
            _add(terms, FieldBits(where.base, 0, OPTION_BITS + 1), value | 1 << OPTION_BITS, mask | 1 << OPTION_BITS)
        elif where.base == "ct_state":
            value, mask = _read_state(text)
            _add(terms, where, value & ~_UNMODELLED_STATES, mask & ~_UNMODELLED_STATES)
            if mask & _UNMODELLED_STATES:
                unknown.append(part)
        else:
            _add(terms, where, *read_value(text, where.bits))
    if terms.get("ct_label", (0, 0))[1] & ~_LABEL:
        unknown.append("a bit of ct_label that no verdict hangs on")
    unknown += [f"a mask of {base} with holes" for base in _ADDRESSES & terms.keys() if _holes(base, terms[base][1])]
    lacking = [(base, needed) for base in terms for needed in _lacking(terms, base)]
    unknown += [f"{base} without {needed}" for base, needed in lacking]
    widened = {base for base, _ in lacking}
    return {base: term for base, term in terms.items() if base not in widened}, ", ".join(unknown)


def _holes(base: str, mask: int) -> bool:
    """Whether an address mask leaves too many bits free above its free low bits: each one doubles the ranges."""
    free = place_mask(base) & ~mask if not is_option(base) else 0
    low = (free ^ (free + 1)) >> 1
    return (free & ~low).bit_count() > _MOST_HOLES


def _lacking(terms: FieldTests, base: str) -> Iterator[str]:
    """The prerequisites of a base that a match lacks: without them Open vSwitch ignores it and widens the flow."""
    for needed, numbers in _NEEDS.get(base, {}).items():
        value, mask = terms.get(needed, (0, 0))
        if not mask or value not in numbers:
            yield needed


def _add(places: dict[str, tuple[int, int]], where: FieldBits, value: int, mask: int) -> None:
    before = places.get(where.base, (0, 0))
    places[where.base] = (before[0] | (value & mask) << where.lsb, before[1] | mask << where.lsb)


def _read_state(text: str) -> tuple[int, int]:
    value = mask = 0
    for sign, flag in re.findall(r"([+-])(\w{3,4}?)(?=[+-]|$)", text):
        bit = 1 << CT_FLAGS.index(flag)
        mask |= bit
        value |= bit if sign == "+" else 0
    if not mask and text:
        number, number_mask = read_value(text, 8)
        return number, number_mask
    return value, mask
