"""What is printed for people."""

from collections.abc import Iterator

from rich.console import Console
from rich.text import Text

_INDENT = 4


class Terminal(Console):
    """Standard output, in colour where it is a terminal."""

    def fitted(self, line: Text) -> Iterator[Text]:
        """The line as lines that fit a terminal, indented from the second on; elsewhere, and if it fits, as it is.

        A terminal without room for the indent gets the line as it is, too.
        """
        room = self.width - _INDENT
        if not self.file.isatty() or line.cell_len <= self.width or room <= 0:
            yield line
            return
        for number, part in enumerate(line.wrap(self, room, overflow="fold")):
            part.rstrip()
            yield Text(" " * _INDENT).append_text(part) if number else part

    def on_broken_pipe(self) -> None:
        """Whoever read it has seen enough: rich would make 1 of that, which is an answer here."""
        raise BrokenPipeError
