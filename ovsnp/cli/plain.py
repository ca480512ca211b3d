"""Lines for people without colour: answers on standard output; notes, mistakes and progress on standard error."""

import sys
from collections.abc import Iterator
from typing import IO

import click

from ovsnp.cli.fitting import columns, indent, parts


def say(text: str) -> None:
    """Write lines of an answer; on a terminal that is narrower, each as several, indented from the second on."""
    click.echo("\n".join(_fitted(text, sys.stdout)))


def tell(text: str) -> None:
    """As `say`, on standard error."""
    click.echo("\n".join(_fitted(text, sys.stderr)), err=True)


def _fitted(text: str, file: IO[str] | None) -> Iterator[str]:
    room = columns(file)
    for line in text.split("\n"):
        for number, part in enumerate(parts(line, room)):
            yield f"{' ' * indent(line) if number else ''}{line[part]}"
