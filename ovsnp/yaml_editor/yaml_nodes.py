"""The nodes of YAML text, from the events of libyaml."""

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import yaml
from yaml.events import (
    AliasEvent,
    CollectionStartEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    NodeEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
)

from ovsnp.yaml_editor.nodes import Style, TextEntry, TextNode
from ovsnp.yaml_reader.yaml_text import plain_value

_SPACE = re.compile(r"[ \t\r\n]*")
_COMMENT = re.compile(r"#[^\r\n]*")
_PROPERTY = re.compile(r"(?:&[^\s,\[\]{}]+|![^\s,\[\]{}]*)")


class UnusualTextError(Exception):
    """Text in a notation that the editor does not understand."""


class YamlDocument(NamedTuple):
    """A document: its root, and the offset of the ``---`` before it, None without one."""

    root: TextNode
    marker: int | None


def yaml_nodes(text: str) -> list[YamlDocument]:
    """All documents of valid YAML, in order; raises UnusualTextError at directives and keys after a question mark."""
    return [*_Tree(text).documents()]


def skip_blank(text: str, at: int) -> int:
    """The offset of the next character that is neither space nor comment."""
    while True:
        at = _end(_SPACE, text, at)
        if text[at : at + 1] != "#":
            return at
        at = _end(_COMMENT, text, at)


class _Tree:
    def __init__(self, text: str) -> None:
        self._text = text
        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)(text)
        self._next: Any = loader.get_event

    def documents(self) -> Iterator[YamlDocument]:
        while not isinstance(event := self._next(), StreamEndEvent):
            if isinstance(event, DocumentStartEvent):
                if event.version or event.tags:
                    raise UnusualTextError("a directive")
                yield YamlDocument(self._node(self._next()), _offset(event.start_mark) if event.explicit else None)

    def _node(self, event: NodeEvent) -> TextNode:
        start, end = _offset(event.start_mark), _offset(event.end_mark)
        match event:
            case AliasEvent():
                return TextNode(Style.ALIAS, start, start, end)
            case ScalarEvent():
                quote = event.style or ""
                return TextNode(Style.SCALAR, start, self._body(event), end, quote)
            case MappingStartEvent():
                return self._mapping(event)
            case SequenceStartEvent():
                return self._sequence(event)
        raise UnusualTextError(f"an event that is no value: {event}")

    def _body(self, event: Any) -> int:
        """The offset of a value after its anchor and tag."""
        at = _offset(event.start_mark)
        if event.anchor is None and event.tag is None:
            return at
        while match := _PROPERTY.match(self._text, at):
            at = skip_blank(self._text, match.end())
        return at

    def _mapping(self, event: CollectionStartEvent) -> TextNode:
        entries: list[TextEntry] = []
        while not isinstance(inner := self._next(), MappingEndEvent):
            key = self._node(inner)
            at = skip_blank(self._text, key.end)
            value = self._node(self._next())
            if self._text[at : at + 1] == ":":
                at += 1
            elif not event.flow_style:
                raise UnusualTextError("a key without a colon")
            entries.append(TextEntry(_key(inner), key.start, at, value))
        style = Style.FLOW_MAPPING if event.flow_style else Style.BLOCK_MAPPING
        return self._collection(style, event, inner, entries)

    def _sequence(self, event: CollectionStartEvent) -> TextNode:
        entries: list[TextEntry] = []
        at = self._body(event)
        while not isinstance(inner := self._next(), SequenceEndEvent):
            value = self._node(inner)
            if event.flow_style:
                entries.append(TextEntry(None, value.start, value.start, value))
            else:
                dash = skip_blank(self._text, at)
                if self._text[dash : dash + 1] != "-":
                    raise UnusualTextError("an item without a dash")
                entries.append(TextEntry(None, dash, dash + 1, value))
                at = max(value.end, dash + 1)
        style = Style.FLOW_SEQUENCE if event.flow_style else Style.BLOCK_SEQUENCE
        return self._collection(style, event, inner, entries)

    def _collection(self, style: Style, event: Event, last: Event, entries: list[TextEntry]) -> TextNode:
        # The end of a block collection as libyaml has it is the next token, after comments.
        end = _offset(last.end_mark) if style.is_flow else max(entries[-1].value.end, entries[-1].after)
        return TextNode(style, _offset(event.start_mark), self._body(event), end, "", entries)


def _key(event: Event) -> Any:
    """The value of a key; None for ``<<`` and for a key that is no scalar."""
    if not isinstance(event, ScalarEvent) or (event.value == "<<" and event.implicit[0]):
        return None
    return plain_value(event.value) if event.tag is None and event.implicit[0] else event.value


def _offset(mark: Any) -> int:
    """The offset of a mark, which libyaml sets for every event."""
    return int(mark.index)


def _end(pattern: re.Pattern[str], text: str, at: int) -> int:
    match = pattern.match(text, at)
    return match.end() if match else at
