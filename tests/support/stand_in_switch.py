"""A stand-in for ovs-vswitchd that keeps what ``ovs-ofctl`` sends to it: the oracle of our own encoder."""

import socket
import struct
import subprocess
import threading
from pathlib import Path
from tempfile import TemporaryDirectory

_HEADER = struct.Struct("!BBHI")
_HELLO, _ECHO, _BARRIER, _BUNDLE_CONTROL, _BUNDLE_ADD = 0, 2, 20, 33, 34
_WITH_REPLY = (7, 18)
"""OFPT_GET_CONFIG_REQUEST, OFPT_MULTIPART_REQUEST."""
_TLV_TABLE_REQUEST = struct.pack("!II", 0x2320, 25)


def bundled(lines: str) -> list[bytes]:
    """The OpenFlow 1.5 messages that ``ovs-ofctl bundle`` makes of these lines, each with 0 as its transaction id."""
    messages, done = _run("bundle", ("-",), lines)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return [without_xid(message[16:]) for message in messages if message[1] == _BUNDLE_ADD]


def sent(command: str, *arguments: str) -> list[bytes]:
    """The messages that a command of ``ovs-ofctl`` sends, until it wants an answer, with 0 as transaction id."""
    messages, _ = _run(command, arguments, "")
    return [without_xid(message) for message in messages]


def _run(command: str, arguments: tuple[str, ...], text: str) -> tuple[list[bytes], subprocess.CompletedProcess[str]]:
    messages: list[bytes] = []
    with TemporaryDirectory(prefix="ovsnp-") as directory, socket.socket(socket.AF_UNIX) as listener:
        path = Path(directory, "switch")
        listener.bind(str(path))
        listener.listen()
        served = threading.Thread(target=_serve, args=(listener, messages), daemon=True)
        served.start()
        ofctl = ["ovs-ofctl", "--timeout=60", "--no-names", "-O", "OpenFlow15", command, f"unix:{path}", *arguments]
        done = subprocess.run(ofctl, input=text, capture_output=True, text=True, check=False)
        served.join()
    return messages, done


def _serve(listener: socket.socket, messages: list[bytes]) -> None:
    connection, _ = listener.accept()
    with connection, connection.makefile("rb") as stream:
        connection.sendall(_HEADER.pack(6, _HELLO, 8, 1))
        while header := stream.read(_HEADER.size):
            _, kind, length, xid = _HEADER.unpack(header)
            body = stream.read(length - _HEADER.size)
            if kind == _BUNDLE_CONTROL:
                bundle, asked, flags = struct.unpack("!IHH", body)
                connection.sendall(_HEADER.pack(6, kind, 16, xid) + struct.pack("!IHH", bundle, asked + 1, flags))
            elif kind in (_ECHO, _BARRIER):
                connection.sendall(_HEADER.pack(6, kind + 1, length, xid) + body)
            elif kind != _HELLO:
                messages.append(header + body)
                if kind in _WITH_REPLY or body.startswith(_TLV_TABLE_REQUEST):
                    return


def without_xid(message: bytes) -> bytes:
    """The message with 0 as its transaction id."""
    return message[:4] + bytes(4) + message[8:]
