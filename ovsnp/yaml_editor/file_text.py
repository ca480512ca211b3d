"""A file of YAML or JSON, whose objects can be replaced, added and removed."""

from collections.abc import Sequence
from functools import cached_property
from typing import Any

from ovsnp.yaml_editor.editing import Editor, root_slot
from ovsnp.yaml_editor.equality import same
from ovsnp.yaml_editor.json_nodes import json_node
from ovsnp.yaml_editor.lines import LineMap
from ovsnp.yaml_editor.nodes import Style, TextNode
from ovsnp.yaml_editor.own_text import OwnLines, document_lines, item_lines, put_back, taken_out
from ovsnp.yaml_editor.removing import Cut, applied, cut_of
from ovsnp.yaml_editor.sections import is_empty, section_cut
from ovsnp.yaml_editor.writing import block_text, json_text
from ovsnp.yaml_editor.yaml_nodes import UnusualTextError, YamlDocument, yaml_nodes
from ovsnp.yaml_reader.encoding import in_utf8
from ovsnp.yaml_reader.json_text import BOM, Slice, item_slices, outline_json
from ovsnp.yaml_reader.notation import read_documents
from ovsnp.yaml_reader.outline import Outline
from ovsnp.yaml_reader.paths import Fault, Path

_BY_HAND = "edit the file by hand"
_ELSEWHERE = (
    "the change would reach other places of the file too, as they use an anchor of this one, or ovsnp cannot make it in"
    f" this notation; {_BY_HAND}"
)


_NO_OWN_TEXT = "the object has no lines of its own in the file, so it can only be written as ovsnp writes it"


class EditRefusedError(Exception):
    """An edit that cannot be made without a change elsewhere in the file; the message says why and what to do."""


