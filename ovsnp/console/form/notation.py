"""The notations of ports and CIDR blocks in the fields of the form."""

import re
from typing import Any

from ovsnp.model.address import Prefix, host_prefix, parse_address
from ovsnp.yaml_reader.structure import quote

EVERY_PORT = "*"
"""All ports of a protocol; no name of a port looks like it."""

ANY_PROTOCOL = "any"
PROTOCOLS = ("TCP", "UDP", "SCTP")
"""What ``any`` stands for, in the order in which the object has it."""

_NUMBER = re.compile("[0-9]{1,20}")
_SEPARATORS = re.compile(r"[,;\s]+")
_RANGE = re.compile("([0-9]{1,20}) *- *([0-9]{1,20})")


def port_fields(text: str) -> dict[str, Any]:
    """``port`` and ``endPort`` for the text of a field; a text that is no port stays text, for the reader to refuse."""
    text = text.strip()
    if text == EVERY_PORT:
        return {}
    if _NUMBER.fullmatch(text):
        return {"port": int(text)}
    if match := _RANGE.fullmatch(text):
        return {"port": int(match[1]), "endPort": int(match[2])}
    return {"port": text}


def port_text(port: int | str | None, end_port: int | None) -> str:
    """The text of a field for ``port`` and ``endPort``."""
    if port is None:
        return EVERY_PORT
    return str(port) if end_port is None else f"{port}-{end_port}"


def block_fields(text: str) -> tuple[str, list[str]]:
    """The block and its exceptions, with commas, spaces or line breaks between them.

    A bar without exceptions is one empty exception, for the reader to refuse.
    """
    block, bar, exceptions = text.partition("|")
    return block.strip(), (_SEPARATORS.sub(" ", exceptions).split() or [""]) if bar else []


def block_fault(text: str) -> str:
    """Why a text is no block with exceptions and what to do; empty if the reader of the object is to judge it."""
    block, exceptions = block_fields(text)
    if not block:
        return "missing; write a CIDR block such as 10.0.0.0/8"
    if exceptions == [""]:
        return "no exception follows the bar; write one, or remove the bar"
    if text.count("|") > 1:
        return "two bars; write the exceptions with commas between them"
    if _SEPARATORS.search(block):
        return f"{quote(block)} is more than one block; write a rule for each block, and exceptions after a bar"
    for each in (block, *exceptions):
        if prefix := _prefix_of_address(each):
            return f"{quote(each)} has no length; write {prefix} for this one address"
    return ""


def port_fault(text: str) -> str:
    """Why a text is more than a port and what to do; empty if the reader of the object is to judge it."""
    text = text.strip()
    if not text:
        return "missing; write a number, a range such as 8000-8100, a name, or * for all ports of the protocol"
    if "," in text:
        return f"{quote(text)} is more than one port; add a port for each"
    if "/" in text:
        return f"{quote(text)} has a protocol; write the port only, and choose the protocol beside it"
    return ""


def _prefix_of_address(text: str) -> Prefix | None:
    try:
        return host_prefix(parse_address(text))
    except ValueError:
        return None


def block_text(block: str, exceptions: list[str]) -> str:
    """The text of a field: ``172.17.0.0/16|172.17.1.0/24,172.17.2.0/24``."""
    return f"{block}|{','.join(exceptions)}" if exceptions else block
