"""Addresses that are not assigned yet: a placeholder stands for the address of such a pod or Service.

Placeholders lie in blocks that no host can use: 0.0.0.0/8 (RFC 1122, section 3.2.1.3) and 100::/64 (RFC 6666).
"""

import msgspec

from ovsnp.model.address import Address, family, format_address, host_prefix, parse_prefix

_PLACEHOLDERS = {4: parse_prefix("0.0.0.0/8"), 6: parse_prefix("100::/64")}
_SERVICES = 1 << 23
"""The offset of the first Service placeholder in a block; lower offsets are for pods."""


class Unassigned(msgspec.Struct, frozen=True, order=True):
    """Whether a block holds the future addresses of pods, and of Services."""

    pods: bool
    services: bool


def pod_placeholder(version: int, number: int) -> Address:
    """The placeholder of the pod with this number (from 0), in one address family."""
    return _placeholder(version, 1 + number)


def service_placeholder(version: int, number: int) -> Address:
    """The placeholder of the Service with this number (from 0), in one address family."""
    return _placeholder(version, _SERVICES + number)


def _placeholder(version: int, place: int) -> Address:
    block = _PLACEHOLDERS[version]
    return Address((block.value + place).to_bytes(block.width // 8, "big"))


def is_placeholder(address: Address) -> bool:
    """True if an address is a placeholder."""
    return _PLACEHOLDERS[family(address)].contains(host_prefix(address))


def assigned_text(address: Address) -> str | None:
    """The text of an address; None for a placeholder."""
    return None if is_placeholder(address) else format_address(address)
