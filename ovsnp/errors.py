"""Everything that can go wrong, and what the process exits with when it does.

OvsnpError                 never raised itself
├── UsageError       (2)   the command line or the configuration asks for something impossible
├── LocatedError           never raised itself; mistakes in files: all diagnostics at once
│   ├── ConfigurationError (2) a file of options is not understood; it is a UsageError, too
│   └── InputError   (3)   manifests that are not understood, or lack what a bridge serves
├── OutputError      (74)  standard output does not take what is written
├── SwitchError      (4)   Open vSwitch refused, or could not be reached
└── DeclarationError (70)  a flow contradicts the pipeline's declaration: a bug in ovsnp
"""

from collections.abc import Iterable
from enum import IntEnum
from typing import ClassVar, NamedTuple


class Exit(IntEnum):
    """Exit codes, as INTERFACE promises them (70 and 74 are sysexits' EX_SOFTWARE and EX_IOERR)."""

    DONE = 0
    NO = 1
    USAGE = 2
    INPUT = 3
    SWITCH = 4
    INTERNAL = 70
    OUTPUT = 74
    INTERRUPTED = 130


class Place(NamedTuple):
    """Where an object stands: the file (``-`` is stdin), which document of it, and the way into its Lists.

    A place costs nothing to keep; its line number is found by reading the file again, when it is asked for.
    """

    file: str
    document: int = 0
    items: tuple[int, ...] = ()


class Span(NamedTuple):
    """A line of a file; line numbers start at 1, and 0 means the file as a whole.

    Where manifests lack something, no file is to blame: ``file`` is then the bridge that has it.
    """

    file: str
    line: int = 0


class Diagnostic(NamedTuple):
    """One mistake in the input.

    ``subject`` is ``KIND NAMESPACE/NAME``, ``path`` the field in the object (``spec.ingress[0].from``);
    either may be empty where the file itself cannot be read. Diagnostics sort by place.
    """

    span: Span
    subject: str
    path: str
    message: str

    def __str__(self) -> str:
        where = f"{self.span.file}:{self.span.line}" if self.span.line else self.span.file
        # Words of the input may hold line ends, and sequences that a terminal obeys.
        said = ("".join(map(_visible, part)) for part in (self.subject, self.path, self.message))
        return ": ".join(part for part in (where, *said) if part)


def _visible(character: str) -> str:
    """The character, or the escape that stands for it in Python's strings."""
    return character if character.isprintable() else repr(character)[1:-1]


class OvsnpError(Exception):
    """Base of all errors that a user meets; ``exit_code`` is the process's."""

    exit_code: ClassVar[Exit]


class UsageError(OvsnpError):
    """The command cannot be carried out as it was given."""

    exit_code = Exit.USAGE


class LocatedError(OvsnpError):
    """Mistakes in files; carries every diagnostic, sorted by place, and says where each mistake is."""

    def __init__(self, diagnostics: Iterable[Diagnostic]) -> None:
        self.diagnostics = sorted(set(diagnostics))
        super().__init__("\n".join(map(str, self.diagnostics)))


class InputError(LocatedError):
    """The manifests are not understood, or lack what a bridge serves."""

    exit_code = Exit.INPUT


class ConfigurationError(LocatedError, UsageError):
    """A file of options is not understood."""


class SwitchError(OvsnpError):
    """Open vSwitch refused something, or could not be reached."""

    exit_code = Exit.SWITCH


class OutputError(OvsnpError):
    """Standard output does not take what is written: a full disk, for one."""

    exit_code = Exit.OUTPUT


class DeclarationError(OvsnpError):
    """A flow that the pipeline's declaration does not allow: a mistake in ovsnp itself."""

    exit_code = Exit.INTERNAL
