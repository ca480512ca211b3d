"""Pauses the garbage collector where it costs more time than it saves memory."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def gc_paused() -> Iterator[None]:
    """Turn the garbage collector off: nearly all new objects stay, and it would scan all of them again and again."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def exempt_from_gc() -> None:
    """Exempt all objects that exist now from garbage collection: in a long run most of them stay, and it scans them.

    Objects without references are still freed at once; only cycles among these objects are never found.
    """
    gc.collect()
    gc.freeze()
