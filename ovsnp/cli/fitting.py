"""Breaks lines for people so that they fit the terminal."""

import os
import re
from collections.abc import Iterator
from typing import IO

from rich.cells import cell_len

_INDENT = 4
_UNKNOWN = 80
"""The columns of a terminal that does not report their number."""
_COMMANDS = (
    "agent|apply|check|compile|completion|connections|console|diff|drops|explain|lab|lint|matrix|mtu|status|top|trace"
    "|verify|wait"
)
_PROGRAMS = rf"apt-get|docker|ip netns|kubectl|modprobe|ovs-[a-z]+|ovsnp (?:{_COMMANDS})\b|systemctl"
_ARGUMENT = r"(?:[^\s'();,:]|[;,:](?=\S)|'[^']*')+"
_UNBROKEN = re.compile(rf"['(]?(?:{_PROGRAMS})(?: {_ARGUMENT})*\S*|\S+")
"""A word, or a command with its arguments, which a reader may copy."""


def columns(file: IO[str] | None) -> int | None:
    """The number of columns for a line in this file; None if it is no terminal, so that lines stay as they are."""
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
    """The number of spaces before each part of a line except the first."""
    return len(line) - len(line.lstrip(" ")) + _INDENT


def parts(line: str, room: int | None) -> Iterator[slice]:
    """The parts of a line that fit into ``room`` columns, with an indent for all but the first; one part without room.

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
