"""The connection against stand-in switches that do what ovs-vswitchd does seldom."""

import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from ovsnp.errors import SwitchError
from ovsnp.flows.flow import Flow
from ovsnp.flows.match import Match
from ovsnp.flows.modification import AddFlow
from ovsnp.switch.location import Location
from ovsnp.switch.openflow import connection as module
from ovsnp.switch.openflow.channel import Channel
from ovsnp.switch.openflow.commit import commit
from ovsnp.switch.openflow.connection import LostConnectionError, OpenFlow, OpenFlowRefusedError
from ovsnp.switch.openflow.message import HEADER, Message, MessageType

BRIDGE = "br0"
HELLO = Message(MessageType.HELLO, struct.pack("!HHI", 1, 8, 1 << 6), 1).packed
FLOW = AddFlow(Flow("Service", 1, Match()))


class Peer:
    """The end of ovs-vswitchd."""

    def __init__(self, connected: socket.socket) -> None:
        self.socket = connected
        self._stream = connected.makefile("rb")

    def read(self) -> Message | None:
        """The next message; None at the end."""
        head = self._stream.read(HEADER.size)
        if len(head) < HEADER.size:
            return None
        _, kind, length, xid = HEADER.unpack(head)
        return Message(kind, self._stream.read(length - HEADER.size), xid)

    def write(self, *messages: Message) -> None:
        for message in messages:
            self.socket.sendall(message.packed)

    def until(self, kind: MessageType) -> Message:
        """Read until a message of this type comes."""
        while (message := self.read()) and message.type != kind:
            pass
        assert message
        return message


Serve = Callable[[Peer], None]


@pytest.fixture
def serving() -> Iterator[Callable[..., Location]]:
    """Start a stand-in switch: it greets, and carries on as it is told."""
    with TemporaryDirectory(prefix="ovsnp-") as directory:
        listener = socket.socket(socket.AF_UNIX)
        threads = []

        def start(serve: Serve, greeting: bytes = HELLO) -> Location:
            listener.bind(str(Path(directory, f"{BRIDGE}.mgmt")))
            listener.listen()

            def run() -> None:
                connected, _ = listener.accept()
                with connected:
                    connected.sendall(greeting)
                    serve(Peer(connected))

            threads.append(threading.Thread(target=run, daemon=True))
            threads[0].start()
            return Location("unix:none", directory)

        yield start
        for thread in threads:
            thread.join(10)
            assert not thread.is_alive()
        listener.close()


def answer(peer: Peer) -> None:
    """Answer barriers and bundle messages until the end."""
    while message := peer.read():
        if message.type == MessageType.BARRIER_REQUEST:
            peer.write(Message(MessageType.BARRIER_REPLY, xid=message.xid))
        elif message.type == MessageType.BUNDLE_CONTROL:
            peer.write(Message(MessageType.BUNDLE_CONTROL, message.body, message.xid))


def test_echo_is_answered_while_nothing_is_asked(serving: Callable[..., Location]) -> None:
    echoed = threading.Event()

    def serve(peer: Peer) -> None:
        peer.write(Message(MessageType.ECHO_REQUEST, b"still there?", 77))
        assert peer.until(MessageType.ECHO_REPLY) == Message(MessageType.ECHO_REPLY, b"still there?", 77)
        echoed.set()
        answer(peer)

    with OpenFlow(serving(serve), BRIDGE) as connection:
        assert echoed.wait(10)
        connection.tell()


def test_echo_is_answered_during_a_commit(serving: Callable[..., Location]) -> None:
    def serve(peer: Peer) -> None:
        barrier = peer.until(MessageType.BARRIER_REQUEST)
        peer.write(Message(MessageType.ECHO_REQUEST, b"busy?", 5))
        assert peer.until(MessageType.ECHO_REPLY).body == b"busy?"
        peer.write(Message(MessageType.BARRIER_REPLY, xid=barrier.xid))
        answer(peer)

    with OpenFlow(serving(serve), BRIDGE) as connection:
        commit(connection, [FLOW])


def test_switch_that_writes_much_before_it_reads(serving: Callable[..., Location]) -> None:
    packets = []

    def serve(peer: Peer) -> None:
        # Both directions have full sockets: 1 MB of flows there, and then 6 MB of packets here.
        peer.until(MessageType.BUNDLE_CONTROL)
        time.sleep(1)
        peer.write(*(Message(MessageType.PACKET_IN, bytes(60_000)) for _ in range(100)))
        answer(peer)

    with OpenFlow(serving(serve), BRIDGE, unasked=packets.append) as connection:
        commit(connection, [FLOW] * 10_000)
    assert len(packets) == 100


def test_messages_in_pieces(serving: Callable[..., Location]) -> None:
    def serve(peer: Peer) -> None:
        barrier = peer.until(MessageType.BARRIER_REQUEST)
        for byte in (
            Message(MessageType.ECHO_REQUEST, b"x").packed + Message(MessageType.BARRIER_REPLY, xid=barrier.xid).packed
        ):
            peer.socket.sendall(bytes((byte,)))
        answer(peer)

    with OpenFlow(serving(serve), BRIDGE) as connection:
        connection.tell()


def test_error_of_another_request_is_not_taken_for_a_refusal(serving: Callable[..., Location]) -> None:
    def serve(peer: Peer) -> None:
        peer.write(Message(MessageType.ERROR, struct.pack("!HH", 1, 5), 0xFFFFFFF0))
        answer(peer)

    with OpenFlow(serving(serve), BRIDGE) as connection:
        commit(connection, [FLOW])


