"""Addresses that nobody has assigned yet: a pod or Service without an address stands at a placeholder.

Placeholders lie where no host can be: in 0.0.0.0/8 (RFC 1122, section 3.2.1.3), and in 100::/64 (RFC 6666).
"""

import msgspec

from ovsnp.model.address import Address, family, format_address, host_prefix, parse_prefix

_PLACEHOLDERS = {4: parse_prefix("0.0.0.0/8"), 6: parse_prefix("100::/64")}
_SERVICES = 1 << 23
"""From where on the placeholders of a block are those of Services."""


class Unassigned(msgspec.Struct, frozen=True, order=True):
    """Whether a block holds the addresses that pods, and Services, are yet to get."""

    pods: bool
    services: bool


def pod_placeholder(version: int, number: int) -> Address:
    """The placeholder of the pod with a number, from 0 on."""
    return _placeholder(version, 1 + number)


def service_placeholder(version: int, number: int) -> Address:
    """The placeholder of the Service with a number, from 0 on."""
    return _placeholder(version, _SERVICES + number)


def _placeholder(version: int, place: int) -> Address:
    block = _PLACEHOLDERS[version]
    return Address((block.value + place).to_bytes(block.width // 8, "big"))


def is_placeholder(address: Address) -> bool:
    """Whether an address stands for one that nobody has assigned yet."""
    return _PLACEHOLDERS[family(address)].contains(host_prefix(address))


def assigned_text(address: Address) -> str | None:
    """The text of an address; None for a placeholder."""
    return None if is_placeholder(address) else format_address(address)
