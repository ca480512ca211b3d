"""YAML: reads a stream of documents as plain values, with duplicate keys and, on demand, the line of every field.

The documents are built from the events of libyaml, not by the constructors of PyYAML: these drop duplicate keys, turn
dates into objects, and end the process on deeply nested text. Plain scalars have their values of YAML 1.1 as PyYAML
reads it (``yes`` is a boolean, ``010`` is eight), except that dates and ``12:30`` stay text, as for kubectl.
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import yaml
from yaml.events import (
    AliasEvent,
    CollectionStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    StreamEndEvent,
)

from ovsnp.yaml_reader.outline import DOUBLED, MAX_DEPTH, TEMPLATE_KEY, TOO_DEEP, NotationError, Outline
from ovsnp.yaml_reader.paths import Fault, Path

_NULLS = frozenset({"", "~", "null", "Null", "NULL"})
_TRUE = frozenset({"true", "True", "TRUE", "yes", "Yes", "YES", "on", "On", "ON"})
_FALSE = frozenset({"false", "False", "FALSE", "no", "No", "NO", "off", "Off", "OFF"})
_INTEGER = re.compile(r"([-+]?)(?:0b([01_]+)|0x([0-9a-fA-F_]+)|0o?([0-7_]+)|(0|[1-9][0-9_]*))")
_BASES = (2, 16, 8, 10)
_FLOAT = re.compile(r"[-+]?(?:[0-9][0-9_]*\.[0-9_]*|\.[0-9][0-9_]*)(?:[eE][-+][0-9]+)?|[-+]?\.(?:inf|Inf|INF)")
_NAN = frozenset({".nan", ".NaN", ".NAN"})
_TAG = "tag:yaml.org,2002:"
_TEXT_TAGS = frozenset({"!", f"{_TAG}str", f"{_TAG}timestamp"})
_SCALAR_TAGS: dict[str, tuple[type, ...]] = {
    f"{_TAG}null": (type(None),),
    f"{_TAG}bool": (bool,),
    f"{_TAG}int": (int,),
    f"{_TAG}float": (float, int),
}
_COLLECTION_TAGS = frozenset({None, "!", f"{_TAG}map", f"{_TAG}seq"})
_MERGE = object()
_NO_KEY = "?"
"""The text in place of a key that cannot be a key."""

MAX_ALIASED = 1_000_000
"""The greatest number of values that all aliases of a document may stand for; more would exhaust the reader."""


def yaml_documents(data: bytes, *, lines: bool = False) -> Iterator[Outline]:
    """The documents of a YAML stream, in order; an empty one is None. Raises NotationError at text that is no YAML.

    ``lines`` asks for the line of every field, which costs memory.
    """
    builder = _Builder(data, lines)
    try:
        yield from builder.documents()
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 0
        problem = " ".join(str(error.problem or error.context).split())
        raise NotationError(f"not valid YAML: {problem}; check the indentation and quotes here", line) from None
    except yaml.YAMLError as error:
        problem = " ".join(str(getattr(error, "reason", error)).split())
        before = data[: getattr(error, "position", 0)]
        line = before.count(b"\n") + 1
        raise NotationError(f"not valid YAML: {problem}; remove the character", line) from None


@lru_cache(maxsize=10_000)
def plain_value(text: str) -> Any:
    """The value of a scalar without quotes."""
    if text in _NULLS:
        return None
    if text in _TRUE:
        return True
    if text in _FALSE:
        return False
    if text[0] not in "0123456789+-.":
        return text
    if match := _INTEGER.fullmatch(text):
        sign, *digits = match.groups()
        base, number = next((base, digit) for base, digit in zip(_BASES, digits, strict=True) if digit)
        return _whole_number(sign + number.replace("_", ""), base, text)
    if _FLOAT.fullmatch(text):
        return float(text.replace("_", "").replace(".inf", "inf").replace(".Inf", "inf").replace(".INF", "inf"))
    return float("nan") if text in _NAN else text


def _whole_number(digits: str, base: int, text: str) -> int | str:
    """The number; underscores alone, and more digits than Python reads, stay text."""
    try:
        return int(digits, base)
    except ValueError:
        return text


class _Builder:
    """Builds values from events, document by document."""

    def __init__(self, data: bytes, lines: bool) -> None:
        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)(data)
        self._next: Any = loader.get_event
        self._record = lines
        self._way: list[str | int] = []
        self._start_document()

    def documents(self) -> Iterator[Outline]:
        self._next()
        while not isinstance(self._next(), StreamEndEvent):
            self._start_document()
            value = self._value(self._next())
            self._next()
            yield Outline(value, self._lines, self._faults)

    def _start_document(self) -> None:
        self._lines: dict[Path, int] = {}
        self._faults: list[Fault] = []
        self._anchors: dict[str, tuple[Any, int]] = {}
        self._values = 0
        self._aliased = 0

    def _value(self, event: Any) -> Any:
        if self._record:
            self._lines.setdefault(tuple(self._way), _line_of(event))
        if isinstance(event, AliasEvent):
            return self._alias(event)
        before = self._values
        self._values += 1
        value = self._scalar(event) if isinstance(event, ScalarEvent) else self._collection(event)
        if event.anchor is not None:
            self._anchors[event.anchor] = (value, self._values - before)
        return value

    def _alias(self, event: AliasEvent) -> Any:
        if event.anchor not in self._anchors:
            self._fault(f"there is no anchor &{event.anchor} before this alias; write it out")
            return None
        value, size = self._anchors[event.anchor]
        self._values += size
        self._aliased += size
        if self._aliased > MAX_ALIASED:
            raise _broken(event, f"aliases stand for more than {MAX_ALIASED} values; write them out")
        return value

    def _scalar(self, event: ScalarEvent) -> Any:
        tag = event.tag
        if tag is None:
            return plain_value(event.value) if event.implicit[0] else event.value
        if tag in _TEXT_TAGS:
            return event.value
        value = plain_value(event.value)
        if tag not in _SCALAR_TAGS or not isinstance(value, _SCALAR_TAGS[tag]):
            self._fault(f"the tag {_short(tag)} says nothing here; write the value without it")
        return value

    def _collection(self, event: CollectionStartEvent) -> Any:
        if len(self._way) > MAX_DEPTH:
            raise _broken(event, TOO_DEEP)
        if event.tag not in _COLLECTION_TAGS:
            self._fault(f"the tag {_short(event.tag)} says nothing here; write the value without it")
        return self._mapping() if isinstance(event, MappingStartEvent) else self._list()

    def _list(self) -> list[Any]:
        result: list[Any] = []
        while not isinstance(event := self._next(), SequenceEndEvent):
            self._way.append(len(result))
            result.append(self._value(event))
            self._way.pop()
        return result

    def _mapping(self) -> dict[Any, Any]:
        result: dict[Any, Any] = {}
        merged: list[Any] = []
        while not isinstance(event := self._next(), MappingEndEvent):
            key = self._key(event)
            self._way.append("<<" if key is _MERGE else str(key))
            if self._record:
                self._lines[tuple(self._way)] = _line_of(event)
            if key in result or (key is _MERGE and merged):
                self._fault(DOUBLED)
            value = self._value(self._next())
            if key is _MERGE:
                merged += self._mappings(value)
            else:
                result[key] = value
            self._way.pop()
        for mapping in merged:
            result = mapping | result
        return result

    def _key(self, event: Event) -> Any:
        if isinstance(event, ScalarEvent) and event.value == "<<" and event.implicit[0]:
            return _MERGE
        # A collection as a key counts for the depth like a collection as a value.
        self._way.append(_NO_KEY)
        key = self._value(event)
        if isinstance(key, dict | list):
            key = self._way[-1] = TEMPLATE_KEY if isinstance(key, dict) else _NO_KEY
            self._fault("a key of a mapping must be text; write it as KEY: VALUE")
        self._way.pop()
        return key

    def _mappings(self, value: Any) -> list[dict[Any, Any]]:
        """The mappings that ``<<`` merges, in falling order of precedence."""
        mappings = value if isinstance(value, list) else [value]
        if not all(isinstance(mapping, dict) for mapping in mappings):
            self._fault("only mappings can be merged; write << with an alias of a mapping")
            return []
        return mappings

    def _fault(self, message: str) -> None:
        self._faults.append(Fault(tuple(self._way), message))


def _line_of(event: Event) -> int:
    return event.start_mark.line + 1 if event.start_mark else 0


def _short(tag: str | None) -> str:
    return (tag or "").replace(_TAG, "!!")


def _broken(event: Event, message: str) -> NotationError:
    return NotationError(message, _line_of(event))
