"""Network namespaces by name (`ip netns`), and operations that are possible only inside one."""

import ctypes
import fcntl
import os
import socket
import struct
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

DIRECTORY = Path("/run/netns")

_CLONE_NEWNET = 0x40000000
# linux/sockios.h, linux/ethtool.h
_SIOCETHTOOL = 0x8946
_ETHTOOL_STXCSUM = 0x17


def handle(name: str) -> Path:
    """The file that represents a namespace."""
    return DIRECTORY / name


@contextmanager
def inside(name: str) -> Iterator[None]:
    """Run this thread inside a namespace; raises OSError where no namespace has that name."""
    with open("/proc/thread-self/ns/net", "rb") as home, handle(name).open("rb") as there:
        _set_namespace(there.fileno())
        try:
            yield
        finally:
            _set_namespace(home.fileno())


def _set_namespace(descriptor: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.setns(descriptor, _CLONE_NEWNET) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"setns: {os.strerror(number)}")


def set_sysctls(name: str, settings: Mapping[str, str]) -> None:
    """Set kernel parameters of a namespace, ``net.*`` only; raises OSError where one cannot be set."""
    with inside(name):
        for key, value in settings.items():
            Path("/proc/sys", *key.split(".")).write_text(value, encoding="ascii")


def disable_checksum_offload(name: str, interface: str) -> None:
    """Make the kernel fill in checksums: Open vSwitch's userspace datapath forwards packets from a veth unchanged.

    The same as ``ethtool -K INTERFACE tx off``.
    """
    with inside(name), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        value = ctypes.create_string_buffer(struct.pack("=II", _ETHTOOL_STXCSUM, 0))
        fcntl.ioctl(control, _SIOCETHTOOL, struct.pack("16sP", interface.encode(), ctypes.addressof(value)))


def processes(names: list[str]) -> list[int]:
    """The ids of the processes in any of these namespaces, except in the namespace of this process."""
    identities = set()
    for name in names:
        with suppress(OSError):
            status = handle(name).stat()
            identities.add((status.st_dev, status.st_ino))
    home = os.stat("/proc/self/ns/net")
    identities.discard((home.st_dev, home.st_ino))
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(OSError):
                status = (entry / "ns/net").stat()
                if (status.st_dev, status.st_ino) in identities:
                    found.append(int(entry.name))
    return sorted(found)
