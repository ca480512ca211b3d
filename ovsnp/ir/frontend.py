"""Frontends, the Services of one node's bridge: a cluster IP and port, and the endpoints behind it."""

from typing import NamedTuple

import msgspec

from ovsnp.model.address import Address
from ovsnp.model.ports import Protocol


class Backend(NamedTuple):
    """The address and port of an endpoint."""

    address: Address
    port: int


class Frontend(msgspec.Struct, frozen=True):
    """One cluster IP with one port of the Service; without ``backends`` the bridge drops the traffic.

    ``service`` is ``NAMESPACE/NAME``. ``affinity`` is the time in seconds for which a client keeps its endpoint (None:
    no affinity). The endpoints in ``leaving`` are still listed, but get no new connections: they are not ready, or
    terminate.
    """

    service: str
    protocol: Protocol
    address: Address
    port: int
    backends: tuple[Backend, ...]
    affinity: int | None
    leaving: frozenset[Backend] = frozenset()
