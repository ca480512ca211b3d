"""Manifests in a directory for each test, so that diagnostics have short file names."""

from collections.abc import Callable
from pathlib import Path

import pytest

from ovsnp.errors import InputError
from ovsnp.manifests import load, located
from ovsnp.model.cluster import Cluster


@pytest.fixture(autouse=True)
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def load_text(directory: Path) -> Callable[..., Cluster]:
    def load_text(text: str, file: str = "in.yaml") -> Cluster:
        (directory / file).write_text(text)
        return load([file])

    return load_text


@pytest.fixture
def mistakes(load_text: Callable[..., Cluster]) -> Callable[..., list[str]]:
    """The lines of the error about a text that is refused."""

    def mistakes(text: str, file: str = "in.yaml") -> list[str]:
        with pytest.raises(InputError) as caught:
            load_text(text, file)
        return str(caught.value).splitlines()

    return mistakes


@pytest.fixture
def notes(load_text: Callable[..., Cluster]) -> Callable[..., list[str]]:
    """The lines of the notes about a text that is read."""

    def notes(text: str, file: str = "in.yaml") -> list[str]:
        return [str(note) for note in located(load_text(text, file).notes)]

    return notes
