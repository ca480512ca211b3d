"""Prints answers for people."""

from rich.console import Console
from rich.text import Text

from ovsnp.cli.fitting import columns, indent, parts


class Terminal(Console):
    """Standard output, in colour if it is a terminal."""

    def write(self, line: Text) -> None:
        """Write a line; breaks it if it is too long for a terminal, and indents the later parts.

        A line with ``no_wrap`` stays one line, as a reader may copy it.
        """
        room = None if line.no_wrap else columns(self.file)
        for number, part in enumerate(parts(line.plain, room)):
            before = Text(" " * indent(line.plain) if number else "")
            self.print(before.append_text(line[part]), soft_wrap=True)

    def on_broken_pipe(self) -> None:
        """The reader has closed the output: rich would exit with 1, which is an answer here."""
        raise BrokenPipeError
