"""Values as YAML and JSON text.

Text that another reader of YAML may take for a number, a boolean or a date stands in quotes: kubectl reads ``1e3`` as a
number and may read ``y`` as true, PyYAML reads both as text.
"""

import json
import re
from typing import Any

import yaml

_WIDTH = 1 << 30
"""No line is folded."""

_NUMBER_LIKE = re.compile(r"[-+.]*[0-9][-+0-9a-fA-F_.xXoOeE]*|[-+]?\.?(?:inf|nan)", re.IGNORECASE)
_BOOLEAN_LIKE = frozenset("yYnN")
_PLAIN_LINES = re.compile(r"[^\s](?:[^\r\x85\u2028\u2029]*[^\s])?\n?")


class _Dumper(yaml.SafeDumper):
    """Writes sequences two columns to the right of their key, and text in the style of `_style`."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)

    def ignore_aliases(self, data: Any) -> bool:
        return True


class _LineDumper(_Dumper):
    """Writes every text on one line."""


def _style(text: str, *, block: bool) -> str | None:
    if "\n" in text:
        lines = _PLAIN_LINES.fullmatch(text) and " \n" not in text and "\t" not in text
        return "|" if block and lines else '"'
    if text in _BOOLEAN_LIKE or _NUMBER_LIKE.fullmatch(text):
        return '"'
    return None


def _represent_in_block(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=_style(text, block=True))


def _represent_on_line(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=_style(text, block=False))


_Dumper.add_representer(str, _represent_in_block)
_LineDumper.add_representer(str, _represent_on_line)


class _KubectlDumper(_LineDumper):
    """Writes sequences in the column of their key."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        yaml.SafeDumper.increase_indent(self, flow, indentless)


def block_text(value: Any) -> str:
    """A value as YAML in block style, with a newline at the end; keys stay in their order."""
    return yaml.dump(value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=_WIDTH, default_flow_style=False)


def block_lines(value: Any, *, dashes_below_keys: bool) -> list[str]:
    """The lines of a collection that is not empty, in block style; no line is a part of a text."""
    dumper = _KubectlDumper if dashes_below_keys else _LineDumper
    text = yaml.dump(value, Dumper=dumper, sort_keys=False, allow_unicode=True, width=_WIDTH, default_flow_style=False)
    return text.removesuffix("\n").split("\n")


def inline_text(value: Any, quote: str = "") -> str:
    """A value as YAML on one line, which can stand in a block and between brackets.

    ``quote`` is the mark to put around text, if it is possible.
    """
    wanted = quote if isinstance(value, str) and "\n" not in value and quote in ("'", '"') else None
    text = yaml.dump(
        [value],
        Dumper=_LineDumper,
        sort_keys=False,
        allow_unicode=True,
        width=_WIDTH,
        default_flow_style=True,
        default_style=wanted,
    )
    return text.strip().removeprefix("[").removesuffix("]")


def json_text(value: Any, indent: int | None) -> str:
    """A value as JSON; ``indent`` is the number of spaces of a level, None for one line."""
    return json.dumps(value, indent=indent, ensure_ascii=False)
