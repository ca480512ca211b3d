"""Established TCP connections between hosts of a lab."""

import select
import socket
from collections.abc import Iterator
from contextlib import contextmanager

from tests.lab.ground import Ground
from tests.support.lab_datapath import patient

PATIENCE = patient(60.0)
SILENCE = patient(1.0)


class Connection:
    """An established TCP connection between two hosts."""

    def __init__(self, ground: Ground, client: str, server: str, port: int, service: str = "") -> None:
        """Connect to the server's address; with a Service, to the cluster IP and port 16379."""
        address = ground.address(server, 4)
        with ground.socket(server, socket.AF_INET, socket.SOCK_STREAM) as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((address, port))
            listener.listen()
            listener.settimeout(PATIENCE)
            self.client = ground.socket(client, socket.AF_INET, socket.SOCK_STREAM)
            self.client.settimeout(PATIENCE)
            self.client.connect((ground.cluster_ip(service, 4), 16379) if service else (address, port))
            self.server, _ = listener.accept()
        self.server.settimeout(PATIENCE)
        self.rounds = 0
        assert self.client_speaks()
        assert self.server_speaks()

    def client_speaks(self, patience: float = PATIENCE) -> bool:
        """True if new data from the client reaches the server in time."""
        return self._reaches(self.client, self.server, patience)

    def server_speaks(self, patience: float = PATIENCE) -> bool:
        """True if new data from the server reaches the client in time."""
        return self._reaches(self.server, self.client, patience)

    def server_speaks_to_nobody(self) -> None:
        """No data from the server reaches the client; raises ConnectionResetError where the client's kernel resets."""
        assert not self.server_speaks(SILENCE)
        self.server.recv(1)

    def _reaches(self, one: socket.socket, other: socket.socket, patience: float) -> bool:
        self.rounds += 1
        one.sendall(word := self.rounds.to_bytes(4, "big"))
        got = b""
        while word not in got:
            if not select.select([other], [], [], patience)[0]:
                return False
            more = other.recv(1 << 16)
            assert more, "the other end has closed"
            got += more
        return True

    def close(self) -> None:
        """Close both ends; neither waits for the other."""
        self.client.close()
        self.server.close()


@contextmanager
def connections(*opened: Connection) -> Iterator[tuple[Connection, ...]]:
    """Connections for the time of the context."""
    try:
        yield opened
    finally:
        for connection in opened:
            connection.close()
