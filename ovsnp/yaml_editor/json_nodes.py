"""The nodes of JSON text."""

import json
import re

from ovsnp.yaml_editor.nodes import Style, TextEntry, TextNode

_SPACE = re.compile(r"[ \t\r\n]*")
_scalar = json.JSONDecoder().raw_decode


def json_node(text: str, at: int) -> TextNode:
    """The value that begins at an offset, in text that is valid JSON."""
    match text[at]:
        case "{":
            return _collection(text, at, Style.FLOW_MAPPING, "}")
        case "[":
            return _collection(text, at, Style.FLOW_SEQUENCE, "]")
        case _:
            _, end = _scalar(text, at)
            return TextNode(Style.SCALAR, at, at, end)


def _collection(text: str, start: int, style: Style, bracket: str) -> TextNode:
    entries: list[TextEntry] = []
    at = _after_space(text, start + 1)
    while text[at] != bracket:
        first, key = at, None
        if style is Style.FLOW_MAPPING:
            key, at = _scalar(text, at)
            at = _after_space(text, at) + 1
        after = at
        value = json_node(text, _after_space(text, at))
        entries.append(TextEntry(key, first, after, value))
        at = _after_space(text, value.end)
        if text[at] == ",":
            at = _after_space(text, at + 1)
    return TextNode(style, start, start, at + 1, "", entries)


def _after_space(text: str, at: int) -> int:
    match = _SPACE.match(text, at)
    return match.end() if match else at
