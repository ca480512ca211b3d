"""An open OpenFlow 1.5 connection to a bridge, by its management socket (ovs-vswitchd(8))."""

import os
import queue
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from types import TracebackType
from typing import Self

from ovs import socket_util

from ovsnp.errors import SwitchError
from ovsnp.switch.location import Location
from ovsnp.switch.openflow.channel import Channel
from ovsnp.switch.openflow.error import error_name
from ovsnp.switch.openflow.message import VERSION, DecodeError, Message, MessageType

_PATIENCE = 60.0
_HELLO = struct.Struct("!HHI")
"""``struct ofp_hello_elem_header``, and the bitmap."""
_OFPHET_VERSIONBITMAP = 1
_MULTIPART = struct.Struct("!HH4x")
"""``struct ofp11_stats_msg``: type and flags."""
_OFPMPF_REPLY_MORE = 1 << 0
_UNASKED = (MessageType.PACKET_IN, MessageType.FLOW_REMOVED, MessageType.PORT_STATUS, MessageType.REQUESTFORWARD)
_UNASKED_WITHOUT_XID = (MessageType.EXPERIMENTER, MessageType.MULTIPART_REPLY)
_FIRST_XID, _LAST_XID = 1, 0x7FFFFFFF


class LostConnectionError(SwitchError):
    """The connection has ended or does not answer; whether the last request was carried out is not known."""


class OpenFlowRefusedError(SwitchError):
    """Open vSwitch refused a request; ``error`` is the name of the error, as `error_name` gives it."""

    def __init__(self, error: str) -> None:
        super().__init__(f"Open vSwitch refused: {error}")
        self.error = error


