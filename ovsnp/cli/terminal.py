"""What is printed for people."""

from rich.console import Console
from rich.text import Text

from ovsnp.cli.fitting import columns, indent, parts


class Terminal(Console):
    """Standard output, in colour where it is a terminal."""

    def write(self, line: Text) -> None:
        """Write a line; on a terminal that is narrower, as several, indented from the second on.

        A line with ``no_wrap`` stays one, since somebody may copy it.
        """
        room = None if line.no_wrap else columns(self.file)
        for number, part in enumerate(parts(line.plain, room)):
            before = Text(" " * indent(line.plain) if number else "")
            self.print(before.append_text(line[part]), soft_wrap=True)

    def on_broken_pipe(self) -> None:
        """Whoever read it has seen enough: rich would make 1 of that, which is an answer here."""
        raise BrokenPipeError
