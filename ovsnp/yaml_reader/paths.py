"""Paths of fields in an object: tuples inside this package, text such as ``spec.ingress[0].from`` for people."""

import json
import re
from typing import NamedTuple

Path = tuple[str | int, ...]
"""Keys of mappings and indices of lists, from the outside in."""

_PLAIN_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
_BARE_KEY = re.compile(r"(?!\d+\])[A-Za-z0-9][A-Za-z0-9_./-]*\]")
_STEP = re.compile(r'\.?([A-Za-z_][A-Za-z0-9_-]*)|\[(\d+)\]|\[("(?:[^"\\]|\\.)*")\]|\[([^\]"]+)\]')


class Fault(NamedTuple):
    """A mistake in one object: its path and the message."""

    path: Path
    message: str


def format_path(path: Path) -> str:
    """``("spec", "ingress", 0)`` as ``spec.ingress[0]``; keys that are no plain words stand in brackets."""
    text = ""
    for step in path:
        if isinstance(step, int):
            text += f"[{step}]"
        elif _PLAIN_KEY.fullmatch(step):
            text += f".{step}" if text else step
        elif _BARE_KEY.fullmatch(f"{step}]"):
            text += f"[{step}]"
        else:
            text += f"[{json.dumps(step)}]"
    return text


def parse_path(text: str) -> Path:
    """The inverse of `format_path`; the path ends before text that cannot be read."""
    path: list[str | int] = []
    position = 0
    while match := _STEP.match(text, position):
        plain, index, quoted, bare = match.groups()
        path.append(plain or bare or (int(index) if index is not None else json.loads(quoted)))
        position = match.end()
    return tuple(path)
