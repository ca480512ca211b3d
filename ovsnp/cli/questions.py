"""The common parts of the commands that take SRC, DST and PORT."""

import re
from collections.abc import Callable
from functools import wraps
from typing import Any

import click
from click.core import ParameterSource

from ovsnp.analysis.naming.ports import read_port
from ovsnp.errors import UsageError

_NEGATIVE = re.compile(r"-[0-9]+(/.*)?")


class QuestionCommand(click.Command):
    """A command that takes a PORT: a minus and a number are an invalid port, not an option."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Like the method of click; raises UsageError for a negative port."""
        given = [*args]
        try:
            return super().parse_args(ctx, args)
        except click.NoSuchOption:
            for word in filter(_NEGATIVE.fullmatch, given):
                read_port(word)
            raise


def family_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command --ipv4 and --ipv6 as ``version``: 4, 6, or None for each family that both ends have.

    On the command line, one of the two takes precedence over the other one in the configuration.
    """

    @wraps(command)
    def with_version(*, ipv4: bool, ipv6: bool, **given: Any) -> None:
        command(version=_version(ipv4=ipv4, ipv6=ipv6), **given)

    for version in (6, 4):
        words = f"Only over IPv{version}."
        words += "  [default: each family that both ends have]" if version == 4 else ""
        with_version = click.option(f"--ipv{version}", is_flag=True, help=words)(with_version)
    return with_version


def _version(*, ipv4: bool, ipv6: bool) -> int | None:
    wanted = [version for version, given in ((4, ipv4), (6, ipv6)) if given]
    if len(wanted) > 1:
        source = click.get_current_context().get_parameter_source
        wanted = [version for version in wanted if source(f"ipv{version}") is ParameterSource.COMMANDLINE]
    if len(wanted) == 1:
        return wanted[0]
    if ipv4 or ipv6:
        raise UsageError(
            "--ipv4 and --ipv6 exclude each other; without both, every family that both ends have is asked"
        )
    return None
