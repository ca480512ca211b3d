"""Packets to one pod all the time: new connections that may or may not be allowed, and an open one that must go on."""

import time
from pathlib import Path
from typing import NamedTuple

from ovsnp.model.address import parse_address
from ovsnp.model.mac import derived_mac
from ovsnp.model.ports import Protocol
from ovsnp.pipeline.ports import ROUTER_MAC
from tests.ovs.frames import End, Flag, Packet, frame
from tests.support.dummy_traffic import DeliveredPackets, RoundsOfPackets
from tests.support.instance import DummySwitch

_PATIENCE = 60.0
_PAUSE = 0.01


class Party(NamedTuple):
    """A pod: the name of its interface, and its IPv4 address."""

    interface: str
    address: str

    @property
    def mac(self) -> int:
        mac = derived_mac([parse_address(self.address)])
        assert mac
        return mac


class Prober(RoundsOfPackets):
    """Sends from clients to a server in rounds, each with new source ports, while the context is open.

    ``capture`` is the file of all packets that come out at the server. ``kept`` is the connection that must go on: a
    round ends when its packet has come out, and otherwise ``failure`` says that it was cut.
    """

    def __init__(self, switch: DummySwitch, server: Party, capture: Path, clients: tuple[Party, ...]) -> None:
        super().__init__(switch, _PAUSE)
        self._server, self._clients = server, clients
        self._captured = DeliveredPackets(capture)
        self.delivered = self._captured.count()

    def open(self, port: int) -> None:
        """Open the connection that must go on, from the first client."""
        self.kept = Packet(Protocol.TCP, End(self._clients[0].address, 999), End(self._server.address, port))
        self._send(self._clients[0], self.kept._replace(flags=Flag.SYN))
        assert self._comes_out(self._clients[0].address, port)
        self._send(self._server, self.kept.answer(Flag.SYN | Flag.ACK))

    def probe(self, ports: tuple[int, ...]) -> None:
        """The ports of the server to which every client connects."""
        self._ports = ports

    def send_round(self) -> None:
        """A new connection from every client to every port, and a packet of the open connection."""
        for client in self._clients:
            source = End(client.address, self.source_port())
            for port in self._ports:
                self._send(client, Packet(Protocol.TCP, source, End(self._server.address, port), Flag.SYN))
        self._send(self._clients[0], self.kept._replace(flags=Flag.ACK))
        if not self._comes_out(self._clients[0].address, self.kept.destination.port):
            self.failure = f"the open connection was cut in round {self.rounds}"

    def _send(self, sender: Party, packet: Packet) -> None:
        self.send(sender.interface, frame(packet, sender.mac, ROUTER_MAC))

    def _comes_out(self, client: str, port: int) -> bool:
        """Wait until one more packet from a client to a port comes out."""
        before, until = self.delivered[client, port], time.monotonic() + _PATIENCE
        while self._captured.count()[client, port] == before:
            if time.monotonic() > until:
                return False
        return True
