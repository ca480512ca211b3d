"""Judges the states of a form one after the other."""

import threading
from collections.abc import Iterator

from ovsnp.console.draft import Draft, DraftDocument, DraftSession


class SupersededError(Exception):
    """A newer state of the form is being judged."""


class Drafts:
    """Judges one state of a form at a time: a newer one ends the work on an older one."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._newest = 0

    def stages(self, session: DraftSession, draft: Draft) -> Iterator[DraftDocument]:
        """The answers, up to the moment at which another form is to be judged."""
        self._newest += 1
        mine = self._newest

        def alive() -> None:
            if self._newest != mine:
                raise SupersededError

        with self._lock:
            try:
                for document in session.stages(draft, alive):
                    yield document
                    alive()
            except SupersededError:
                return
