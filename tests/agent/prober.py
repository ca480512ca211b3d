"""Packets to one pod all the time: new connections that may or may not be allowed, and an open one that must go on."""

import threading
import time
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import NamedTuple

from ovsnp.errors import SwitchError
from ovsnp.model.address import parse_address
from ovsnp.model.mac import derived_mac
from ovsnp.model.ports import Protocol
from ovsnp.pipeline.ports import ROUTER_MAC
from ovsnp.switch.control import control
from tests.ovs.frames import End, Flag, Packet, frame
from tests.support.dummy_traffic import DeliveredPackets
from tests.support.instance import DummySwitch

_PATIENCE = 90.0
_AGAIN = 1.0
"""Seconds: how long the open connection may wait for its next packet, and after which the client sends it again."""

_PAUSE = 0.01
_GLANCE = 0.0005


class Party(NamedTuple):
    """A pod: the name of its interface, and its IPv4 address."""

    interface: str
    address: str

    @property
    def mac(self) -> int:
        mac = derived_mac([parse_address(self.address)])
        assert mac
        return mac


class Prober:
    """Sends from clients to a server in rounds, each with new source ports, between `start` and `stop`.

    ``capture`` is the file of all packets that come out at the server. ``kept`` is the connection that must go on: a
    round ends when one of its packets has come out, and otherwise ``failure`` says that it was cut. While ovs-vswitchd
    or a port is away, packets are lost, as in a network.
    """

    def __init__(self, switch: DummySwitch, server: Party, capture: Path, clients: tuple[Party, ...]) -> None:
        self._switch = switch
        self._connection = ExitStack()
        self._connect()
        self._server, self._clients = server, clients
        self._ports: tuple[int, ...] = ()
        self._captured = DeliveredPackets(capture)
        self.delivered = self._captured.count()
        self.rounds = 0
        self.failure = ""
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def open(self, port: int) -> None:
        """Open the connection that must go on, from the first client."""
        self.kept = Packet(Protocol.TCP, End(self._clients[0].address, 999), End(self._server.address, port))
        assert self._comes_out(self.kept._replace(flags=Flag.SYN))
        self._send(self._server, self.kept.answer(Flag.SYN | Flag.ACK))

    def probe(self, ports: tuple[int, ...]) -> None:
        """The ports of the server to which every client connects."""
        self._ports = ports

    def start(self) -> None:
        """Carry out rounds all the time, in a thread."""
        self._thread.start()

    def stop(self) -> None:
        """End the rounds."""
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join()
        self._connection.close()

    def round(self) -> frozenset[tuple[str, int]]:
        """Carry out one round; returns the client and the port of each packet that came out meanwhile."""
        before = self.delivered.copy()
        source_port = 1024 + self.rounds % 64000
        for client in self._clients:
            for port in self._ports:
                asked = Packet(
                    Protocol.TCP, End(client.address, source_port), End(self._server.address, port), Flag.SYN
                )
                self._send(client, asked)
        if not self._comes_out(self.kept._replace(flags=Flag.ACK)) and not self._ended.is_set():
            self.failure = f"the open connection was cut in round {self.rounds}"
        self.rounds += 1
        return frozenset(self.delivered - before)

    def _run(self) -> None:
        while not self._ended.wait(_PAUSE) and not self.failure:
            self.round()

    def _send(self, sender: Party, packet: Packet) -> None:
        data = frame(packet, sender.mac, ROUTER_MAC)
        try:
            self._control.command("netdev-dummy/receive", sender.interface, data)
        except SwitchError:  # another ovs-vswitchd may run by now
            with suppress(SwitchError):
                self._connect()

    def _connect(self) -> None:
        self._connection.close()
        self._control = self._connection.enter_context(control(self._switch.location))

    def _comes_out(self, packet: Packet) -> bool:
        """Send a packet of the first client, again and again, until one from there comes out at this port."""
        key, until = (self._clients[0].address, packet.destination.port), time.monotonic() + _PATIENCE
        before = self.delivered[key]
        while time.monotonic() < until and not self._ended.is_set():
            self._send(self._clients[0], packet)
            again = time.monotonic() + _AGAIN
            while time.monotonic() < again:
                time.sleep(_GLANCE)
                if self._captured.count()[key] > before:
                    return True
        return False
