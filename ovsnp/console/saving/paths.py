"""The files that the console may write: those below the directories that it was started with, and no others."""

import os
import unicodedata
from collections.abc import Sequence
from pathlib import Path

from ovsnp.console.saving.failures import NotSavedError
from ovsnp.yaml_reader.sources import STDIN

_SUFFIXES = (".yaml", ".yml", ".json")


class WritablePaths:
    """Files, and directories with all files below; ``paths`` are those of ``-f``."""

    def __init__(self, paths: Sequence[str]) -> None:
        self._roots = [os.path.realpath(path) for path in paths if path != STDIN]

    def resolve(self, path: str) -> Path:
        """The real path of a file that is there or is to be made; links inside the directories are followed.

        Raises NotSavedError for a path outside of the directories, and for one that ovsnp would not read there.
        """
        if os.pardir in Path(path).parts:
            raise NotSavedError(f"{path!r} is no path of a manifest; write it without ..")
        if any(unicodedata.category(character).startswith("C") for character in path):
            raise NotSavedError(f"{path!r} is no path of a manifest; write it without control characters")
        real = os.path.realpath(path)
        if real in self._roots and not os.path.isdir(real):
            return Path(real)
        inside = [os.path.relpath(real, root) for root in self._roots if _is_below(real, root)]
        if not inside:
            raise NotSavedError(f"{path} is not in a directory of the console; choose one of those named with -f")
        if not real.endswith(_SUFFIXES):
            raise NotSavedError(f"{path}: ovsnp reads {', '.join(_SUFFIXES)} files; choose such a name")
        if any(part.startswith(".") for part in Path(min(inside, key=len)).parts):
            raise NotSavedError(f"{path}: ovsnp passes over hidden files and directories; choose another name")
        return Path(real)


def _is_below(path: str, directory: str) -> bool:
    return os.path.isdir(directory) and path != directory and os.path.commonpath([path, directory]) == directory
