"""The cache of directories: a kept directory is complete, and is made once."""

from pathlib import Path

import pytest

from tests.support.cache import kept


@pytest.fixture
def wanted(tmp_path: Path) -> Path:
    return tmp_path / "cache" / "key"


def names(directory: Path) -> set[str]:
    return {path.name for path in directory.iterdir()}


def test_it_is_made_once(wanted: Path) -> None:
    made = []

    def fill(draft: Path) -> None:
        made.append(draft)
        (draft / "disk.img").write_text("disk")

    assert (kept(wanted, fill) / "disk.img").read_text() == (kept(wanted, fill) / "disk.img").read_text() == "disk"
    assert len(made) == 1
    assert names(wanted.parent) == {"key", "lock"}


def test_a_failure_leaves_nothing(wanted: Path) -> None:
    def fill(draft: Path) -> None:
        (draft / "disk.img").write_text("half a disk")
        raise OSError("no network")

    with pytest.raises(OSError, match="no network"):
        kept(wanted, fill)
    assert names(wanted.parent) == {"lock"}


def test_the_draft_of_a_killed_process_is_removed(wanted: Path) -> None:
    (wanted.parent / "draft-x" / "root").mkdir(parents=True)
    kept(wanted, lambda draft: None)
    assert names(wanted.parent) == {"key", "lock"}
