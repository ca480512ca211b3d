"""What is printed for people."""

from collections.abc import Iterator

from rich.console import Console
from rich.text import Text

_INDENT = 4


class Terminal(Console):
    """Standard output, in colour where it is a terminal."""

    def fitted(self, line: Text) -> Iterator[Text]:
        """The line as lines that fit a terminal, indented from the second on; elsewhere, and if it fits, as it is."""
        if not self.file.isatty() or line.cell_len <= self.width:
            yield line
            return
        first, *others = line.wrap(self, self.width - _INDENT, overflow="fold")
        yield first
        yield from (Text(" " * _INDENT).append_text(other) for other in others)

    def on_broken_pipe(self) -> None:
        """Whoever read it has seen enough: rich would make 1 of that, which is an answer here."""
        raise BrokenPipeError
