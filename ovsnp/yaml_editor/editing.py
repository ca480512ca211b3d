"""Edits of a text that turn one value into another; everything outside of what changes stays."""

import re
from typing import Any, NamedTuple

from ovsnp.yaml_editor.changes import AddedEntries, difference
from ovsnp.yaml_editor.equality import same
from ovsnp.yaml_editor.lines import LineMap
from ovsnp.yaml_editor.nodes import Style, TextNode
from ovsnp.yaml_editor.removing import Cut, applied, cut_of
from ovsnp.yaml_editor.writing import block_lines, inline_text, json_text

_COMMENT = re.compile(r"(?<![ \t])[ \t]+#.*")
"""A comment with all spaces before it; only the first of many spaces is tried, as each trial reads them all."""

_STEP = 2
"""The columns of a level of new lines."""


class ValueSlot(NamedTuple):
    """The place of a value: the offset after the colon or dash before it, and the column of the key or dash.

    ``column`` is negative for the root of a document. ``is_item`` is true after a dash, ``is_flow`` between brackets.
    """

    after: int
    column: int
    is_item: bool = False
    is_flow: bool = False


class Editor:
    """Collects the edits of one text; ``is_json`` writes new values as JSON."""

    def __init__(self, text: str, *, is_json: bool) -> None:
        self._text = text
        self._lines = LineMap(text)
        self._is_json = is_json
        self._edits: list[Cut] = []

    def result(self) -> str:
        """The text after all edits."""
        return applied(self._text, self._edits)

    def change(self, node: TextNode, old: Any, new: Any, slot: ValueSlot) -> None:
        """Turn the value at a node, which is ``old``, into ``new``."""
        if same(old, new):
            return
        found = difference(node, old, new)
        if found is None:
            self._replace(node, new, slot)
            return
        for kept in found.kept:
            entry = node.entries[kept.entry]
            inside = ValueSlot(
                entry.after,
                self._lines.column(entry.start),
                node.style.is_sequence,
                self._is_json or node.style.is_flow,
            )
            self.change(entry.value, kept.old, kept.new, inside)
        self._edits += [cut_of(self._lines, node, run) for run in _runs(found.removed)]
        gone = {*found.removed}
        for added in found.added:
            self._add(node, added, gone)

    def _replace(self, node: TextNode, new: Any, slot: ValueSlot) -> None:
        if slot.is_flow:
            self._edits.append(Cut(node.start, node.end, self._inline(new, node.quote, slot.column)))
        elif isinstance(new, dict | list) and new:
            self._replace_by_block(node, new, slot)
        else:
            self._replace_by_line(node, inline_text(new, node.quote), slot)

    def _replace_by_line(self, node: TextNode, text: str, slot: ValueSlot) -> None:
        start = node.start
        between = self._text[slot.after : start]
        if slot.column >= 0 and not between.strip():
            start, text = slot.after, f" {text}"
        elif self._lines.begins(start):
            # A scalar stands farther to the right than its key.
            text = " " * max(0, slot.column + _STEP - self._lines.column(start)) + text
        self._edits.append(Cut(start, self._content_end(node), text + self._header_comment(node)))

    def _replace_by_block(self, node: TextNode, new: Any, slot: ValueSlot) -> None:
        start, lines = node.start, self._block(new)
        column = self._lines.column(start)
        if slot.is_item or slot.column < 0:
            column = max(column, slot.column + _STEP) if slot.column >= 0 else column
            if start == slot.after and slot.is_item:  # a dash without a value
                lines[0] = f" {lines[0]}"
        elif self._lines.begins(start) and (column > slot.column or isinstance(new, list)):
            pass
        elif self._text[slot.after : start].strip():
            # A comment or an anchor stands between: the block begins on the line of the old value.
            extra = max(0, slot.column + _STEP - column)
            column += extra
            lines[0] = " " * extra + lines[0]
        else:
            below = isinstance(new, list) and self._lines.has_dashes_below_keys
            start, column = slot.after, slot.column + (0 if below else _STEP)
            lines[0] = self._header_comment(node) + self._lines.newline + " " * column + lines[0]
        text = self._lines.newline.join(self._lines.indented(lines, column))
        self._edits.append(Cut(start, self._content_end(node), text))

    def _content_end(self, node: TextNode) -> int:
        """The end of a value without the end of line that belongs to a block scalar."""
        return max(node.body, node.start + len(self._text[node.start : node.end].rstrip()))

    def _header_comment(self, node: TextNode) -> str:
        """The comment on the first line of a block scalar, which the scalar's end leaves out."""
        if node.quote not in ("|", ">"):
            return ""
        match = _COMMENT.search(self._text, node.body, self._lines.end(node.body))
        return match[0] if match else ""

    def _add(self, node: TextNode, added: AddedEntries, gone: set[int]) -> None:
        """Write new entries after the nearest entry before them that stays, or before the first that stays."""
        stay = [index for index in range(len(node.entries)) if index not in gone]
        before = next((index for index in reversed(stay) if index <= added.after), None)
        if self._is_json or node.style.is_flow:
            self._add_between_brackets(node, added.content, before, stay[0])
        else:
            self._add_lines(node, added.content, before, stay[0])

    def _add_lines(self, node: TextNode, content: Any, before: int | None, first: int) -> None:
        lines, newline = self._lines, self._lines.newline
        column = lines.column(node.entries[0].start)
        written = lines.indented(self._like_neighbour(node, content, before), column)
        if before is None:
            start = node.entries[first].start
            self._edits.append(Cut(start, start, newline.join([*written, " " * column])))
            return
        entry = node.entries[before]
        end = max(entry.value.end, entry.after)
        written[0] = " " * column + written[0]
        end = lines.following(end) if self._text[end - 1] != "\n" else end
        self._edits.append(Cut(end, end, newline.join([*written, ""])))

    def _like_neighbour(self, node: TextNode, content: Any, before: int | None) -> list[str]:
        """New entries on lines; items beside an item in brackets have brackets too."""
        if isinstance(content, list) and node.entries[before or 0].value.style.is_flow:
            return [f"- {inline_text(item)}" for item in content]
        return self._block(content)

    def _block(self, value: Any) -> list[str]:
        return block_lines(value, dashes_below_keys=self._lines.has_dashes_below_keys)

    def _add_between_brackets(self, node: TextNode, content: Any, before: int | None, first: int) -> None:
        entry = node.entries[first if before is None else before]
        column = self._lines.column(entry.start)
        comma = f",{self._lines.newline}{' ' * column}" if self._lines.begins(entry.start) else ", "
        if isinstance(content, dict):
            written = [
                f"{self._inline(key, '', 0)}: {self._inline(value, '', column)}" for key, value in content.items()
            ]
        else:
            written = [self._inline(item, "", column) for item in content]
        if before is None:
            self._edits.append(Cut(entry.start, entry.start, "".join(each + comma for each in written)))
        else:
            end = max(entry.value.end, entry.after)
            self._edits.append(Cut(end, end, "".join(comma + each for each in written)))

    def _inline(self, value: Any, quote: str, column: int) -> str:
        if not self._is_json:
            return inline_text(value, quote)
        if "\n" not in self._text.strip():
            return json_text(value, None)
        lines = json_text(value, _STEP).split("\n")
        return self._lines.newline.join(self._lines.indented(lines, column))


def _runs(indexes: list[int]) -> list[range]:
    """Indexes as runs of neighbours."""
    runs: list[range] = []
    for index in sorted(indexes):
        if runs and runs[-1].stop == index:
            runs[-1] = range(runs[-1].start, index + 1)
        else:
            runs.append(range(index, index + 1))
    return runs


def root_slot(node: TextNode, *, is_json: bool) -> ValueSlot:
    """The place of the root of a document."""
    return ValueSlot(node.start, -1, is_flow=is_json or node.style in (Style.FLOW_MAPPING, Style.FLOW_SEQUENCE))
