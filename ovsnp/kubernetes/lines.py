"""An answer that comes line by line, such as a watch."""

import time
from collections.abc import Iterator

import urllib3
from urllib3.exceptions import HTTPError

from ovsnp.kubernetes.failures import Asked, ConnectionFailedError, NotUnderstoodError, broken_connection

LONGEST = 64 << 20
"""The longest line in bytes. etcd takes requests of 1.5 MiB, so this is no object of a cluster."""

_CHUNK = 1 << 16


class Lines:
    """The lines of the answer to ``asked``. ``received`` is the `time.monotonic` at which the last bytes came."""

    def __init__(self, response: urllib3.BaseHTTPResponse, asked: Asked) -> None:
        self._response = response
        self.asked = asked
        self.received = time.monotonic()
        self._lines = self._split()

    def __iter__(self) -> Iterator[bytes]:
        """The lines that were not read yet, without their ends.

        Raises ConnectionFailedError if the answer breaks off, NotUnderstoodError if a line is too long.
        """
        return self._lines  # a second loop goes on where the first one stopped, in the middle of what has come

    def _split(self) -> Iterator[bytes]:
        parts: list[bytes] = []
        size = 0
        while chunk := self._read():
            self.received = time.monotonic()
            *whole, rest = chunk.split(b"\n")
            for line in whole:
                parts.append(line)
                yield b"".join(parts)
                parts.clear()
                size = 0
            if rest:
                parts.append(rest)
                size += len(rest)
                if size > LONGEST:
                    message = f"a line of more than {LONGEST >> 20} MiB came; is this an API server?"
                    raise NotUnderstoodError(f"{self.asked}: {message}")
        if parts:
            raise ConnectionFailedError(f"{self.asked}: the connection broke off in the middle of an event")

    def set_read_timeout(self, seconds: float) -> None:
        """From now on, let the server be silent for at most this time."""
        sock = getattr(self._response.connection, "sock", None)
        if sock is not None:
            sock.settimeout(seconds)

    def interrupt(self) -> None:
        """Make a thread that waits for a line get an error at once."""
        try:
            self._response.shutdown()
        except (RuntimeError, ValueError, OSError):  # the answer has ended in the meantime
            return

    def _read(self) -> bytes:
        try:
            return self._response.read1(_CHUNK)
        except (HTTPError, OSError) as error:
            raise broken_connection(self.asked, error) from None
