"""Why a policy was not saved.

NotSavedError           of OvsnpError: nothing was written
├── ConflictError       the file or object has changed since it was read, or there is another one of the name
└── PolicyRefusedError  the API server refuses the object; with the paths of its mistakes
"""

from collections.abc import Sequence
from typing import NamedTuple

from ovsnp.errors import Exit, OvsnpError


class NotSavedError(OvsnpError):
    """Nothing was written; the message says why and what to do."""

    exit_code = Exit.REFUSED


class ConflictError(NotSavedError):
    """The file or object is another one than the one that was read."""


class PathMistake(NamedTuple):
    """A mistake of an object: its path (``spec.ingress[0].from``, empty for the whole object) and the message."""

    path: str
    message: str


class PolicyRefusedError(NotSavedError):
    """The API server refuses the object; ``mistakes`` are its causes."""

    def __init__(self, mistakes: Sequence[PathMistake]) -> None:
        self.mistakes = [*mistakes]
        super().__init__("\n".join(": ".join(filter(None, each)) for each in mistakes))
