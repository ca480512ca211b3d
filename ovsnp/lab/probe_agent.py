"""A probe agent: runs inside a namespace or container, answers probes and sends them. Standard library only.

It reads one JSON object a line from standard input, writes one answer a line to standard output, and ends with its
input. An answer ``{"error": TEXT}`` means that the request failed.

``{"listen": [[PROTOCOL, ADDRESS, PORT], ...]}``
    echoes on these from now on; answer ``{"listening": COUNT}``.
``{"probe": [[PROTOCOL, SOURCE, DESTINATION, PORT], ...], "within": SECONDS, "timeout": SECONDS}``
    tries all of them, and begins each at a random moment within that time; answer
    ``{"results": [[OUTCOME, SEEN], ...]}`` in the same order.

A probe sends a random number (in a stream, with a full segment behind it) and is ``connected`` when the number comes
back; SEEN is the source address that the server saw and sent with the number. ``silence``: nothing came back in time.
``unanswered``: a stream was established, but the number did not come back. ``garbled``: other data came back, and SEEN
is that data. ``refused`` and ``unreachable``: the attempt ended with an error; for ``unreachable``, SEEN is the error's
text. The kernel answers ICMP without the address that it saw, so SEEN is empty.
"""

import asyncio
import itertools
import json
import os
import random
import socket
import struct
import sys
from collections.abc import Coroutine
from typing import Any

# No source port is used twice: packets of an open connection pass without a policy check, and conntrack keeps a
# connection for a while.
_PORTS = itertools.cycle(range(32768, 61000))
for _ in range(random.randrange(28000)):
    next(_PORTS)

_STREAMS = {"tcp": socket.IPPROTO_TCP, "sctp": getattr(socket, "IPPROTO_SCTP", 132)}
# Seconds. The kernel repeats a SYN after a second; UDP and ICMP have no such repetition, so the agent repeats them.
_RESEND = 0.3

# A full segment in each direction: only a large packet shows whether the tunnel can carry it.
_FILLING = b"." * 1400

_tasks: set[asyncio.Task[None]] = set()


def _keep(work: Coroutine[Any, Any, None]) -> None:
    """Run in the background; the event loop itself holds only weak references to tasks."""
    task = asyncio.get_running_loop().create_task(work)
    _tasks.add(task)
    task.add_done_callback(_tasks.discard)


def _socket(protocol: str, address: str) -> socket.socket:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    if protocol == "udp":
        made = socket.socket(family, socket.SOCK_DGRAM)
    elif protocol == "icmp":
        number = socket.IPPROTO_ICMPV6 if family == socket.AF_INET6 else socket.IPPROTO_ICMP
        made = socket.socket(family, socket.SOCK_RAW, number)
    else:
        made = socket.socket(family, socket.SOCK_STREAM, _STREAMS[protocol])
    made.setblocking(False)
    return made


def listen(protocol: str, address: str, port: int) -> None:
    """Echo on an address; raises OSError where that is not possible."""
    server = _socket(protocol, address)
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    server.bind((address, port))
    if protocol == "udp":
        _keep(_echo_datagrams(server))
    else:
        server.listen(1024)
        _keep(_accept(server))


async def _echo_datagrams(server: socket.socket) -> None:
    loop = asyncio.get_running_loop()
    while True:
        try:
            data, sender = await loop.sock_recvfrom(server, 64)
            await loop.sock_sendto(server, data + b" " + sender[0].encode(), sender)
        except OSError:
            # An ICMP error about an earlier answer; it does not concern the next datagram.
            continue


async def _accept(server: socket.socket) -> None:
    loop = asyncio.get_running_loop()
    while True:
        client, sender = await loop.sock_accept(server)
        client.setblocking(False)
        _keep(_echo_stream(client, sender[0]))


async def _echo_stream(client: socket.socket, sender: str) -> None:
    loop = asyncio.get_running_loop()
    with client:
        try:
            async with asyncio.timeout(60):
                line = await _line(client)
                await loop.sock_sendall(client, line + b" " + sender.encode() + b"\n")
        except (OSError, TimeoutError):
            return


async def _line(stream: socket.socket) -> bytes:
    """The bytes up to the newline, without it, or up to the end of the stream."""
    loop = asyncio.get_running_loop()
    line = b""
    while not line.endswith(b"\n") and (more := await loop.sock_recv(stream, 4096)):
        line += more
    return line.removesuffix(b"\n")


