"""The errors of ovsnp, and the exit code of the process for each.

OvsnpError                 never raised itself
├── UsageError       (2)   the command line or the configuration asks for something impossible
├── LocatedError           never raised itself; mistakes in files: all diagnostics at once
│   ├── ConfigurationError (2) a file of options has mistakes; it is a UsageError, too
│   └── InputError   (3)   the manifests have mistakes, or lack an object that a bridge serves
├── OutputError      (74)  standard output cannot be written
├── SwitchError      (4)   Open vSwitch refused, or could not be reached
├── ApiServerError   (4)   the API server refused, or could not be reached
├── AgentError       (4)   the agent of this node refused, or could not be reached
└── DeclarationError (70)  a flow contradicts the pipeline's declaration: a bug in ovsnp
"""

from collections.abc import Iterable
from enum import IntEnum
from typing import ClassVar, NamedTuple

from ovsnp.visible_text import visible


class Exit(IntEnum):
    """The exit codes of ovsnp (70 and 74 are EX_SOFTWARE and EX_IOERR of sysexits.h)."""

    DONE = 0
    NO = 1
    USAGE = 2
    INPUT = 3
    REFUSED = 4
    INTERNAL = 70
    OUTPUT = 74
    INTERRUPTED = 130


class Place(NamedTuple):
    """The place of an object: the file (``-`` is stdin), the index of the document, and the indexes into its Lists.

    A place is small, so every object keeps one. The line number is found by reading the file again, when it is needed.
    """

    file: str
    document: int = 0
    items: tuple[int, ...] = ()


class Span(NamedTuple):
    """A line of a file; line numbers start at 1, and 0 means the file as a whole.

    If the manifests lack an object, no file has the mistake: ``file`` is then the bridge that serves the object.
    """

    file: str
    line: int = 0


class Diagnostic(NamedTuple):
    """One mistake in the input.

    ``subject`` is ``KIND NAMESPACE/NAME``, ``path`` the field in the object (``spec.ingress[0].from``); both may be
    empty where the file itself cannot be read. Diagnostics sort by place.
    """

    span: Span
    subject: str
    path: str
    message: str

    def __str__(self) -> str:
        where = f"{self.span.file}:{self.span.line}" if self.span.line else self.span.file
        # Text from the input may hold line ends and control sequences of terminals, and so may the name of a file.
        return ": ".join(visible(part) for part in (where, self.subject, self.path, self.message) if part)


class OvsnpError(Exception):
    """The base of all errors that a user sees; ``exit_code`` is the exit code of the process."""

    exit_code: ClassVar[Exit]


class UsageError(OvsnpError):
    """The command cannot be carried out as given."""

    exit_code = Exit.USAGE


class LocatedError(OvsnpError):
    """Mistakes in files; ``diagnostics`` are all of them, sorted by place and without duplicates."""

    def __init__(self, diagnostics: Iterable[Diagnostic]) -> None:
        self.diagnostics = sorted(set(diagnostics))
        super().__init__("\n".join(map(str, self.diagnostics)))


class InputError(LocatedError):
    """The manifests have mistakes, or lack an object that a bridge serves."""

    exit_code = Exit.INPUT


class ConfigurationError(LocatedError, UsageError):
    """A file of options has mistakes."""


class SwitchError(OvsnpError):
    """Open vSwitch refused something, or could not be reached."""

    exit_code = Exit.REFUSED


class ApiServerError(OvsnpError):
    """The API server of a cluster refused something, or could not be reached."""

    exit_code = Exit.REFUSED


class AgentError(OvsnpError):
    """The agent of this node refused something, or could not be reached."""

    exit_code = Exit.REFUSED


class OutputError(OvsnpError):
    """Standard output cannot be written, for example because the disk is full."""

    exit_code = Exit.OUTPUT


class DeclarationError(OvsnpError):
    """A flow that the pipeline's declaration does not allow: a mistake in ovsnp itself."""

    exit_code = Exit.INTERNAL
