"""The control socket of ovs-vswitchd, which ``ovs-appctl`` uses (ovs-appctl(8))."""

import errno
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
from ovs import poller, stream

from ovsnp.errors import SwitchError
from ovsnp.switch.location import Location

_PATIENCE = 60.0
_CHUNK = 1 << 20


class _Request(msgspec.Struct):
    method: str
    params: tuple[str, ...]
    id: int = 0


class _Reply(msgspec.Struct):
    result: str | None = None
    error: str | None = None


_read_reply = msgspec.json.Decoder(_Reply).decode


class Control:
    """An open connection to ovs-vswitchd; `control` opens and closes it.

    python-ovs would read the answers, too, but the time of its reader grows with the square of an answer's length:
    seconds for a thousand connections of conntrack, of which there can be 200,000.
    """

    def __init__(self, opened: stream.Stream) -> None:
        self._stream = opened

    def command(self, *words: str) -> str:
        """The output of ``ovs-appctl``; raises SwitchError with the daemon's message, or if no answer comes."""
        self.ask(*words)
        return self.answer(*words)

    def ask(self, *words: str) -> None:
        """Send a command without waiting for its answer: `answer` does. Raises SwitchError."""
        rest = msgspec.json.encode(_Request(words[0], words[1:]))
        deadline = time.monotonic() + _PATIENCE
        while rest:
            sent = self._stream.send(rest)
            if sent == -errno.EAGAIN:
                self._wait(stream.Stream.W_SEND, deadline, words)
            elif sent < 0:
                raise SwitchError(f"{' '.join(words)}: {os.strerror(-sent)}")
            else:
                rest = rest[sent:]

    def answer(self, *words: str) -> str:
        """The answer to the last command; raises SwitchError as `command` does."""
        text, deadline = bytearray(), time.monotonic() + _PATIENCE
        while (reply := _whole(text)) is None:
            error, chunk = self._stream.recv(_CHUNK)
            if error == errno.EAGAIN:
                self._wait(stream.Stream.W_RECV, deadline, words)
            elif error or not chunk:
                raise SwitchError(f"{' '.join(words)}: {os.strerror(error) if error else 'end of file'}")
            else:
                text += chunk
        if reply.error is not None:
            raise SwitchError(f"{' '.join(words)}: {reply.error.strip()}")
        return reply.result or ""

    def _wait(self, event: int, deadline: float, words: tuple[str, ...]) -> None:
        left = deadline - time.monotonic()
        if left <= 0:
            raise SwitchError(f"{' '.join(words)}: no answer within {_PATIENCE:g} seconds")
        waiting = poller.Poller()
        self._stream.wait(waiting, event)
        waiting.timer_wait(int(left * 1000) + 1)
        waiting.block()


def _whole(text: bytearray) -> _Reply | None:
    """The reply, if all of it has arrived: only its last byte closes its JSON object."""
    if not text.endswith(b"}"):
        return None
    try:
        return _read_reply(text)
    except msgspec.DecodeError:
        return None


@contextmanager
def control(location: Location) -> Iterator[Control]:
    """A connection to the ovs-vswitchd at a location; raises SwitchError if it cannot be reached."""
    try:
        process = (Path(location.rundir) / "ovs-vswitchd.pid").read_text().strip()
    except OSError:
        raise SwitchError(f"ovs-vswitchd has no process in {location.rundir}; is it running?") from None
    error, opened = stream.Stream.open_block(
        stream.Stream.open(f"unix:{location.rundir}/ovs-vswitchd.{process}.ctl"), timeout=int(_PATIENCE * 1000)
    )
    if error:
        raise SwitchError(f"ovs-vswitchd cannot be reached in {location.rundir}: {os.strerror(error)}")
    try:
        yield Control(opened)
    finally:
        opened.close()


def trace_packet(location: Location, bridge: str, flow: str) -> str:
    """The output of ``ofproto/trace`` for a packet; every connection is new to conntrack (ovs-vswitchd(8)).

    ``flow`` describes the packet as in ovs-fields(7). No packet is sent, nothing is learned or remembered. Raises
    SwitchError if ovs-vswitchd does not answer, or has no such bridge.
    """
    with control(location) as there:
        return there.command("ofproto/trace", bridge, flow)
