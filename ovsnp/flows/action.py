"""Actions (ovs-actions(7)), each with the text in which Open vSwitch stores it."""

from functools import lru_cache

import msgspec

from ovsnp.flows.match import format_hex, format_value
from ovsnp.model.address import Address, family, format_address
from ovsnp.model.ports import Protocol
from ovsnp.pipeline.cookies import cookie
from ovsnp.pipeline.fields import ETH_TYPE, IP_DST, IP_PROTO, IP_SRC, TRANSPORT_DST, Field
from ovsnp.pipeline.tables import BY_NAME


class SetField(msgspec.Struct, frozen=True):
    """Set a field to a value."""

    field: Field
    value: int

    def __str__(self) -> str:
        return _set_field(self.field, self.value)


@lru_cache(maxsize=10_000)
def _set_field(field: Field, value: int) -> str:
    """The text of the action, cached: the buckets of all Services set the same few fields and values."""
    if field.whole:
        return f"set_field:{format_value(field, value)}->{field.target}"
    mask = field.full_mask << field.lsb
    return f"set_field:{format_hex(value << field.lsb)}/{mask:#x}->{field.target}"


class Move(msgspec.Struct, frozen=True):
    """Copy one field into another of the same width."""

    source: Field
    target: Field

    def __str__(self) -> str:
        return f"move:{self.source.nxm_range}->{self.target.nxm_range}"


class Push(msgspec.Struct, frozen=True):
    """Push the value of a field on the stack."""

    field: Field

    def __str__(self) -> str:
        return f"push:{self.field.nxm_range}"


class Pop(msgspec.Struct, frozen=True):
    """Pop a value from the stack into a field."""

    field: Field

    def __str__(self) -> str:
        return f"pop:{self.field.nxm_range}"


class DecTtl(msgspec.Struct, frozen=True):
    """Decrement the TTL (IPv6: the hop limit); a packet whose TTL would become 0 goes no further."""

    def __str__(self) -> str:
        return "dec_ttl"


class Track(msgspec.Struct, frozen=True):
    """Find the packet's connection in a zone, apply the connection's address translation, and go on in another table.

    A packet of the client is translated as the first packet was; an answer is translated back.
    """

    zone: int
    table: str

    def __str__(self) -> str:
        return f"ct(table={BY_NAME[self.table].id},zone={self.zone},nat)"


class Commit(msgspec.Struct, frozen=True):
    """Commit the connection to a zone; ``memory`` writes the connection's mark and label."""

    zone: int
    memory: tuple[Move | SetField, ...]

    def __str__(self) -> str:
        return f"ct(commit,zone={self.zone},exec({','.join(map(str, self.memory))}))"


class Translate(msgspec.Struct, frozen=True):
    """Commit the connection to a zone with another destination or source, and go on in another table.

    ``side`` is ``dst`` or ``src``. ``ports`` are the first and the last of the new ports, from which conntrack takes
    one. ``memory`` writes the connection's mark and label.
    """

    zone: int
    table: str
    side: str
    address: Address
    ports: tuple[int, int]
    memory: tuple[SetField, ...] = ()

    def __str__(self) -> str:
        text = format_address(self.address)
        text = f"[{text}]" if len(self.address) == 16 else text
        first, last = self.ports
        ports = str(first) if first == last else f"{first}-{last}"
        memory = f",exec({','.join(map(str, self.memory))})" if self.memory else ""
        return f"ct(commit,table={BY_NAME[self.table].id},zone={self.zone},nat({self.side}={text}:{ports}){memory})"


class Learn(msgspec.Struct, frozen=True):
    """Add a flow to another table: packets from this packet's source to an address and port set a field.

    The flow goes when no packet has matched it for ``idle_timeout`` seconds (1 to 65535). Open vSwitch learns at most
    ``limit`` flows with the same cookie in the table.
    """

    table: str
    priority: int
    idle_timeout: int
    limit: int
    protocol: Protocol
    address: Address
    port: int
    then: SetField

    def __str__(self) -> str:
        version, table = family(self.address), BY_NAME[self.table].id
        parts = (
            f"table={table},idle_timeout={self.idle_timeout},priority={self.priority}",
            f"cookie={cookie(table, 0):#x},limit={self.limit}",
            f"eth_type={ETH_TYPE[version]:#x},nw_proto={IP_PROTO[self.protocol]},{IP_SRC[version].nxm_range}",
            f"{IP_DST[version].target}={format_address(self.address)},{TRANSPORT_DST[self.protocol].target}={self.port}",
            f"load:{self.then.value:#x}->{self.then.field.nxm_range}",
        )
        return f"learn({','.join(parts)})"


class ToGroup(msgspec.Struct, frozen=True):
    """Let a group choose one of its buckets."""

    group: int

    def __str__(self) -> str:
        return f"group:{self.group}"


class Lookup(msgspec.Struct, frozen=True):
    """Look the packet up in another table, and return here."""

    table: str

    def __str__(self) -> str:
        return f"resubmit(,{BY_NAME[self.table].id})"


class Goto(msgspec.Struct, frozen=True):
    """Go on in a later table."""

    table: str

    def __str__(self) -> str:
        return f"goto_table:{BY_NAME[self.table].id}"


class Conjunction(msgspec.Struct, frozen=True, order=True):
    """One clause (1 to ``clauses``) of a conjunctive match; ``id`` has 32 bits and is not 0."""

    id: int
    clause: int
    clauses: int

    def __str__(self) -> str:
        return f"conjunction({self.id},{self.clause}/{self.clauses})"


class Output(msgspec.Struct, frozen=True):
    """Send the packet out of the port that a register holds."""

    field: Field

    def __str__(self) -> str:
        return f"output:{self.field.nxm_range}"


class ToInPort(msgspec.Struct, frozen=True):
    """Send the packet back out of the port it came in by."""

    def __str__(self) -> str:
        return "IN_PORT"


class ToController(msgspec.Struct, frozen=True):
    """Send the packet to the controllers, with ``userdata`` (at least one byte), at the rate that a meter allows.

    ``max_len`` (1 to 65534) are the bytes that the controllers need; Open vSwitch may send the whole packet.
    """

    userdata: bytes
    max_len: int
    meter: int

    def __str__(self) -> str:
        return f"controller(max_len={self.max_len},userdata={self.userdata.hex('.')},meter_id={self.meter})"


Action = (
    SetField
    | Move
    | Push
    | Pop
    | DecTtl
    | Track
    | Commit
    | Translate
    | Learn
    | ToGroup
    | Lookup
    | Goto
    | Conjunction
    | Output
    | ToInPort
    | ToController
)  # a flow without actions drops the packet
