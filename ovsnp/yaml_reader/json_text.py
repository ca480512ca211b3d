"""JSON: cuts a stream into documents, and reads one object with the line of every field."""

import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import msgspec

from ovsnp.yaml_reader.outline import DOUBLED, MAX_DEPTH, TOO_DEEP, NotationError, Outline
from ovsnp.yaml_reader.paths import Fault, Path

BOM = b"\xef\xbb\xbf"
"""The byte order mark that some editors write before UTF-8."""

_SPACE = re.compile(rb"[ \t\r\n]*")
_SEPARATOR = re.compile(rb"[ \t\r\n,]*")
_TEXT_SPACE = re.compile(r"[ \t\r\n]*")
_AT_BYTE = re.compile(r"^(?:JSON is malformed: )?(.*) \(byte (\d+)\)$")
_TRAILING = "trailing characters"
_UNFINISHED = "not valid JSON: it stops in the middle of a value; check that the file is whole"

_decode_raw = msgspec.json.Decoder(msgspec.Raw).decode
_decode_fields = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_PUNCTUATION = 12
"""Bytes around a field in what kubectl prints: a newline, four spaces, quotes, a colon, a space and a comma."""
_decode_scalar = json.JSONDecoder().raw_decode


Slice = tuple[int, int]
"""The offsets of the first byte of a value and of the byte after it, in the file."""


class JsonDocument(NamedTuple):
    """The text of a document, and its offsets in the file."""

    text: msgspec.Raw
    where: Slice


class _List(msgspec.Struct, gc=False):
    items: msgspec.Raw


class _Items(msgspec.Struct, gc=False):
    items: list[msgspec.Raw]


def json_documents(data: bytes) -> Iterator[JsonDocument]:
    """The JSON documents in ``data``, in order; raises NotationError at text that is no JSON."""
    view = memoryview(data)
    start = _skip_space(view, len(BOM) if data.startswith(BOM) else 0)
    while start < len(view):
        end = _end_of_document(view, start)
        yield JsonDocument(msgspec.Raw(view[start:end]), (start, end))
        start = _skip_space(view, end)


def item_slices(data: bytes, where: Slice) -> list[Slice]:
    """The offsets of the items of a List; raises msgspec's errors if the value is no List."""
    items = [memoryview(item) for item in msgspec.json.decode(memoryview(data)[slice(*where)], type=_Items).items]
    start = data.find(items[0], *where) if items else -1
    while start >= 0:
        slices = _following(data, start, items)
        # The text before the items may contain the text of the first item too, but not that of all items.
        if data.find(items[-1], *slices[-1]) >= 0:
            return slices
        start = data.find(items[0], start + 1, where[1])
    return []


def _following(data: bytes, start: int, items: list[memoryview]) -> list[Slice]:
    """The offsets of these values if the first begins at ``start`` and the others follow it; searches for nothing."""
    slices: list[Slice] = []
    for item in items:
        end = start + len(item)
        slices.append((start, end))
        start = _skip_space(data, end, _SEPARATOR)
    return slices


def list_faults(body: msgspec.Raw) -> list[Fault]:
    """The mistakes of a List outside of its items; raises msgspec's errors if the value is no List.

    Of two fields with one name msgspec returns the last, so the bytes of the other are missing in the sum. A field that
    holds an object is longer than punctuation and the usual spaces.
    """
    fields = _decode_fields(body)
    missing = len(memoryview(body)) - sum(len(key) + len(memoryview(value)) for key, value in fields.items())
    if missing <= _PUNCTUATION * (len(fields) + 1):
        return []
    items = bytes(msgspec.json.decode(body, type=_List).items)
    return outline_json(msgspec.Raw(bytes(body).replace(items, b"[]", 1))).faults