class OpenFlow:
    """An open connection; the methods may be called from any thread, and one request is carried out at a time.

    ``unasked`` gets the messages that answer no request, such as packet-ins, in a thread of the connection; it must
    return at once. ``ended`` is called in that thread when the connection ends, for any reason. Every method raises
    LostConnectionError after that; the caller connects again.
    """

    def __init__(
        self,
        location: Location,
        bridge: str,
        unasked: Callable[[Message], None] = lambda _: None,
        ended: Callable[[], None] = lambda: None,
    ) -> None:
        self._location, self._bridge = location, bridge
        self._unasked, self._ended = unasked, ended
        self._replies: queue.SimpleQueue[Message | None] = queue.SimpleQueue()
        self._turn = threading.RLock()
        self._xid = _FIRST_XID
        self._channel = Channel(_connect(location, bridge), self._take)
        try:
            self._greet()
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the connection; a bundle that is not committed is gone with it."""
        self._channel.close()

    def request(self, message: Message) -> Message:
        """The reply to a request; raises OpenFlowRefusedError or LostConnectionError."""
        with self._turn:
            xid = self.reserve(1)
            self.send([message._replace(xid=xid)])
            (reply,) = self.replies(xid, xid)
        if reply.type == MessageType.ERROR:
            raise OpenFlowRefusedError(error_name(reply.body))
        return reply

    def tell(self, *messages: Message) -> None:
        """Send messages that have no reply, and wait until they are carried out.

        Raises OpenFlowRefusedError with the first error, or LostConnectionError.
        """
        with self._turn:
            first = self.reserve(len(messages))
            self.send(message._replace(xid=xid) for xid, message in enumerate(messages, first))
            if errors := self.barrier(first):
                raise OpenFlowRefusedError(next(iter(errors.values())))

    def multipart(self, kind: int, body: bytes = b"") -> bytes:
        """The bodies of all replies to an OFPT_MULTIPART_REQUEST in a row; raises as `request` does."""
        with self._turn:
            xid, parts = self.reserve(1), []
            self.send([Message(MessageType.MULTIPART_REQUEST, _MULTIPART.pack(kind, 0) + body, xid)])
            while True:
                (reply,) = self.replies(xid, xid)
                if reply.type == MessageType.ERROR:
                    raise OpenFlowRefusedError(error_name(reply.body))
                if len(reply.body) < _MULTIPART.size:
                    raise DecodeError("a multipart reply that is shorter than its header")
                _, flags = _MULTIPART.unpack_from(reply.body)
                parts.append(reply.body[_MULTIPART.size :])
                if not flags & _OFPMPF_REPLY_MORE:
                    return b"".join(parts)

    def turn(self) -> threading.RLock:
        """The lock that keeps the requests of other threads out while it is held."""
        return self._turn

    def reserve(self, count: int) -> int:
        """The first of ``count`` transaction ids in a row that no request uses."""
        if self._xid + count > _LAST_XID:
            self._xid = _FIRST_XID
        first, self._xid = self._xid, self._xid + count
        return first

    def send(self, messages: Iterable[Message]) -> None:
        """Send messages with transaction ids from `reserve`."""
        self._channel.send(b"".join(message.packed for message in messages))

    def barrier(self, first: int) -> dict[int, str]:
        """Wait until all that was sent is carried out; returns the errors from transaction id ``first`` on, by id."""
        last = self.reserve(1)
        self.send([Message(MessageType.BARRIER_REQUEST, xid=last)])
        replies = self.replies(first, last)
        return {reply.xid: error_name(reply.body) for reply in replies if reply.type == MessageType.ERROR}

    def replies(self, first: int, last: int) -> Iterator[Message]:
        """The replies to the transaction ids from first to last, until the reply to the last.

        Raises LostConnectionError if the connection ends, or if the reply does not come within a minute; then the
        connection is closed.
        """
        until = time.monotonic() + _PATIENCE
        while True:
            reply = self._reply(until)
            if first <= reply.xid <= last:
                yield reply
                if reply.xid == last:
                    return

    def _reply(self, until: float) -> Message:
        try:
            reply = self._replies.get(timeout=max(until - time.monotonic(), 0))
        except queue.Empty:
            self.close()
            raise LostConnectionError(
                f"ovs-vswitchd does not answer in {self._location.rundir} within {_PATIENCE:g} seconds, as happens"
                " where ovsdb-server has ended; it may still carry out the change"
            ) from None
        if reply is None:
            self._replies.put(None)  # for the next request, too
            raise LostConnectionError(
                f"the OpenFlow connection to bridge {self._bridge} in {self._location.rundir} is lost:"
                f" {self._channel.end}"
            )
        return reply

    def _take(self, message: Message | None) -> None:
        """Sort a message out, in the thread of the channel."""
        if message is None:
            self._replies.put(None)
            self._ended()
        elif message.type in _UNASKED or (message.type in _UNASKED_WITHOUT_XID and not message.xid):
            self._unasked(message)
        else:
            self._replies.put(message)

    def _greet(self) -> None:
        """Exchange OFPT_HELLO; raises SwitchError if the bridge does not speak OpenFlow 1.5."""
        versions = _HELLO.pack(_OFPHET_VERSIONBITMAP, _HELLO.size, 1 << VERSION)
        self._channel.send(Message(MessageType.HELLO, versions, self.reserve(1)).packed)
        hello = self._reply(time.monotonic() + _PATIENCE)
        if hello.type != MessageType.HELLO or not _versions(hello) >> VERSION & 1:
            raise SwitchError(
                f"bridge {self._bridge} does not speak OpenFlow 1.5; allow it"
                f" (ovs-vsctl add bridge {self._bridge} protocols OpenFlow15)"
            )


def _versions(hello: Message) -> int:
    """The versions of a peer as a bitmap; without one the peer speaks its highest version and all lower versions."""
    if len(hello.body) == _HELLO.size:
        element, _, bitmap = _HELLO.unpack(hello.body)
        return int(bitmap) if element == _OFPHET_VERSIONBITMAP else 0
    return (2 << hello.version) - 1


def _connect(location: Location, bridge: str) -> socket.socket:
    path = location.management(bridge).removeprefix("unix:")
    connected: socket.socket
    error, connected = socket_util.make_unix_socket(socket.SOCK_STREAM, False, None, path)
    if error:
        raise LostConnectionError(
            f"Open vSwitch cannot be reached in {location.rundir}: {path}: {os.strerror(error)}; is it running, and is"
            " --db right?"
        )
    return connected