async def probe(protocol: str, source: str, destination: str, port: int, timeout: float) -> tuple[str, str]:
    """Try once; give the outcome and SEEN."""
    nonce = os.urandom(8).hex().encode()
    attempt = {"udp": _ask_datagram, "icmp": _ask_echo}.get(protocol, _ask_stream)
    try:
        with _socket(protocol, source) as client:
            if protocol == "icmp":
                client.bind((source, 0))
            else:
                _bind(client, source)
            try:
                answer = await asyncio.wait_for(attempt(client, (destination, port), nonce), timeout)
            except TimeoutError:
                return ("unanswered" if _is_established(client) else "silence"), ""
    except (ConnectionRefusedError, ConnectionResetError):
        return "refused", ""
    except OSError as error:
        return "unreachable", os.strerror(error.errno) if error.errno else str(error)
    echoed, _, seen = answer.partition(b" ")
    return ("connected", seen.decode()) if echoed == nonce else ("garbled", answer.decode(errors="replace"))


def _is_established(client: socket.socket) -> bool:
    if client.type != socket.SOCK_STREAM:
        return False
    try:
        client.getpeername()
    except OSError:
        return False
    return True


def _bind(client: socket.socket, source: str) -> None:
    for port in itertools.islice(_PORTS, 1000):
        try:
            client.bind((source, port))
        except OSError as error:
            if error.errno != 98:  # EADDRINUSE
                raise
        else:
            return


async def _ask_stream(client: socket.socket, destination: tuple[str, int], nonce: bytes) -> bytes:
    loop = asyncio.get_running_loop()
    await loop.sock_connect(client, destination)
    await loop.sock_sendall(client, nonce + _FILLING + b"\n")
    return (await _line(client)).replace(_FILLING, b"")


async def _ask_datagram(client: socket.socket, destination: tuple[str, int], nonce: bytes) -> bytes:
    loop = asyncio.get_running_loop()
    client.connect(destination)
    while True:
        client.send(nonce)
        try:
            return await asyncio.wait_for(loop.sock_recv(client, 128), _RESEND)
        except TimeoutError:
            continue


async def _ask_echo(client: socket.socket, destination: tuple[str, int], nonce: bytes) -> bytes:
    loop = asyncio.get_running_loop()
    client.connect((destination[0], 0))
    version = 6 if client.family == socket.AF_INET6 else 4
    request, reply = {4: (8, 0), 6: (128, 129)}[version]
    message = _echo_message(request, next(_PORTS), nonce, checksum=version == 4)
    while True:
        client.send(message)
        try:
            async with asyncio.timeout(_RESEND):
                while True:
                    packet = await loop.sock_recv(client, 256)
                    # A raw IPv4 socket returns the IP header too.
                    answer = packet[(packet[0] & 15) * 4 :] if version == 4 else packet
                    if answer[0] == reply and answer[4:8] == message[4:8]:
                        return answer[8:]
        except TimeoutError:
            continue


def _echo_message(kind: int, identifier: int, payload: bytes, *, checksum: bool) -> bytes:
    message = struct.pack("!BBHHH", kind, 0, 0, identifier, 1) + payload
    if not checksum:
        return message
    total = sum(struct.unpack(f"!{len(message) // 2}H", message))
    total = (total >> 16) + (total & 0xFFFF)
    total += total >> 16
    return message[:2] + struct.pack("!H", ~total & 0xFFFF) + message[4:]


async def _answer(request: dict[str, Any]) -> dict[str, Any]:
    if "listen" in request:
        for protocol, address, port in request["listen"]:
            listen(protocol, address, port)
        return {"listening": len(request["listen"])}
    attempts = [_begun(request["within"], *probe, request["timeout"]) for probe in request["probe"]]
    return {"results": await asyncio.gather(*attempts)}


async def _begun(within: float, *arguments: Any) -> tuple[str, str]:
    # All probes at once would overflow the switch's sockets, and TCP would repeat the lost packets all at once too.
    await asyncio.sleep(random.uniform(0, within))
    return await probe(*arguments)


async def main() -> None:
    """Serve requests until the input ends."""
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(limit=2**24)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        try:
            answer = await _answer(json.loads(line))
        except OSError as error:
            answer = {"error": str(error)}
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(main())
