"""Why a policy was not saved.

NotSavedError           of OvsnpError: nothing was written
├── FileChangedError    the file has changed during the write
├── ConflictError       the policy has changed since it was opened, or there is another one of the name
└── PolicyRefusedError  the API server refuses the object; with the paths of its mistakes
"""

from collections.abc import Sequence
from typing import NamedTuple

from ovsnp.errors import Exit, OvsnpError


class NotSavedError(OvsnpError):
    """Nothing was written; the message says why and what to do."""

    exit_code = Exit.REFUSED


class FileChangedError(NotSavedError):
    """The file has changed between its reading and its writing."""


class ConflictError(NotSavedError):
    """The policy is another one than the one that was opened; ``now`` is its text now, empty if there is none."""

    def __init__(self, message: str, now: str = "") -> None:
        self.now = now
        super().__init__(message)


class PathMistake(NamedTuple):
    """A mistake of an object: its path (``spec.ingress[0].from``, empty for the whole object) and the message."""

    path: str
    message: str


class PolicyRefusedError(NotSavedError):
    """The API server refuses the object; ``mistakes`` are its causes."""

    def __init__(self, mistakes: Sequence[PathMistake]) -> None:
        self.mistakes = [*mistakes]
        super().__init__("\n".join(": ".join(filter(None, each)) for each in mistakes))
