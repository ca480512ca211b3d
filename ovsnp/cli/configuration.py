"""The configuration: one file with the options of all commands.

An option at the top is for every command that has it. A section with a command's name holds options for this command
alone, and takes precedence over the top; ``lab: {up: {...}}`` is a section in a section. A command does not read the
sections of other commands.
"""

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

import click

from ovsnp.cli.settings_file import read_outline
from ovsnp.errors import ConfigurationError, Diagnostic, Span
from ovsnp.manifests.own_files import CONFIGURATION
from ovsnp.yaml_reader.outline import Outline
from ovsnp.yaml_reader.paths import Path as Way
from ovsnp.yaml_reader.paths import format_path

DEFAULT_CONFIG = Path(CONFIGURATION)
_NOT_IN_FILES = ("config", "help", "version")
_OTHER_NAMES = {"manifests": "filename"}
_NOT_BESIDE = ("db",)
"""Options of click's type for paths with values that may be no paths: ``unix:SOCKET``, ``NODE=SOCKET``."""

Settings = Mapping[str, tuple[object, Way]]
"""The value of each option in the file, and its path there, by the option's name."""


def _configure(ctx: click.Context, parameter: click.Parameter, value: Path | None) -> None:
    """Make the values in the configuration defaults, before the other options are read."""
    path = value or (DEFAULT_CONFIG if DEFAULT_CONFIG.exists() else None)
    if path is not None:
        ctx.default_map = read_configuration(path, ctx)


config_option = click.option(
    "--config",
    type=click.Path(path_type=Path),
    metavar="FILE",
    is_eager=True,
    expose_value=False,
    callback=_configure,
    help="Read options from a YAML file.  [default: ovsnp.yaml, if it exists]",
)
"""For every command that reads the configuration."""


def read_configuration(file: Path, ctx: click.Context) -> dict[str, Any]:
    """The values in a file for the command of this context, by the names of its parameters.

    Raises UsageError if the file is no mapping, ConfigurationError with all mistakes that concern this command.
    """
    return _Reader(file, read_outline(file), ctx).defaults()


class _Reader:
    """Reads the top of the file and the sections of one command, and collects their mistakes."""

    def __init__(self, file: Path, outline: Outline, ctx: click.Context) -> None:
        self._file = file
        self._outline = outline
        self._ctx = ctx
        self._options = _options(ctx.command)
        self._diagnostics: list[Diagnostic] = []

    def defaults(self) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name, (setting, way) in self._settings().items():
            option = self._options[name]
            if option.name is not None:
                found[option.name] = self._value(option, setting, way)
        if self._diagnostics:
            raise ConfigurationError(self._diagnostics)
        return found

    def _settings(self) -> Settings:
        """The values of this command's options; a value in a section replaces the value at the top."""
        found: dict[str, tuple[object, Way]] = {}
        section: Any = self._outline.value
        way: Way = ()
        contexts = _way_to(self._ctx)
        for context, inner in zip(contexts, [*contexts[1:], None], strict=True):
            inside = inner.info_name if inner else None
            deeper = None
            for key, setting in (section or {}).items():
                if key in _sections(context) and isinstance(setting, dict | None):
                    deeper = setting if key == inside else deeper
                elif (name := _name(key)) in self._options:
                    found[name] = setting, (*way, key)
                else:
                    self._check_foreign(context, inside, key, way)
            section = deeper
            way = (*way, str(inside))
        return found

    def _check_foreign(self, level: click.Context, inside: str | None, key: str, way: Way) -> None:
        """Report a key that is for no command: neither for this one nor for another one under this level."""
        sections = _sections(level)
        if (key in sections and key != inside) or _name(key) in _all_options(level.command, level):
            return
        if key == inside:
            self._wrong((*way, key), "is a section; write the options of this command below it, as OPTION: VALUE lines")
            return
        names = ", ".join(sorted("manifests" if name == "filename" else name for name in self._options))
        also = f", and the sections {', '.join(sorted(sections))}" if sections else ""
        self._wrong((*way, key), f"there is no such option; there are {names}{also}")

    def _value(self, option: click.Option, setting: object, way: Way) -> object:
        """A value as click takes a default; reports a value that the option's type refuses."""
        many = option.multiple or option.nargs != 1
        values = setting if isinstance(setting, list) and many else [setting]
        if not all(isinstance(each, str | bool | int | float) for each in values):
            self._wrong(way, f"write a word{' or a list of words' if many else ''}")
            return None
        if not option.is_flag and any(isinstance(each, bool) for each in values):
            self._wrong(way, "YAML reads this as true or false; write the word in quotes")
            return None
        if isinstance(option.type, click.Path) and option.name not in _NOT_BESIDE:
            values = [each if each == "-" else str(self._file.parent / str(each)) for each in values]
        value = tuple(map(str, values)) if many else values[0]
        try:
            option.type_cast_value(self._ctx, value)
        except click.UsageError as error:
            self._wrong(way, f"{error.message.rstrip('.')}{self._instead(option, way)}")
        return value

    def _instead(self, option: click.Option, way: Way) -> str:
        """The remedy for a word at the top that other commands may take, and this one does not."""
        own = [str(context.info_name) for context in _way_to(self._ctx)[1:]]
        if not isinstance(option.type, click.Choice) or len(way) > len(own):
            return ""
        return f"; if another command takes it, write it in the section of that command, not for {' '.join(own)}"

    def _wrong(self, way: Way, message: str) -> None:
        span = Span(str(self._file), self._outline.line(way))
        self._diagnostics.append(Diagnostic(span, "", format_path(way), message))


def _way_to(ctx: click.Context) -> list[click.Context]:
    """The contexts from the program to the command."""
    return [*(_way_to(ctx.parent) if ctx.parent else ()), ctx]


def _name(key: str) -> str:
    """The name of the option that a key of the file sets."""
    name = key.replace("_", "-")
    return _OTHER_NAMES.get(name, name)


def _options(command: click.Command) -> dict[str, click.Option]:
    """The options of a command, own and shared, that may be in a file, by their long names."""
    found = {}
    for option in command.params:
        long = [name.removeprefix("--") for name in option.opts if name.startswith("--")]
        if isinstance(option, click.Option) and long and long[0] not in _NOT_IN_FILES:
            found[long[0]] = option
    return found


def _sections(level: click.Context) -> Collection[str]:
    return level.command.list_commands(level) if isinstance(level.command, click.Group) else ()


def _all_options(command: click.Command, level: click.Context) -> set[str]:
    """The names of the options of a command, and of all commands under it."""
    return {name for each in _under(command, level) for name in _options(each)}


def _under(command: click.Command, level: click.Context) -> Iterator[click.Command]:
    yield command
    if isinstance(command, click.Group):
        for name in command.list_commands(level):
            if (inner := command.get_command(level, name)) is not None:
                yield from _under(inner, level)
