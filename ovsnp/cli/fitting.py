"""Where lines for people break, so that they fit the terminal that shows them."""

import os
import re
from collections.abc import Iterator
from typing import IO

from rich.cells import cell_len

_INDENT = 4
_UNKNOWN = 80
"""Columns of a terminal that does not say how many it has."""
_COMMANDS = "apply|check|compile|completion|diff|explain|lab|lint|matrix|mtu|trace|verify"
_PROGRAMS = rf"apt-get|docker|ip netns|kubectl|modprobe|ovs-[a-z]+|ovsnp (?:{_COMMANDS})\b|systemctl"
_ARGUMENT = r"(?:[^\s'();,:]|[;,:](?=\S)|'[^']*')+"
_UNBROKEN = re.compile(rf"['(]?(?:{_PROGRAMS})(?: {_ARGUMENT})*\S*|\S+")
"""A word, or a command with its arguments, which somebody may copy."""


def columns(file: IO[str] | None) -> int | None:
    """How many columns a line may have in this file; None where it is no terminal, so that lines stay as they are."""
    if file is None or not file.isatty():
        return None
    wanted = os.environ.get("COLUMNS", "")
    if wanted.isdigit() and int(wanted):
        return int(wanted)
    try:
        return os.get_terminal_size(file.fileno()).columns or _UNKNOWN
    except OSError:
        return _UNKNOWN


def indent(line: str) -> int:
    """How many spaces go before each part of a line but the first one."""
    return len(line) - len(line.lstrip(" ")) + _INDENT


def parts(line: str, room: int | None) -> Iterator[slice]:
    """The parts of a line that fit so many columns, all but the first one indented; one part where there is no room.

    A word or command that is longer than a line stays whole.
    """
    further = indent(line)
    if room is None or cell_len(line) <= room or further >= room:
        yield slice(None)
        return
    start = end = 0
    for word in _UNBROKEN.finditer(line):
        if end and cell_len(line[start : word.end()]) > (room - further if start else room):
            yield slice(start, end)
            start = word.start()
        end = word.end()
    yield slice(start, end)
