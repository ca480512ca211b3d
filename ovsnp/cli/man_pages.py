"""The manual pages, made from the commands: ``python -m ovsnp.cli.man_pages man`` writes them into a folder.

The wheel installs that folder as share/man/man1, where man(1) looks beside the program's bin. The notation is man(7) of
groff. The pages have no date, so that they change only when a command does.
"""

import inspect
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import click

from ovsnp import __version__
from ovsnp.cli import COMMANDS, ovsnp
from ovsnp.errors import Exit

_PROGRAM = "ovsnp"
_OPTION = re.compile(r"(?<![\w-])--?[A-Za-z][A-Za-z0-9-]*")
_OPTION_OR_VALUE = re.compile(rf"{_OPTION.pattern}|\b[A-Z][A-Z0-9]+\b")

_EXIT: Mapping[Exit, str] = {
    Exit.DONE: "Done.",
    Exit.NO: "The answer is no: there is a finding or a difference, or an expectation is not met.",
    Exit.USAGE: "The command line or the configuration asks for something impossible.",
    Exit.INPUT: "The manifests, or another input file, have mistakes; all mistakes are reported at once.",
    Exit.REFUSED: "Open vSwitch or the API server refused, or could not be reached.",
    Exit.INTERNAL: "An error in ovsnp itself.",
    Exit.OUTPUT: "Standard output cannot be written, as on a full disk.",
    Exit.INTERRUPTED: "Interrupted.",
}
_FILES = {
    "ovsnp.yaml": "The configuration, in the working directory: options by their long names, and manifests for -f. An"
    " option at the top is for all commands that have it; a section with a command's name holds options for this"
    " command alone. Paths are relative to the folder of the file.",
}
_ENVIRONMENT = {
    "OVS_RUNDIR": "The folder with the sockets of Open vSwitch, as for its own tools.",
    "NO_COLOR": "If it is set, the output has no colour, as with --no-color.",
}
_HELP = "Show this message and exit."
"""The text for --help: click's own text depends on its version."""
_ELSEWHERE = ("ovs-ofctl(8)", "ovs-vsctl(8)", "ovs-appctl(8)")


def pages() -> dict[str, str]:
    """Every page by the name of its file: one for the program, and one for each of its commands."""
    context = click.Context(ovsnp, info_name=_PROGRAM, **ovsnp.context_settings)
    found = {f"{_PROGRAM}.1": "".join(_main_page(context))}
    for name in COMMANDS:
        command = ovsnp.get_command(context, name)
        if command is not None:
            inner = click.Context(command, info_name=name, parent=context)
            found[f"{_PROGRAM}-{name}.1"] = "".join(_command_page(inner))
    return found


def _main_page(context: click.Context) -> Iterator[str]:
    yield from _title(_PROGRAM, str(context.command.help))
    yield from _usage(context)
    yield ".SH COMMANDS\n"
    for name, words in COMMANDS.items():
        yield f".TP\n.BR {_PROGRAM}\\-{name} (1)\n{_plain(words)}\n"
    yield from _described("EXIT STATUS", {str(code.value): words for code, words in _EXIT.items()})
    yield from _described("FILES", _FILES)
    yield from _described("ENVIRONMENT", _ENVIRONMENT)
    yield from _see_also([f"{_PROGRAM}-{name}(1)" for name in COMMANDS])


def _command_page(context: click.Context) -> Iterator[str]:
    yield from _title(f"{_PROGRAM}-{context.info_name}", COMMANDS[str(context.info_name)])
    yield from _usage(context)
    if isinstance(context.command, click.Group):
        yield ".SH COMMANDS\n"
        for inner_name in context.command.list_commands(context):
            command = context.command.get_command(context, inner_name)
            if command is not None:
                yield from _inner_command(click.Context(command, info_name=inner_name, parent=context))
    yield f".SH EXIT STATUS\nSee\n.BR {_PROGRAM} (1).\n"
    yield from _see_also([f"{_PROGRAM}(1)"])


def _inner_command(context: click.Context) -> Iterator[str]:
    yield f".SS {_plain(context.command_path)}\n"
    yield _synopsis(context)
    yield from _paragraphs(context.command)
    yield from _options(context)


def _title(name: str, says: str) -> Iterator[str]:
    yield f'.TH "{name.upper()}" "1" "" "{_PROGRAM} {__version__}" "{_PROGRAM}"\n'
    yield f".SH NAME\n{_plain(name)} \\- {_plain(says.rstrip('.'))}\n"


def _usage(context: click.Context) -> Iterator[str]:
    yield f".SH SYNOPSIS\n{_synopsis(context)}"
    yield ".SH DESCRIPTION\n"
    yield from _paragraphs(context.command)
    yield ".SH OPTIONS\n"
    yield from _options(context)


def _synopsis(context: click.Context) -> str:
    pieces = " ".join(context.command.collect_usage_pieces(context))
    return f".B {_plain(context.command_path)}\n{_term(pieces)}\n"


def _paragraphs(command: click.Command) -> Iterator[str]:
    for part in (command.help, command.epilog):
        for paragraph in re.split(r"\n\s*\n", inspect.cleandoc(part or "").strip()):
            if paragraph:
                yield f".PP\n{_prose(' '.join(paragraph.split()))}\n"


def _options(context: click.Context) -> Iterator[str]:
    for parameter in context.command.get_params(context):
        names, words = parameter.get_help_record(context) or ("", "")
        if parameter.name == "help":
            words = _HELP
        if words:
            yield f".TP\n{_term(names)}\n{_prose(words)}\n"


def _described(heading: str, entries: Mapping[str, str]) -> Iterator[str]:
    yield f".SH {heading}\n"
    for name, words in entries.items():
        yield f".TP\n.B {_plain(name)}\n{_prose(words)}\n"


def _see_also(names: list[str]) -> Iterator[str]:
    pages = [name.partition("(") for name in (*names, *_ELSEWHERE)]
    lines = [f".BR {_plain(name)} ({section}" for name, _, section in pages]
    yield ".SH SEE ALSO\n" + ",\n".join(lines) + "\n"


def _prose(text: str) -> str:
    """A sentence, with the names of options in bold."""
    return _styled(text, _OPTION)


def _term(text: str) -> str:
    """Words of a command line: options in bold, placeholders for values in italics."""
    return _styled(text, _OPTION_OR_VALUE)


def _styled(text: str, pattern: re.Pattern[str]) -> str:
    styled, end = "", 0
    for match in pattern.finditer(text):
        font = "B" if match[0].startswith("-") else "I"
        styled += f"{_escaped(text[end : match.start()])}\\f{font}{_escaped(match[0])}\\fP"
        end = match.end()
    return _line(styled + _escaped(text[end:]))


def _plain(text: str) -> str:
    return _line(_escaped(text))


def _escaped(text: str) -> str:
    """Escape backslashes, and hyphens, which must stay as they are typed."""
    return text.replace("\\", "\\e").replace("-", "\\-")


def _line(text: str) -> str:
    """A line of text; if it begins like a request of groff, escaped so that it is none."""
    return f"\\&{text}" if text.startswith((".", "'")) else text


def main() -> None:
    """Write the pages into the folder that the command line names, and delete other pages there."""
    folder = Path(sys.argv[1])
    written = pages()
    for old in folder.glob("*.1"):
        if old.name not in written:
            old.unlink()
    for name, text in written.items():
        (folder / name).write_text(text)


if __name__ == "__main__":
    main()