class FileText:
    """The text of a file and the values of its documents.

    Every edit returns the new bytes of the file; it is read again and compared before, so that exactly the wanted
    object differs. Edits raise EditRefusedError.
    """

    def __init__(self, file: str, data: bytes) -> None:
        """Read a file; raises EditRefusedError for text that is no YAML or JSON in UTF-8."""
        self._file = file
        self._data = data
        if in_utf8(data) is not data:
            raise EditRefusedError("the file is UTF-16 or UTF-32; save it in UTF-8 first")
        self._outlines, self._json_slices = _read(file, data)
        self._mark = BOM if data.startswith(BOM) else b""
        text = data.removeprefix(BOM).decode()
        self._newline = LineMap(text).newline
        self._lacks_newline = bool(text) and not text.endswith("\n")
        # Edits of lines need no exception for the last line; the result ends as the file did.
        self._text = text + self._newline if self._lacks_newline else text

    def value(self, document: int, items: Sequence[int] = ()) -> Any:
        """The object at a place: the index of its document, and the indexes into Lists.

        Raises EditRefusedError if the place is empty.
        """
        try:
            if min(document, *items, 0) < 0:
                raise IndexError
            value = self._outlines[document].value
            for index in items:
                value = value["items"][index]
        except (LookupError, TypeError):
            raise EditRefusedError("the object is no longer there; load the file again") from None
        return value

    def source(self, document: int, items: Sequence[int] = ()) -> str:
        """The part of the file that is about an object, as it stands: a change of it may be one of the object.

        It is the whole file if the part cannot be told.
        """
        if self._is_json:
            part = self._json_slices[document]
            for index in items:
                part = item_slices(self._data, part)[index]
            return self._data[slice(*part)].decode()
        try:
            lines = self._own_lines(document, items) or self._node(document, _way(items))
        except EditRefusedError:
            return self._text
        return self._text[lines.start : lines.end]

    def own_text(self, document: int, items: Sequence[int] = ()) -> str | None:
        """The lines of an object with their comments, as a text by itself with LF at the ends of its lines.

        None if the lines do not say the object by themselves: in JSON, between brackets, and with aliases of the rest
        of the file.
        """
        try:
            own = self._own_lines(document, items)
            text = taken_out(self._text, own) if own else None
            alone = [each.value for each in _read("", text.encode())[0] if each.value is not None] if text else []
        except EditRefusedError:
            return None
        return text if len(alone) == 1 and same(alone[0], self.value(document, items)) else None

    def with_text(self, document: int, items: Sequence[int], written: str, new: Any) -> bytes:
        """The file with another text in the place of an object's own text; ``new`` is the object that it says."""
        own = self._own_lines(document, items)
        if own is None:
            raise EditRefusedError(_NO_OWN_TEXT)
        text = put_back(LineMap(self._text), own, written)
        return self._checked(self._ended(text), _with(self.values, document, items, [new]))

    def replaced(self, document: int, items: Sequence[int], new: Any) -> bytes:
        """The file with another object at a place; new fields stand in the order of ``new``."""
        old = self.value(document, items)
        self._refuse_faults(document, items)
        node = self._node(document, _way(items))
        editor = Editor(self._text, is_json=self._is_json)
        editor.change(node, old, new, root_slot(node, is_json=self._is_json))
        return self._checked(self._ended(editor.result()), _with(self.values, document, items, [new]))

    def removed(self, document: int, items: Sequence[int] = ()) -> bytes | None:
        """The file without an object; None if neither a value nor a comment is left.

        A document goes with its ``---`` and its comments; comments before the first ``---`` stay, and without one
        those that a blank line separates from the document.
        """
        self.value(document, items)
        wanted = _with(self.values, document, items, [])
        if items:
            return self._checked(self._ended(self._without_item(document, items)), wanted)
        cut = self._section(document)
        text = applied(self._text, [cut])
        if is_empty(text):
            return None
        return self._checked(self._ended(text) if cut.end < len(self._text) else text, wanted)

    def appended(self, new: Any) -> bytes:
        """The file with one more object at its end: a document, or an item of the List in a file of JSON."""
        return self._appended_json(new) if self._file.endswith(".json") else self.with_document(block_text(new), new)

    def with_document(self, written: str, new: Any) -> bytes:
        """The file with one more document of YAML; ``written`` is its text, ``new`` the object that it says."""
        before = self._text
        if not is_empty(before) and self._outlines:
            before += f"---{self._newline}"
        return self._checked(
            put_back(LineMap(before), OwnLines(len(before), len(before)), written), [*self.values, new]
        )

    def _appended_json(self, new: Any) -> bytes:
        if not self._outlines:
            return self._checked(json_text(new, 2) + "\n", [new])
        listed = self.value(0)
        if len(self._outlines) > 1 or not isinstance(listed, dict) or not isinstance(listed.get("items"), list):
            raise EditRefusedError("a file of JSON holds one object; choose a .yaml file, or a new one")
        return self.replaced(0, (), {**listed, "items": [*listed["items"], new]})

    @property
    def _is_json(self) -> bool:
        return bool(self._json_slices)

    @property
    def values(self) -> list[Any]:
        """The values of all documents; None for an empty one."""
        return [each.value for each in self._outlines]

    def _section(self, document: int) -> Cut:
        if not self._is_json:
            try:
                return section_cut(LineMap(self._text), self._documents, document)
            except UnusualTextError as unusual:
                raise EditRefusedError(f"the file has {unusual}; {_BY_HAND}") from None
        bounds = [self._characters(start) for start, _ in self._json_slices]
        return Cut(bounds[document], [*bounds, len(self._text)][document + 1])

    def _without_item(self, document: int, items: Sequence[int]) -> str:
        *outer, index = items
        listed, node = self.value(document, outer), self._node(document, _way(outer))
        if len(listed["items"]) > 1:
            # Of equal items, a difference between lists may name another one.
            return applied(self._text, [cut_of(LineMap(self._text), node.at(("items",)), range(index, index + 1))])
        editor = Editor(self._text, is_json=self._is_json)
        editor.change(node, listed, {**listed, "items": []}, root_slot(node, is_json=self._is_json))
        return editor.result()

    def _own_lines(self, document: int, items: Sequence[int]) -> OwnLines | None:
        """The lines of an object; None for an object without lines of its own."""
        if self._is_json:
            return None
        lines = LineMap(self._text)
        if not items:
            return document_lines(lines, self._documents, document)
        listed = self._node(document, _way(items)[:-1])
        return item_lines(lines, listed.entries[items[-1]]) if listed.style is Style.BLOCK_SEQUENCE else None

    def _node(self, document: int, way: Path) -> TextNode:
        if self._is_json:
            root = json_node(self._text, self._characters(self._json_slices[document][0]))
        else:
            root = self._documents[document].root
        try:
            return root.at(way)
        except LookupError:
            raise EditRefusedError(f"an alias stands for the object; {_BY_HAND}") from None

    @cached_property
    def _documents(self) -> list[YamlDocument]:
        try:
            return yaml_nodes(self._text)
        except UnusualTextError as unusual:
            raise EditRefusedError(f"the file has {unusual}; {_BY_HAND}") from None

    def _characters(self, offset: int) -> int:
        """The offset in the text of an offset in the file."""
        return len(self._data[len(self._mark) : offset].decode())

    def _ended(self, text: str) -> str:
        """A text without its last end of line, if the file lacks one."""
        return text.removesuffix(self._newline) if self._lacks_newline else text

    def _refuse_faults(self, document: int, items: Sequence[int]) -> None:
        way = _way(items)
        for fault in self._outlines[document].faults:
            if fault.path[: len(way)] == way:
                raise EditRefusedError(f"{fault.message}; {_BY_HAND}")

    def _checked(self, text: str, wanted: list[Any]) -> bytes:
        """The text as a file; raises EditRefusedError unless it has the wanted values and no new mistake."""
        try:
            data = self._mark + text.encode()
        except UnicodeError:
            raise EditRefusedError("a value holds characters that UTF-8 does not have; remove them") from None
        found, _ = _read(self._file, data)
        values = [each.value for each in found if each.value is not None]
        if not same(values, [value for value in wanted if value is not None]):
            raise EditRefusedError(_ELSEWHERE)
        if len(_faults(found)) > len(_faults(self._outlines)):
            raise EditRefusedError(_ELSEWHERE)
        return data


def _read(file: str, data: bytes) -> tuple[list[Outline], list[Slice]]:
    """The documents, and the offsets of each in a file of JSON."""
    documents = read_documents(file, data)
    if mistake := documents.mistake:
        raise EditRefusedError(f"line {mistake.line}: {mistake.message}")
    if documents.json:
        return [outline_json(each.text) for each in documents.json], [each.where for each in documents.json]
    return documents.yaml, []


def _way(items: Sequence[int]) -> Path:
    return tuple(step for index in items for step in ("items", index))


def _with(values: list[Any], index: int, items: Sequence[int], put: list[Any]) -> list[Any]:
    """Values with others in the place of one; ``items`` lead to it through Lists."""
    old = values[index]
    if items:
        inside = _with(old["items"], items[0], items[1:], put)
        return [*values[:index], {**old, "items": inside}, *values[index + 1 :]]
    return [*values[:index], *put, *values[index + 1 :]]


def _faults(outlines: list[Outline]) -> list[Fault]:
    return [fault for each in outlines for fault in each.faults]
