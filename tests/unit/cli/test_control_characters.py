"""Text that others have written moves no cursor of the terminal on which it is printed."""

import io
import logging
import sys

import pytest
from rich.text import Text

from ovsnp.cli.log_lines import TextLines
from ovsnp.cli.plain import say, tell
from ovsnp.cli.terminal import Terminal
from ovsnp.errors import Diagnostic, Span

HOSTILE = "a\x1b[2J\x9b1mb\u202ec"
VISIBLE = r"a\x1b[2J\x9b1mb\u202ec"


def test_lines_without_colour(capsys: pytest.CaptureFixture[str]) -> None:
    say(f"one {HOSTILE}\ntwo")
    tell(HOSTILE)
    assert capsys.readouterr() == (f"one {VISIBLE}\ntwo\n", f"{VISIBLE}\n")


def test_lines_in_colour_keep_their_styles() -> None:
    shown = io.StringIO()
    terminal = Terminal(file=shown, force_terminal=True, color_system="standard", width=200)
    terminal.write(Text.assemble(f"{HOSTILE} ", (HOSTILE, "bold"), " end\n"))
    assert shown.getvalue() == f"{VISIBLE} \x1b[1m{VISIBLE}\x1b[0m end\\n\n"


def test_lines_of_a_log() -> None:
    formatter = TextLines("%(levelname)s %(message)s")
    try:
        raise ValueError(HOSTILE)
    except ValueError:
        record = logging.LogRecord("ovsnp", logging.INFO, "", 0, "%s\nINFO forged", (HOSTILE,), sys.exc_info())
    first, *traceback = formatter.format(record).split("\n")
    assert first == rf"INFO {VISIBLE}\nINFO forged"
    assert traceback[-1] == f"ValueError: {VISIBLE}"


def test_file_name_of_a_mistake() -> None:
    assert str(Diagnostic(Span("a\n\udc80.yaml", 2), "", "", HOSTILE)) == rf"a\n\udc80.yaml:2: {VISIBLE}"
