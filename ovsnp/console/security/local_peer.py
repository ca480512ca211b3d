"""Which user has opened a connection over the loopback interface.

A browser sends the cookies of a host to every port of it, so a server of another user on this host can get the cookie
of the console; and the list of processes shows the URL with which a browser was started. Neither is of use to that user
if the console answers programs of its own user only.
"""

import os
import sys
from collections.abc import Iterator
from ipaddress import ip_address
from pathlib import Path

Endpoint = tuple[str, int]

_TCP, _TCP6, _LOGIN = Path("/proc/net/tcp"), Path("/proc/net/tcp6"), Path("/proc/self/loginuid")
_LOCAL, _REMOTE, _USER, _INODE = 1, 2, 7, 9
"""The columns of the tables of connections (proc_net_tcp.txt of Linux)."""

_MAPPED = bytes(10) + b"\xff\xff"
"""Before an IPv4 address of a socket for IPv6."""


def is_of_another_user(client: Endpoint, server: Endpoint) -> bool:
    """True if the client's end of a connection is of another user, or of a process that has closed it.

    Root is no other user, and neither is the one who has become this user by sudo or su. False where the system does
    not tell.
    """
    try:
        return user_of(client, server) not in _own_users()
    except OSError:
        return False


def user_of(client: Endpoint, server: Endpoint) -> int | None:
    """The user of the client's end; None if no process has it. Raises OSError if the system does not tell."""
    ends = {*zip(_columns(client), _columns(server), strict=True)}
    tables = _TCP.read_text() + (_TCP6.read_text() if _TCP6.exists() else "")
    for line in tables.splitlines():
        fields = line.split()
        # The end of a process that has closed it has the inode 0, and its column of the user then says root.
        if (fields[_LOCAL], fields[_REMOTE]) in ends and fields[_INODE] != "0":
            return int(fields[_USER])
    return None


def _columns(end: Endpoint) -> Iterator[str]:
    """An end as the tables have it: words of four bytes in the order of this machine, and the port."""
    host, port = end
    address = ip_address(host)
    for packed in (address.packed, *([_MAPPED + address.packed] if address.version == 4 else [])):
        words = (int.from_bytes(packed[at : at + 4], sys.byteorder) for at in range(0, len(packed), 4))
        yield f"{''.join(f'{word:08X}' for word in words)}:{port:04X}"


def _own_users() -> set[int]:
    users = {0, os.geteuid()}
    if (sudo := os.environ.get("SUDO_UID", "")).isdigit():
        users.add(int(sudo))
    if _LOGIN.exists():
        users.add(int(_LOGIN.read_text()))
    return users
