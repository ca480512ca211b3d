"""Protocols and the port entries of NetworkPolicy rules."""

from enum import StrEnum

import msgspec


class Protocol(StrEnum):
    """The protocols that a port entry can name."""

    TCP = "TCP"
    UDP = "UDP"
    SCTP = "SCTP"


class PortEntry(msgspec.Struct, frozen=True, order=True):
    """One item of a rule's ``ports``: a protocol, and a port: every port (None), a number, a range, or a name.

    ``end_port`` is inclusive and is set only beside a number; ports are 1 to 65535.
    """

    protocol: Protocol = Protocol.TCP
    port: int | str | None = None
    end_port: int | None = None


class ContainerPort(msgspec.Struct, frozen=True, order=True):
    """A named port of one of a pod's containers."""

    name: str
    protocol: Protocol
    number: int
