"""What is printed for people."""

from collections.abc import Iterator

from rich.console import Console
from rich.text import Text

_INDENT = 4


class Terminal(Console):
    """Standard output, in colour where it is a terminal."""

    def write(self, line: Text) -> None:
        """Write a line; on a terminal that is narrower, as several, indented from the second on.

        A line with ``no_wrap`` stays one, since somebody may copy it.
        """
        for part in self._fitted(line):
            self.print(part, soft_wrap=True)

    def _fitted(self, line: Text) -> Iterator[Text]:
        indent = len(line.plain) - len(line.plain.lstrip(" ")) + _INDENT
        room = self.width - indent
        if not self.file.isatty() or line.no_wrap or line.cell_len <= self.width or room <= 0:
            yield line
            return
        for number, part in enumerate(line.wrap(self, room, overflow="fold")):
            part.rstrip()
            yield Text(" " * indent).append_text(part) if number else part

    def on_broken_pipe(self) -> None:
        """Whoever read it has seen enough: rich would make 1 of that, which is an answer here."""
        raise BrokenPipeError
