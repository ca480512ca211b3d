"""Addresses and CIDR blocks as the API writes them."""

import re
from collections.abc import Sequence
from functools import lru_cache

from ovsnp.manifests.kinds import wire
from ovsnp.model.address import Address, Prefix, parse_address, parse_prefix
from ovsnp.model.policy import IPBlock
from ovsnp.yaml_reader.paths import Path
from ovsnp.yaml_reader.report import MistakeReport
from ovsnp.yaml_reader.structure import quote

_MAPPED = bytes(10) + b"\xff\xff"
_MAPPED_FAULT = "is an IPv4 address inside an IPv6 one"
_MAPPED_REMEDY = "write it as IPv4"
_LENGTH = re.compile("3[0-2]|[12]?[0-9]")
_LEADING_ZEROS = re.compile(r"(?<![0-9])0+(?=[0-9])")


def read_address(text: str, path: Path, report: MistakeReport) -> Address | None:
    """An IP address; None, with the mistake reported, if the text is no address."""
    address, fault, remedy = _parse_address(text)
    if fault:
        report.add(path, f"{fault}; {remedy}")
    return address


def note_address(text: str, path: Path, report: MistakeReport) -> Address | None:
    """An IP address in the state of a cluster; None, with a note, if the text is no address."""
    address, fault, _ = _parse_address(text)
    if fault:
        report.note(path, f"{fault}; ovsnp leaves the address out")
    return address


def _parse_address(text: str) -> tuple[Address | None, str, str]:
    """The address and two empty texts; or None, what is wrong, and what to write instead."""
    try:
        address = parse_address(text)
    except (ValueError, UnicodeError):
        if plain := _without_zeros(text):
            return None, f"{quote(text)} has leading zeros", f"write {plain}"
        return None, f"{quote(text)} is no IP address", "write it like 10.0.0.1 or fd00::1"
    if len(address) == 16 and address.startswith(_MAPPED):
        return None, f"{quote(text)} {_MAPPED_FAULT}", _MAPPED_REMEDY
    return address, "", ""


def path_of(address: Address, texts: Sequence[tuple[Path, str]]) -> Path:
    """The path of an address, among texts with at most one address of each family."""
    same = (path for path, text in texts if (":" in text) == (len(address) == 16))
    return next(same, texts[0][0])


def read_prefix(text: str, path: Path, report: MistakeReport) -> Prefix | None:
    """A CIDR block without its host bits; None, with the mistake reported, if the text is no block."""
    prefix = _parse(text)
    if isinstance(prefix, Prefix):
        return prefix
    report.add(path, prefix)
    return None


def read_block(block: wire.ApiIPBlock, path: Path, report: MistakeReport) -> IPBlock | None:
    """An ``ipBlock``, or None without a valid ``cidr``; the blocks of ``except`` must be smaller and inside it."""
    if not block.cidr:
        report.add((*path, "cidr"), "missing; write a CIDR block such as 10.0.0.0/8")
    cidr = read_prefix(block.cidr, (*path, "cidr"), report) if block.cidr else None
    excepts: set[Prefix] = set()
    for index, text in enumerate(block.excepts or ()):
        inside = (*path, "except", index)
        if text is None:
            report.add(inside, "null is no CIDR block; write one such as 10.1.0.0/16, or remove it")
        elif (part := read_prefix(text, inside, report)) and cidr:
            report.add(inside, _except_fault(part, cidr))
            excepts.add(part)
    return IPBlock(cidr, tuple(sorted(excepts))) if cidr else None


def _except_fault(part: Prefix, cidr: Prefix) -> str | None:
    if part.family != cidr.family:
        return (
            f"{part} is IPv{part.family} and its block {cidr} IPv{cidr.family}; an exception is of its block's family"
        )
    if part == cidr:
        return f"{part} is the whole block; remove the peer, or except less"
    if not cidr.contains(part):
        return f"{part} is not inside {cidr}; except only parts of the block"
    return None


def _without_zeros(text: str) -> str | None:
    """The IPv4 address without its leading zeros, as API servers read it; None if the text is no such address.

    Some programs read numbers with leading zeros as octal.
    """
    plain = _LEADING_ZEROS.sub("", text)
    try:
        return plain if len(parse_address(plain)) == 4 else None
    except (ValueError, UnicodeError):
        return None


@lru_cache(maxsize=100_000)
def _parse(text: str) -> Prefix | str:
    """The block, or the message that says what is wrong."""
    try:
        prefix = parse_prefix(text)
        base = parse_address(text.partition("/")[0])
    except (ValueError, UnicodeError):
        address, _, length = text.partition("/")
        if (plain := _without_zeros(address)) and _LENGTH.fullmatch(length):
            return f"{quote(text)} has leading zeros; write {plain}/{length}"
        return f"{quote(text)} is no CIDR block; write ADDRESS/LENGTH, such as 10.0.0.0/8 or fd00::/64"
    return (
        f"{quote(text)} {_MAPPED_FAULT}; {_MAPPED_REMEDY}" if len(base) == 16 and base.startswith(_MAPPED) else prefix
    )
