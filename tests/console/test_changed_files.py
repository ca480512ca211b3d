"""A change of a file: only this file is read and parsed again."""

from collections.abc import Callable
from pathlib import Path

import pytest

from ovsnp.console.workspace.manifest_files import ManifestFiles
from ovsnp.console.workspace.workspace import Workspace
from ovsnp.oracle.terms import Terms
from ovsnp.yaml_reader import file_reader, location, notation

POLICY = """\
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: p%d, namespace: default}
spec: {podSelector: {}}
"""


def counted(monkeypatch: pytest.MonkeyPatch) -> Callable[[], list[str]]:
    """The names of the files that were read (``r``) and parsed (``p``) since the last call."""
    done: list[str] = []

    def read(file: str, stdin: None) -> bytes:
        done.append(f"r {Path(file).name}")
        return read_file(file, stdin)

    def parse(file: str, data: bytes, *, lines: bool = False) -> notation.Documents:
        done.append(f"p {Path(file).name}")
        return notation.read_documents(file, data, lines=lines)

    read_file = file_reader.read_file
    monkeypatch.setattr(file_reader, "read_file", read)
    for module in (file_reader, location):
        monkeypatch.setattr(module, "read_documents", parse)

    def taken() -> list[str]:
        found = sorted(done)
        done.clear()
        return found

    return taken


def test_only_changed_files_are_read_and_parsed_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(20):
        (tmp_path / f"{number}.yaml").write_text(POLICY % number)
    taken = counted(monkeypatch)
    workspace = Workspace(ManifestFiles([str(tmp_path)], ()), Terms())

    def names() -> set[str]:
        state = workspace.current()
        assert state.snapshot is not None
        return {policy.name for policy in state.snapshot.policies.values()}

    assert len(names()) == 20
    assert len(taken()) == 20 + 2 * 20  # once for the objects, and once for their lines
    names()
    assert taken() == []
    (tmp_path / "7.yaml").write_text(POLICY % 700)
    assert names() == {f"p{number}" for number in range(20) if number != 7} | {"p700"}
    assert taken() == ["p 7.yaml", "p 7.yaml", "r 7.yaml"]
    (tmp_path / "8.yaml").unlink()
    assert len(names()) == 19
    assert taken() == []
    (tmp_path / "new.yaml").write_text(f"{POLICY % 8}more: [")
    assert workspace.current().mistakes
    (tmp_path / "new.yaml").write_text(POLICY % 8)
    assert len(names()) == 20
    assert {each[2:] for each in taken()} == {"new.yaml"}


def test_texts_are_those_of_the_reading(tmp_path: Path) -> None:
    file = tmp_path / "one.yaml"
    file.write_text(POLICY % 1)
    workspace = Workspace(ManifestFiles([str(tmp_path)], ()), Terms())
    before = workspace.current().snapshot
    file.write_text(f"# new\n{POLICY % 1}")
    after = workspace.current().snapshot
    assert before is not None
    assert after is not None
    for snapshot, line in ((before, 1), (after, 2)):
        (policy,) = snapshot.policies.values()
        text = snapshot.texts.text(policy)
        assert text is not None
        assert text.text.count("\n") == line + 2
