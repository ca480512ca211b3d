"""MAC addresses, as 48-bit numbers."""

import re
from collections.abc import Iterable

from ovsnp.model.address import Address

_TEXT = re.compile(r"[0-9a-fA-F]{2}(:[0-9a-fA-F]{2}){5}")
_PREFIX = 0x0A58


def parse_mac(text: str) -> int:
    """Read six pairs of hexadecimal digits; raises ValueError with a sentence that says what is wrong."""
    if not _TEXT.fullmatch(text):
        raise ValueError(f"{text!r} is not a MAC address (six pairs of hexadecimal digits)")
    value = int(text.replace(":", ""), 16)
    if value >> 40 & 1:
        raise ValueError(f"{text!r} is a multicast address, which no interface has")
    return value


def derived_mac(addresses: Iterable[Address]) -> int | None:
    """The MAC address of a pod that names none: 0a:58 and the four bytes of its IPv4 address; None without IPv4."""
    for address in addresses:
        if len(address) == 4:
            return _PREFIX << 32 | int.from_bytes(address, "big")
    return None