def doubled_fields(body: msgspec.Raw) -> list[Fault]:
    """The mistakes of fields that an object has twice; leaves out fields further inside.

    Of two fields with one name msgspec returns the last, so without spaces the bytes of the other are missing.
    """
    try:
        text = bytes(msgspec.json.format(body, indent=-1))
        fields = _decode_fields(text)
        given = sum(len(msgspec.json.encode(key)) + len(memoryview(value)) for key, value in fields.items())
        if not fields or len(text) == len("{}") + given + len(":,") * len(fields) - len(","):
            return []
    except (msgspec.MsgspecError, RecursionError):
        pass
    return [fault for fault in outline_json(body).faults if len(fault.path) == 1]


def line_of(data: bytes | memoryview, offset: int) -> int:
    """The line of the byte at an offset, from 1."""
    return bytes(data[:offset]).count(b"\n") + 1


def outline_json(body: msgspec.Raw) -> Outline:
    """Read one value slowly, with its duplicate keys; a value that cannot be read is None with a fault."""
    try:
        return _Reader(bytes(body).decode()).outline()
    except NotationError as mistake:
        return Outline(None, {}, [Fault((), mistake.message)])


def _skip_space(data: bytes | memoryview, start: int, space: re.Pattern[bytes] = _SPACE) -> int:
    match = space.match(data, start)
    return match.end() if match else start


def _end_of_document(data: memoryview, start: int) -> int:
    """The offset after the document at ``start``: msgspec reports the byte after a value, so the rest is not read."""
    try:
        _decode_raw(data[start:])
    except RecursionError:
        raise NotationError(TOO_DEEP, line_of(data, start)) from None
    except msgspec.DecodeError as error:
        match = _AT_BYTE.match(str(error))
        if match is None:
            raise NotationError(_UNFINISHED, line_of(data, len(data)), unfinished=True) from None
        problem, offset = match[1], start + int(match[2])
        if problem == _TRAILING:
            return offset - 1  # the number includes the first byte after the value
        line = line_of(data, offset)
        raise NotationError(f"not valid JSON: {problem}; check the commas, brackets and quotes here", line) from None
    return len(data)


class _Reader:
    """Reads one JSON value in Python, for objects with mistakes: finds duplicate keys and lines."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._lines: dict[Path, int] = {}
        self._faults: list[Fault] = []
        self._line = 1
        self._counted = 0

    def outline(self) -> Outline:
        try:
            value, _ = self._value(self._after_space(0), ())
        except (ValueError, IndexError):
            raise NotationError("not valid JSON: a value cannot be read; write it as the API does", 0) from None
        return Outline(value, self._lines, self._faults)

    def _value(self, at: int, path: Path) -> tuple[Any, int]:
        self._lines.setdefault(path, self._line_at(at))
        if len(path) > MAX_DEPTH:
            raise NotationError(TOO_DEEP, self._line_at(at))
        match self._text[at]:
            case "{":
                return self._mapping(at + 1, path)
            case "[":
                return self._list(at + 1, path)
            case _:
                return _decode_scalar(self._text, at)

    def _mapping(self, at: int, path: Path) -> tuple[dict[str, Any], int]:
        result: dict[str, Any] = {}
        at = self._after_space(at)
        while self._text[at] != "}":
            key_line = self._line_at(at)
            key, at = _decode_scalar(self._text, at)
            inside = (*path, key)
            if key in result:
                self._faults.append(Fault(inside, DOUBLED))
            self._lines[inside] = key_line
            result[key], at = self._value(self._after_space(self._after_space(at) + 1), inside)
            at = self._after_comma(at)
        return result, at + 1

    def _list(self, at: int, path: Path) -> tuple[list[Any], int]:
        result: list[Any] = []
        at = self._after_space(at)
        while self._text[at] != "]":
            item, at = self._value(at, (*path, len(result)))
            result.append(item)
            at = self._after_comma(at)
        return result, at + 1

    def _after_comma(self, at: int) -> int:
        at = self._after_space(at)
        return self._after_space(at + 1) if self._text[at] == "," else at

    def _after_space(self, at: int) -> int:
        match = _TEXT_SPACE.match(self._text, at)
        return match.end() if match else at

    def _line_at(self, at: int) -> int:
        self._line += self._text.count("\n", self._counted, at)
        self._counted = max(self._counted, at)
        return self._line
