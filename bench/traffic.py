"""Traffic from inside a pod of a lab, with plain sockets. Standard library only: it runs as a separate process.

    python bench/traffic.py serve PORT                          until its input ends
    python bench/traffic.py stream ADDRESS PORT SECONDS         one TCP connection; prints bits a second
    python bench/traffic.py connect ADDRESS PORT COUNT AT_ONCE  short TCP connections; prints connections a second
    python bench/traffic.py flood ADDRESS PORT RATE             UDP packets until its input ends; prints the rate

A short connection carries one byte each way and ends with the client's reset, after which no port waits on either side:
ports are used again within seconds here. A stream ends with the server's count of the bytes that arrived, so bytes on
their way do not count before they arrive.
"""

import selectors
import socket
import struct
import sys
import time

SHORT, LONG = b"?", b"."
PAUSE, BURST = 0.001, 1_000
"""The seconds between two looks at the time, and the packets that a late sender sends at once."""

PATIENCE = 15
"""The seconds after which a connection that is not established is an error."""


def serve(port: int) -> None:
    """Answer both kinds of connections; prints a line when it is ready."""
    with selectors.DefaultSelector() as selector, socket.create_server(("", port), backlog=1024) as server:
        server.setblocking(False)
        selector.register(server, selectors.EVENT_READ)
        selector.register(sys.stdin, selectors.EVENT_READ)
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        counts: dict[socket.socket, int] = {}
        while True:
            for key, _ in selector.select():
                if key.fileobj is sys.stdin:
                    return
                if key.fileobj is server:
                    client, _ = server.accept()
                    selector.register(client, selectors.EVENT_READ)
                    counts[client] = 0
                elif isinstance(key.fileobj, socket.socket) and _is_over(key.fileobj, counts):
                    selector.unregister(key.fileobj)
                    del counts[key.fileobj]
                    key.fileobj.close()


def _is_over(client: socket.socket, counts: dict[socket.socket, int]) -> bool:
    """Read the data of a connection, and answer at its end; True if the connection is over."""
    try:
        data = client.recv(1 << 20)
    except ConnectionError:
        return True
    counts[client] += len(data)
    if data == SHORT:
        client.sendall(SHORT)
    if not data and counts[client]:
        client.sendall(str(counts[client]).encode())
    return not data


def stream(address: str, port: int, seconds: float) -> float:
    """Send as fast as possible for so many seconds; returns bits per second."""
    filling = LONG * (1 << 18)
    with socket.create_connection((address, port), PATIENCE) as client:
        began = time.perf_counter()
        while time.perf_counter() - began < seconds:
            client.sendall(filling)
        client.shutdown(socket.SHUT_WR)
        count = int(client.recv(64))
        return count * 8 / (time.perf_counter() - began)


def connect(address: str, port: int, count: int, at_once: int) -> float:
    """Open, use and close connections, ``at_once`` at a time; returns connections per second."""
    with selectors.DefaultSelector() as selector:
        began = time.perf_counter()
        begun = done = 0
        while done < count:
            while begun < count and begun - done < at_once:
                client = socket.socket()
                client.setblocking(False)
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                client.connect_ex((address, port))
                selector.register(client, selectors.EVENT_WRITE)
                begun += 1
            ready = selector.select(PATIENCE)
            if not ready:
                raise TimeoutError(f"{address} port {port}: no answer within {PATIENCE} s")
            for key, _ in ready:
                if not isinstance(key.fileobj, socket.socket):
                    raise TypeError("only sockets are waited for")
                if key.events == selectors.EVENT_WRITE:
                    key.fileobj.send(SHORT)
                    selector.modify(key.fileobj, selectors.EVENT_READ)
                else:
                    key.fileobj.recv(64)
                    selector.unregister(key.fileobj)
                    key.fileobj.close()
                    done += 1
        return count / (time.perf_counter() - began)


def flood(address: str, port: int, rate: int) -> float:
    """Send packets, ``rate`` in a second or as many as possible, until the input ends; returns packets per second."""
    with selectors.DefaultSelector() as selector, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        selector.register(sys.stdin, selectors.EVENT_READ)
        client.connect((address, port))
        began, sent = time.perf_counter(), 0
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        while not selector.select(PAUSE):
            due = int((time.perf_counter() - began) * rate)
            for _ in range(min(due - sent, BURST)):
                client.send(SHORT)
                sent += 1
        return sent / (time.perf_counter() - began)


def main() -> None:
    """Do what the command line says."""
    match sys.argv[1:]:
        case ["serve", port]:
            serve(int(port))
        case ["stream", address, port, seconds]:
            sys.stdout.write(f"{stream(address, int(port), float(seconds))}\n")
        case ["connect", address, port, count, at_once]:
            sys.stdout.write(f"{connect(address, int(port), int(count), int(at_once))}\n")
        case ["flood", address, port, rate]:
            sys.stdout.write(f"{flood(address, int(port), int(rate))}\n")
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    main()
