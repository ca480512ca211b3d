"""Standard output: every failed write is an error that the user sees."""

import io
import sys

from ovsnp.errors import OutputError


class _Stdout(io.FileIO):
    """The file of standard output; a failed write raises OutputError."""

    def write(self, data: object, /) -> int | None:  # type: ignore[override]
        try:
            return super().write(data)  # type: ignore[arg-type]
        except BrokenPipeError:
            raise
        except OSError as error:
            raise OutputError(f"standard output cannot be written: {error.strerror}; the output is not whole") from None


def guard_output() -> None:
    """Make failed writes to standard output raise OutputError from now on; a replaced sys.stdout stays as it is."""
    before = sys.stdout
    if not isinstance(before, io.TextIOWrapper) or before is not sys.__stdout__:
        return
    file = io.BufferedWriter(_Stdout(before.fileno(), "w", closefd=False))
    sys.stdout = io.TextIOWrapper(file, before.encoding, before.errors, line_buffering=before.line_buffering)


def flush_output() -> None:
    """Write the output that is still in the buffer; raises OutputError, BrokenPipeError."""
    if sys.stdout is not None:
        sys.stdout.flush()