def test_refused_flow_is_shown(serving: Callable[..., Location]) -> None:
    table_full = struct.pack("!HH", 5, 1)

    def serve(peer: Peer) -> None:
        for _ in range(2):
            refused = peer.until(MessageType.BUNDLE_ADD_MESSAGE)
        peer.write(Message(MessageType.ERROR, table_full, refused.xid))
        answer(peer)

    flows = [AddFlow(Flow("Service", priority, Match())) for priority in (11, 12, 13)]
    with OpenFlow(serving(serve), BRIDGE) as connection, pytest.raises(SwitchError, match=r"TABLE_FULL.*priority=12"):
        commit(connection, flows)


def test_all_bytes_arrive_in_order_where_the_socket_takes_only_a_part() -> None:
    near, far = socket.socketpair()
    near.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    sent = b"".join(number.to_bytes(4, "big") for number in range(200_000))
    with far:
        channel = Channel(near, lambda _: None)
        for start in range(0, len(sent), 100_000):
            channel.send(sent[start : start + 100_000])
        received = bytearray()
        while len(received) < len(sent):
            received += far.recv(1 << 16)
        channel.close()
    assert received == sent


def test_refusal_is_named(serving: Callable[..., Location]) -> None:
    def serve(peer: Peer) -> None:
        told = peer.until(MessageType.SET_CONFIG)
        peer.write(Message(MessageType.ERROR, struct.pack("!HH", 10, 0), told.xid))
        answer(peer)

    with OpenFlow(serving(serve), BRIDGE) as connection, pytest.raises(OpenFlowRefusedError, match="OFPSCFC_BAD_FLAGS"):
        connection.tell(Message(MessageType.SET_CONFIG, bytes(4)))


def test_receiver_that_fails_ends_the_connection(serving: Callable[..., Location]) -> None:
    def serve(peer: Peer) -> None:
        peer.until(MessageType.BARRIER_REQUEST)
        peer.write(Message(MessageType.PACKET_IN, bytes(10)))
        answer(peer)

    def fail(_: Message) -> None:
        raise KeyError("no such rule")

    with (
        OpenFlow(serving(serve), BRIDGE, unasked=fail) as connection,
        pytest.raises(LostConnectionError, match="KeyError: 'no such rule'"),
    ):
        connection.tell()


def test_end_of_file_in_the_middle_of_a_message(serving: Callable[..., Location]) -> None:
    ended = threading.Event()

    def serve(peer: Peer) -> None:
        peer.until(MessageType.BARRIER_REQUEST)
        peer.socket.sendall(Message(MessageType.BARRIER_REPLY).packed[:5])

    with OpenFlow(serving(serve), BRIDGE, ended=ended.set) as connection:
        with pytest.raises(LostConnectionError, match=r"connection to bridge br0 in .* is lost: ovs-vswitchd closed"):
            commit(connection, [FLOW])
        assert ended.wait(10)
        with pytest.raises(LostConnectionError):
            connection.tell()


def test_message_that_is_shorter_than_its_header(serving: Callable[..., Location]) -> None:
    def serve(peer: Peer) -> None:
        peer.socket.sendall(HEADER.pack(6, MessageType.BARRIER_REPLY, 7, 1))
        peer.read()

    with (
        OpenFlow(serving(serve), BRIDGE) as connection,
        pytest.raises(LostConnectionError, match="ovs-vswitchd sent a message of 7 bytes"),
    ):
        connection.tell()


def test_switch_that_does_not_answer(serving: Callable[..., Location], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_PATIENCE", 0.2)

    def serve(peer: Peer) -> None:
        while peer.read():
            pass

    with OpenFlow(serving(serve), BRIDGE) as connection:
        with pytest.raises(LostConnectionError, match=r"does not answer in .* within 0.2 seconds"):
            commit(connection, [FLOW])
        with pytest.raises(LostConnectionError, match="is lost"):
            connection.tell()


@pytest.mark.parametrize(
    "greeting",
    [
        Message(MessageType.HELLO, struct.pack("!HHI", 1, 8, 1 << 4), 1).packed,
        Message(MessageType.HELLO, b"", 1, version=5).packed,
        Message(MessageType.ERROR, struct.pack("!HH", 0, 0) + b"no common versions", 1).packed,
    ],
)
def test_bridge_without_openflow_15(serving: Callable[..., Location], greeting: bytes) -> None:
    with pytest.raises(
        SwitchError, match=r"bridge br0 does not speak OpenFlow 1.5; allow it .ovs-vsctl add bridge br0"
    ):
        OpenFlow(serving(lambda _: None, greeting), BRIDGE)


def test_bridge_that_speaks_all_versions_says_only_the_highest(serving: Callable[..., Location]) -> None:
    with OpenFlow(serving(answer, Message(MessageType.HELLO, b"", 1).packed), BRIDGE) as connection:
        connection.tell()


def test_no_such_socket(tmp_path: Path) -> None:
    with pytest.raises(SwitchError, match=r"cannot be reached in .*br0.mgmt: No such file .*; is it running"):
        OpenFlow(Location("unix:none", str(tmp_path)), BRIDGE)


def test_threads_take_turns(serving: Callable[..., Location]) -> None:
    failures = []

    def work(connection: OpenFlow) -> None:
        try:
            for _ in range(50):
                commit(connection, [FLOW] * 3)
        except SwitchError as error:
            failures.append(error)

    with OpenFlow(serving(answer), BRIDGE) as connection:
        threads = [threading.Thread(target=work, args=(connection,)) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert failures == []
