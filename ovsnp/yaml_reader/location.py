"""Finds the line of a field by reading the file again."""

from itertools import accumulate

import msgspec

from ovsnp.errors import Place, Span
from ovsnp.yaml_reader.json_text import Slice, item_slices, outline_json
from ovsnp.yaml_reader.notation import read_documents
from ovsnp.yaml_reader.object_text import ObjectText, json_text, yaml_text
from ovsnp.yaml_reader.outline import NotationError, Outline
from ovsnp.yaml_reader.paths import Path, parse_path
from ovsnp.yaml_reader.sources import read_again

_BLOCK = 1 << 16
"""The bytes of a block: newlines are counted once for each block, so that no line is counted from the beginning."""


def locate(place: Place, path: str) -> Span:
    """The line of the field at ``path`` (``spec.ingress[0].from``) of the object at ``place``.

    An absent field has the line of the nearest field around it. The line is 0 if the file no longer exists or no longer
    holds the object. Each call reads the file.
    """
    return Locator().span(place, parse_path(path))


class Locator:
    """Finds the lines of many fields; reads each file once."""

    def __init__(self) -> None:
        self._files: dict[str, LocatedFile | None] = {}

    def span(self, place: Place, path: Path) -> Span:
        """The line of a field of an object, as `locate` finds it."""
        file = self._file(place.file)
        try:
            return Span(place.file, file.line(place, path) if file else 0)
        except (NotationError, msgspec.MsgspecError, LookupError):
            return Span(place.file)

    def text(self, place: Place) -> ObjectText | None:
        """The text of an object as it stands in its file; None if the file no longer has the object."""
        file = self._file(place.file)
        try:
            return file.text(place) if file else None
        except (NotationError, msgspec.MsgspecError, LookupError):
            return None

    def _file(self, name: str) -> "LocatedFile | None":
        if name not in self._files:
            self._files[name] = self._open(name)
        return self._files[name]

    def _open(self, file: str) -> "LocatedFile | None":
        """The file; None if it no longer exists."""
        try:
            return LocatedFile(file, read_again(file))
        except (OSError, ValueError):
            return None


class LocatedFile:
    """One file, with its documents, the counts of its newlines, and the last objects found."""

    def __init__(self, file: str, data: bytes) -> None:
        self._data = data
        self._documents = read_documents(file, data, lines=True)
        self._newlines = [0, *accumulate(data.count(b"\n", at, at + _BLOCK) for at in range(0, len(data), _BLOCK))]
        self._items: dict[Place, list[Slice]] = {}
        self._outlined: tuple[Place, Outline, int] | None = None

    def text(self, place: Place) -> ObjectText:
        """The lines of an object; raises the errors of `line`."""
        if self._documents.yaml:
            return yaml_text(self._data, self._documents.yaml[place.document], place.items)
        return json_text(self._data, self._slice(place))

    def line(self, place: Place, path: Path) -> int:
        """The line of a field; raises LookupError, NotationError or msgspec's errors if the object no longer exists."""
        if self._documents.yaml:
            way = tuple(step for index in place.items for step in ("items", index))
            return self._documents.yaml[place.document].line((*way, *path))
        if not path:
            return self._line_of(self._slice(place)[0])
        found = self._outlined  # read once: another thread may ask about another object meanwhile
        if found is None or found[0] != place:
            start, end = self._slice(place)
            outline = outline_json(msgspec.Raw(self._data[start:end]))
            found = self._outlined = (place, outline, self._line_of(start))
        _, outline, first = found
        return first + outline.line(path) - 1

    def _slice(self, place: Place) -> Slice:
        """The offsets of a JSON object in the file."""
        if not place.items:
            return self._documents.json[place.document].where
        outside = place._replace(items=place.items[:-1])
        if outside not in self._items:
            self._items[outside] = item_slices(self._data, self._slice(outside))
        return self._items[outside][place.items[-1]]

    def _line_of(self, offset: int) -> int:
        block = offset // _BLOCK
        return self._newlines[block] + self._data.count(b"\n", block * _BLOCK, offset) + 1
