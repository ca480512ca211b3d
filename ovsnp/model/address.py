"""IP addresses and prefixes of both families."""

import socket
from collections.abc import Iterable, Iterator
from typing import NamedTuple, NewType

import netaddr

Address = NewType("Address", bytes)
"""An address in network byte order: 4 bytes for IPv4, 16 for IPv6."""

FAMILIES = (4, 6)


def parse_address(text: str) -> Address:
    """Read an IPv4 or IPv6 address; raises ValueError with a sentence that says what is wrong."""
    try:
        return Address(socket.inet_pton(socket.AF_INET6 if ":" in text else socket.AF_INET, text))
    except OSError:
        raise ValueError(f"{text!r} is not an IP address") from None


def format_address(address: Address) -> str:
    """The canonical text of an address (RFC 5952 for IPv6)."""
    return socket.inet_ntop(socket.AF_INET if len(address) == 4 else socket.AF_INET6, address)


def family(address: Address) -> int:
    """The IP version of an address: 4 or 6."""
    return 4 if len(address) == 4 else 6


class Prefix(NamedTuple):
    """A CIDR block without host bits; sorts by family, then address, then length: a block before its parts."""

    family: int
    value: int
    length: int

    @property
    def width(self) -> int:
        """Bits of an address of this family: 32 or 128."""
        return 32 if self.family == 4 else 128

    @property
    def first(self) -> Address:
        """The network address."""
        return Address(self.value.to_bytes(self.width // 8, "big"))

    @property
    def gateway(self) -> Address:
        """The network address + 1: the gateway of the pods in this block."""
        return Address((self.value + 1).to_bytes(self.width // 8, "big"))

    def contains(self, other: "Prefix") -> bool:
        """True if this block contains every address of ``other``."""
        shift = self.width - self.length
        return (
            self.family == other.family and self.length <= other.length and self.value >> shift == other.value >> shift
        )

    def supernets(self) -> Iterator["Prefix"]:
        """The blocks that contain this block, from the whole family (length 0) to this block itself."""
        width = self.width
        for length in range(self.length + 1):
            shift = width - length
            yield Prefix(self.family, self.value >> shift << shift, length)

    def __str__(self) -> str:
        return f"{format_address(self.first)}/{self.length}"


def host_prefix(address: Address) -> Prefix:
    """The /32 or /128 of one address."""
    return Prefix(family(address), int.from_bytes(address, "big"), len(address) * 8)


def parse_prefix(text: str) -> Prefix:
    """Read a CIDR block such as ``10.0.0.0/8`` or ``fd00::/64``; host bits are masked away.

    Raises ValueError with a sentence that says what is wrong.
    """
    base, slash, length = text.partition("/")
    if not slash or not (length.isascii() and length.isdigit()):
        raise ValueError(f"{text!r} is not a CIDR block (ADDRESS/LENGTH)")
    try:
        network = netaddr.IPNetwork(f"{format_address(parse_address(base))}/{int(length)}")
    except (netaddr.AddrFormatError, ValueError):
        raise ValueError(f"{text!r} is not a CIDR block (ADDRESS/LENGTH)") from None
    return Prefix(network.version, network.first, network.prefixlen)


def merge(prefixes: Iterable[Prefix]) -> tuple[Prefix, ...]:
    """The fewest prefixes that hold exactly the same addresses, sorted."""
    merged: list[Prefix] = []
    for prefix in sorted(prefixes):
        if merged and merged[-1].contains(prefix):
            continue
        merged.append(prefix)
        while len(merged) > 1 and _are_halves(*merged[-2:]):
            merged.pop()
            family, value, length = merged.pop()
            merged.append(Prefix(family, value, length - 1))
    return tuple(merged)


def _are_halves(first: Prefix, second: Prefix) -> bool:
    """True if the two prefixes, in this order, are the halves of one block."""
    return (first.family, first.length) == (second.family, second.length) and (
        second.value - first.value == 1 << first.width - first.length and not first.value & second.value - first.value
    )
