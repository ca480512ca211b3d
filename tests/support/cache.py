"""Directories that take minutes to make, kept outside the checkout for the next time: in ``~/.cache/ovsnp``, or in the
one that XDG_CACHE_HOME names.

A directory of the cache is complete or not there: it is filled under another name.
"""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "ovsnp"


def kept(directory: Path, fill: Callable[[Path], None]) -> Path:
    """A directory of the cache; if it is missing, ``fill`` gets an empty directory that takes its place.

    Others who want a directory beside it wait meanwhile.
    """
    if not directory.is_dir():
        directory.parent.mkdir(parents=True, exist_ok=True)
        with _alone(directory.parent):
            # Another process may have made it meanwhile.
            if not directory.is_dir():
                _make(directory, fill)
    return directory


def _make(directory: Path, fill: Callable[[Path], None]) -> None:
    draft = Path(tempfile.mkdtemp(prefix="draft-", dir=directory.parent))
    try:
        fill(draft)
        draft.rename(directory)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


@contextmanager
def _alone(parent: Path) -> Iterator[None]:
    """Have others wait, and remove the drafts of processes that were killed."""
    with (parent / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for left in parent.glob("draft-*"):
            shutil.rmtree(left)
        yield
