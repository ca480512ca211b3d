"""Messages in both directions over a socket, by a thread that reads and writes and never waits for the caller."""

import contextlib
import os
import select
import socket
import threading
from collections import deque
from collections.abc import Callable

from ovsnp.switch.openflow.message import HEADER, Message, MessageType

_CHUNK = 1 << 18


class Channel:
    """An open connection: `send` returns at once, and ``take`` gets each message that comes, in the channel's thread.

    ``take`` must return at once. It gets None once, last, when the connection ends. The channel itself answers echo
    requests, by which ovs-vswitchd checks that its peer is alive. Reading goes on while much is to be written: with two
    full sockets, ovs-vswitchd and a peer that only writes would wait for each other.
    """

    def __init__(self, connected: socket.socket, take: Callable[[Message | None], None]) -> None:
        connected.setblocking(False)
        self._socket, self._take = connected, take
        self._waiting: deque[memoryview] = deque()
        self._lock = threading.Lock()
        self._signalled, self._signal = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self._closed = False
        self.end: str | None = None
        """The reason for which the connection has ended; None while it is open."""
        self._thread = threading.Thread(target=self._run, name="openflow", daemon=True)
        self._thread.start()

    def send(self, data: bytes) -> None:
        """Write messages, now or when the socket has space; what is sent after the end of the connection is lost."""
        with self._lock:
            if self.end is not None:
                return
            if not self._waiting:
                data = data[self._write(data) :]
            if data:
                self._waiting.append(memoryview(data))
                self._wake()

    def close(self) -> None:
        """End the connection, and wait until the thread has ended."""
        with self._lock:
            if not self._closed and self.end is None:
                self._closed = True
                self._wake()
        if threading.current_thread() is not self._thread:
            self._thread.join()

    def _wake(self) -> None:
        with contextlib.suppress(BlockingIOError):  # enough signals are waiting
            os.write(self._signal, b"\0")

    def _write(self, data: bytes | memoryview) -> int:
        """The number of bytes that were written; an error shows when the thread reads."""
        try:
            return self._socket.send(data)
        except OSError:
            return 0

    def _run(self) -> None:
        try:
            reason = self._serve()
        except OSError as error:
            reason = error.strerror or str(error)
        except Exception as error:  # of ``take``; without an end, requests would wait for a minute
            reason = f"internal error, please report it: {type(error).__name__}: {error}"
        with self._lock:
            self.end = reason
            self._waiting.clear()
            self._socket.close()
            os.close(self._signal)
            os.close(self._signalled)
        self._take(None)

    def _serve(self) -> str:
        """Read and write until the connection ends; returns the reason."""
        poll, received = select.poll(), bytearray()
        poll.register(self._signalled, select.POLLIN)
        while not self._closed:
            poll.register(self._socket, select.POLLIN | (select.POLLOUT if self._waiting else 0))
            for file, event in poll.poll():
                if file == self._signalled:
                    os.read(file, _CHUNK)
                    continue
                if event & select.POLLOUT:
                    self._flush()
                if event & ~select.POLLOUT:
                    data = self._socket.recv(_CHUNK)
                    if not data:
                        return "ovs-vswitchd closed the connection"
                    received += data
                    self._pass_on(received)
        return "closed"

    def _flush(self) -> None:
        with self._lock:
            while self._waiting:
                first = self._waiting[0]
                written = self._write(first)
                if written < len(first):
                    self._waiting[0] = first[written:]
                    return
                self._waiting.popleft()

    def _pass_on(self, received: bytearray) -> None:
        """Take whole messages out of the received bytes."""
        start = 0
        while len(received) - start >= HEADER.size:
            version, kind, length, xid = HEADER.unpack_from(received, start)
            if length < HEADER.size:
                raise OSError(f"ovs-vswitchd sent a message of {length} bytes")
            if len(received) - start < length:
                break
            message = Message(kind, bytes(received[start + HEADER.size : start + length]), xid, version)
            start += length
            if kind == MessageType.ECHO_REQUEST:
                self.send(Message(MessageType.ECHO_REPLY, message.body, xid).packed)
            elif kind != MessageType.ECHO_REPLY:
                self._take(message)
        del received[:start]
