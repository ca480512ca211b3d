"""Lines for people without colour: answers on standard output; notes, mistakes and progress on standard error."""

import sys
from collections.abc import Iterator
from typing import IO

import click

from ovsnp.cli.fitting import columns, indent, parts
from ovsnp.visible_text import visible_lines


def say(text: str) -> None:
    """Write an answer to standard output; breaks lines that are too long for the terminal, with an indent."""
    click.echo("\n".join(_fitted(text, sys.stdout)))


def tell(text: str) -> None:
    """Like `say`, to standard error."""
    click.echo("\n".join(_fitted(text, sys.stderr)), err=True)


def _fitted(text: str, file: IO[str] | None) -> Iterator[str]:
    room = columns(file)
    for line in visible_lines(text).split("\n"):
        for number, part in enumerate(parts(line, room)):
            yield f"{' ' * indent(line) if number else ''}{line[part]}"
