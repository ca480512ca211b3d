"""A stand-in for ovs-vswitchd that takes a bundle and keeps its bytes: the oracle of our own encoder."""

import socket
import struct
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

_HEADER = struct.Struct("!BBHI")
_HELLO, _ECHO, _BARRIER, _BUNDLE_CONTROL, _BUNDLE_ADD = 0, 2, 20, 33, 34


def bundled(lines: str) -> list[bytes]:
    """The OpenFlow 1.5 messages that ``ovs-ofctl bundle`` makes of these lines, each with 0 as its transaction id."""
    with _listening() as path:
        messages: list[bytes] = []
        command = ["ovs-ofctl", "--timeout=60", "--no-names", "-O", "OpenFlow15", "bundle", f"unix:{path}", "-"]
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(path))
            listener.listen()
            served = threading.Thread(target=_serve, args=(listener, messages), daemon=True)
            served.start()
            done = subprocess.run(command, input=lines, capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stderr
            assert done.stderr == ""
            served.join()
    return messages


@contextmanager
def _listening() -> Iterator[Path]:
    with TemporaryDirectory(prefix="ovsnp-") as directory:
        yield Path(directory, "switch")


def _serve(listener: socket.socket, messages: list[bytes]) -> None:
    connection, _ = listener.accept()
    with connection, connection.makefile("rb") as stream:
        connection.sendall(_HEADER.pack(6, _HELLO, 8, 1))
        while header := stream.read(_HEADER.size):
            _, kind, length, xid = _HEADER.unpack(header)
            body = stream.read(length - _HEADER.size)
            if kind == _BUNDLE_ADD:
                messages.append(without_xid(body[8:]))
            elif kind == _BUNDLE_CONTROL:
                bundle, asked, flags = struct.unpack("!IHH", body)
                connection.sendall(_HEADER.pack(6, kind, 16, xid) + struct.pack("!IHH", bundle, asked + 1, flags))
            elif kind in (_ECHO, _BARRIER):
                connection.sendall(_HEADER.pack(6, kind + 1, length, xid) + body)


def without_xid(message: bytes) -> bytes:
    """The message with 0 as its transaction id."""
    return message[:4] + bytes(4) + message[8:]
