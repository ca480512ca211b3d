"""The lines of a text, by offsets."""

import re

_DASH_BELOW_KEY = re.compile(r"^( *)[^\s#-][^\n]*:[ \t]*\r?\n\1-[ \r\n]", re.MULTILINE)


class LineMap:
    """A text, and where its lines begin and end. ``newline`` is the end of line that the text uses first.

    ``has_dashes_below_keys`` is true if a list begins in the column of its key, as kubectl writes it.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        first = text.find("\n")
        self.newline = "\r\n" if first > 0 and text[first - 1] == "\r" else "\n"
        self.has_dashes_below_keys = _DASH_BELOW_KEY.search(text) is not None

    def start(self, at: int) -> int:
        """The offset of the first character of a line."""
        return self.text.rfind("\n", 0, at) + 1

    def end(self, at: int) -> int:
        """The offset of the end of line, or of the end of the text."""
        found = self.text.find("\n", at)
        if found < 0:
            return len(self.text)
        return found - 1 if found > at and self.text[found - 1] == "\r" else found

    def following(self, at: int) -> int:
        """The offset of the next line, or of the end of the text."""
        found = self.text.find("\n", at)
        return len(self.text) if found < 0 else found + 1

    def column(self, at: int) -> int:
        """The number of characters before an offset on its line."""
        return at - self.start(at)

    def begins(self, at: int) -> bool:
        """True if only spaces stand before an offset on its line."""
        return not self.text[self.start(at) : at].strip(" ")

    def indented(self, lines: list[str], column: int) -> list[str]:
        """LineMap with spaces before them; the first line has none, as it begins at the column."""
        return [lines[0], *(" " * column + line if line else "" for line in lines[1:])]
