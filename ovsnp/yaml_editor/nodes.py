"""Values of a text with their offsets. Offsets count characters of the text, and an end is the offset after a value."""

from enum import StrEnum
from typing import Any

import msgspec


class Style(StrEnum):
    """How a value is written."""

    SCALAR = "scalar"
    ALIAS = "alias"
    BLOCK_MAPPING = "block mapping"
    BLOCK_SEQUENCE = "block sequence"
    FLOW_MAPPING = "flow mapping"
    FLOW_SEQUENCE = "flow sequence"

    @property
    def is_mapping(self) -> bool:
        """True for the two notations of a mapping."""
        return self in (Style.BLOCK_MAPPING, Style.FLOW_MAPPING)

    @property
    def is_sequence(self) -> bool:
        """True for the two notations of a sequence."""
        return self in (Style.BLOCK_SEQUENCE, Style.FLOW_SEQUENCE)

    @property
    def is_flow(self) -> bool:
        """True for a collection in brackets or braces."""
        return self in (Style.FLOW_MAPPING, Style.FLOW_SEQUENCE)


class TextNode(msgspec.Struct):
    """A value; ``start`` includes its anchor and tag, ``body`` does not.

    ``quote`` is the mark of a quoted or block scalar, else empty. The end of a block scalar is the beginning of a line.
    """

    style: Style
    start: int
    body: int
    end: int
    quote: str = ""
    entries: list["TextEntry"] = []

    def at(self, way: tuple[str | int, ...]) -> "TextNode":
        """The value at a path below this one; raises LookupError if there is none."""
        node = self
        for step in way:
            if isinstance(step, int) and node.style.is_sequence:
                node = node.entries[step].value
            else:
                found = [each.value for each in node.entries if each.key == step]
                if not found:
                    raise LookupError(step)
                node = found[0]
        return node


class TextEntry(msgspec.Struct):
    """An entry of a mapping, or an item of a sequence (``key`` is None then, and for the key ``<<``).

    ``start`` is the offset of the key, of the dash, or of an item between brackets. ``after`` is the offset after the
    colon or the dash.
    """

    key: Any
    start: int
    after: int
    value: TextNode
