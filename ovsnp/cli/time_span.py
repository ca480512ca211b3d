"""A span of time on the command line, as kubectl takes it."""

import re

import click

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h)")
_SPAN = re.compile(rf"(?:{_PART.pattern})+|0")


def read_span(text: str) -> float:
    """The seconds of ``30s``, ``1m30s``, ``500ms``, ``2h`` or ``0``; raises BadParameter for other words."""
    if not _SPAN.fullmatch(text):
        raise click.BadParameter(f"{text!r} is no span of time; write 30s, 1m30s or 2h")
    return sum(float(number) * _UNITS[unit] for number, unit in _PART.findall(text))
