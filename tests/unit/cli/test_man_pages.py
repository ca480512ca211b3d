"""The manual pages in man/ match the commands; `make man` or `pytest --update-golden` writes them."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from ovsnp.cli import COMMANDS, ovsnp
from ovsnp.cli.man_pages import main, pages
from ovsnp.errors import Exit
from tests.support.checkout import ROOT

FOLDER = ROOT / "man"


def text_of(page: str) -> str:
    """A page as a reader sees it, without line breaks and fonts."""
    if not shutil.which("groff"):
        pytest.skip("groff is not installed")
    command = ["groff", "-man", "-ww", "-Tascii", "-P-c", "-P-b", "-P-o", "-P-u", "-rLL=10000n", "-rHY=0"]
    done = subprocess.run(command, input=page, capture_output=True, text=True, check=True, timeout=60)
    assert done.stderr == ""
    return " ".join(done.stdout.split())


def commands() -> Iterator[tuple[str, click.Context]]:
    """Every command, with the file of its page."""
    root = click.Context(ovsnp, info_name="ovsnp", **ovsnp.context_settings)
    yield "ovsnp.1", root
    for name in COMMANDS:
        command = ovsnp.get_command(root, name)
        assert command is not None
        context = click.Context(command, info_name=name, parent=root)
        yield f"ovsnp-{name}.1", context
        for inner_name in command.list_commands(context) if isinstance(command, click.Group) else ():
            inner = command.get_command(context, inner_name)
            assert inner is not None
            yield f"ovsnp-{name}.1", click.Context(inner, info_name=inner_name, parent=context)


def test_pages_are_as_the_commands_are(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.config.getoption("--update-golden"):
        monkeypatch.setattr("sys.argv", ["man_pages", str(FOLDER)])
        main()
    found = {file.name: file.read_text() for file in FOLDER.iterdir()}
    assert found.keys() == pages().keys()
    for name, text in pages().items():
        assert found[name] == text, "a command says otherwise now; make man"


@pytest.mark.parametrize(("file", "context"), [*commands()], ids=lambda each: getattr(each, "command_path", None))
def test_page_says_all_that_help_says(file: str, context: click.Context) -> None:
    said = text_of(pages()[file])
    assert " ".join([context.command_path, *context.command.collect_usage_pieces(context)]) in said
    assert " ".join((context.command.help or "").split()) in said
    for parameter in context.command.params:  # --help itself is not among them
        names, words = parameter.get_help_record(context) or ("", "")
        assert " ".join(f"{names} {words}".split()) in said or not words


def test_every_exit_code_is_there() -> None:
    said = text_of(pages()["ovsnp.1"])
    assert all(f" {code.value} " in said for code in Exit)


def test_every_page_has_its_name_and_purpose() -> None:
    for name, words in COMMANDS.items():
        assert f"NAME ovsnp-{name} - {words} SYNOPSIS" in text_of(pages()[f"ovsnp-{name}.1"])
        assert f"ovsnp-{name}(1) {words}" in text_of(pages()["ovsnp.1"])


def test_pages_that_are_no_commands_any_more_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "ovsnp-gone.1").touch()
    monkeypatch.setattr("sys.argv", ["man_pages", str(tmp_path)])
    main()
    assert {file.name for file in tmp_path.iterdir()} == pages().keys()


def test_what_is_typed_can_be_copied() -> None:
    """groff makes an unescaped hyphen a typographic one, which no shell knows."""
    for text in pages().values():
        body = text.partition("\n")[2]
        assert body.count("-") == body.count("\\-")
