"""Prints answers for people."""

from itertools import accumulate

from rich.console import Console
from rich.text import Span, Text

from ovsnp.cli.fitting import columns, indent, parts
from ovsnp.visible_text import visible


class Terminal(Console):
    """Standard output, in colour if it is a terminal."""

    def write(self, line: Text) -> None:
        """Write a line; breaks it if it is too long for a terminal, and indents the later parts.

        A line with ``no_wrap`` stays one line, as a reader may copy it.
        """
        line = _visible(line)
        room = None if line.no_wrap else columns(self.file)
        for number, part in enumerate(parts(line.plain, room)):
            before = Text(" " * indent(line.plain) if number else "")
            self.print(before.append_text(line[part]), soft_wrap=True)

    def on_broken_pipe(self) -> None:
        """The reader has closed the output: rich would exit with 1, which is an answer here."""
        raise BrokenPipeError


def _visible(line: Text) -> Text:
    """The line as `visible` shows it, each character in its style."""
    if line.plain.isprintable():
        return line
    shown = [visible(character) for character in line.plain]
    starts = [0, *accumulate(map(len, shown))]
    spans = [Span(starts[span.start], starts[span.end], span.style) for span in line.spans]
    return Text("".join(shown), line.style, no_wrap=line.no_wrap, spans=spans)
