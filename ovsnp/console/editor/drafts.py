"""Judges the states of a form one after the other."""

import threading
from collections.abc import Iterator

from ovsnp.console.draft import DraftDocument, DraftSession, Edit


class SupersededError(Exception):
    """A newer edit is being judged."""


class Drafts:
    """Judges one edit at a time: a newer one ends the work on an older one."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._newest: object = None

    def stages(self, session: DraftSession, edit: Edit) -> Iterator[DraftDocument]:
        """The answers of a session; raises SupersededError once another edit is to be judged.

        Nobody waits for the reader of an answer: no lock is held between two stages.
        """
        mine = self._newest = object()

        def alive() -> None:
            if self._newest is not mine:
                raise SupersededError

        stages = session.stages(edit, alive)
        while True:
            with self._lock:
                alive()
                document = next(stages, None)
            if document is None:
                return
            yield document
