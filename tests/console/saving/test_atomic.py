"""Files written whole or not at all."""

import shutil
import stat
from pathlib import Path

import pytest

from ovsnp.console.saving.atomic import replace_file


def test_content_of_a_private_file_is_private_from_the_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "private.yaml"
    path.write_bytes(b"before")
    path.chmod(0o640)
    modes: list[int] = []
    keep = shutil.copystat

    def keep_and_tell(before: Path, temporary: Path) -> None:
        modes.append(stat.S_IMODE(temporary.stat().st_mode))
        keep(before, temporary)

    monkeypatch.setattr(shutil, "copystat", keep_and_tell)
    replace_file(path, b"before", b"after")
    assert modes == [0o600]
    assert (path.read_bytes(), stat.S_IMODE(path.stat().st_mode)) == (b"after", 0o640)
