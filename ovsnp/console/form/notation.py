"""The notations of ports and CIDR blocks in the fields of the form."""

import re
from typing import Any

EVERY_PORT = "*"
"""All ports of a protocol; no name of a port looks like it."""

ANY_PROTOCOL = "any"
PROTOCOLS = ("TCP", "UDP", "SCTP")
"""What ``any`` stands for, in the order in which the object has it."""

_NUMBER = re.compile("[0-9]{1,20}")
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
    """The block and its exceptions; a bar without exceptions is one empty exception, for the reader to refuse."""
    block, bar, exceptions = text.partition("|")
    return block.strip(), [each.strip() for each in exceptions.split(",")] if bar else []


def block_text(block: str, exceptions: list[str]) -> str:
    """The text of a field: ``172.17.0.0/16|172.17.1.0/24,172.17.2.0/24``."""
    return f"{block}|{','.join(exceptions)}" if exceptions else block
