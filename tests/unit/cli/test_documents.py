"""The text of documents: ASCII on every terminal and in every CI job, whatever a file is called."""

import json
import os
from pathlib import Path

import msgspec
import pytest

from ovsnp.document import document_text
from tests.support.applying import CLUSTER, ovsnp, policy

COMMANDS = {
    "check": ("check", "expectations.yaml"),
    "explain": ("explain", "frontend", "db", "80"),
    "explain-pod": ("explain", "db"),
    "explain-without-port": ("explain", "frontend", "db"),
    "lint": ("lint",),
    "matrix": ("matrix",),
}


class Named(msgspec.Struct, frozen=True):
    """A document with names."""

    names: tuple[str, ...]
    numbers: dict[str, int]


@pytest.mark.parametrize(
    "name", ["", "plain", 'quoted "\\/', "\x00\x1f\b\f\n\r\t", "\x7f", "café", "\u2028", "\U0001f40b", "caf\udce9"]
)
def test_text_is_what_json_writes_in_ascii(name: str) -> None:
    made = Named((name,), {"one": 1, name: -2})
    text = document_text(made)
    assert text.isascii()
    assert text == json.dumps({"names": [name], "numbers": {"one": 1, name: -2}}, indent=2) + "\n"


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("name", [b"caf\xc3\xa9.yaml", b"caf\xe9.yaml"], ids=["utf-8", "latin-1"])
def test_files_may_have_any_name(name: bytes, command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    folder = Path("manifests")
    folder.mkdir()
    (folder / "cluster.yaml").write_text(CLUSTER)
    (folder / os.fsdecode(name)).write_text(policy("to-db", 80))
    Path("expectations.yaml").write_text("- {from: frontend, to: db, port: '80', expect: denied}\n")
    answer = ovsnp(*COMMANDS[command], "-f", folder, "-o", "json", "--quiet")
    assert answer.code in (0, 1), answer
    assert answer.out.isascii()
    assert json.dumps(os.fsdecode(name))[1:] in answer.out
