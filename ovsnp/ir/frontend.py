"""Services as one node's bridge sees them: a cluster IP and port, and the endpoints behind it."""

from typing import NamedTuple

import msgspec

from ovsnp.model.address import Address
from ovsnp.model.ports import Protocol


class Backend(NamedTuple):
    """An endpoint: its address and port."""

    address: Address
    port: int


class Frontend(msgspec.Struct, frozen=True):
    """One cluster IP with one of its Service's ports; without ``backends`` its traffic is dropped.

    ``service`` is ``NAMESPACE/NAME``. ``affinity`` is the seconds for which a client keeps its endpoint.
    ``leaving`` get no new connections, but are still listed: they are not ready, or end.
    """

    service: str
    protocol: Protocol
    address: Address
    port: int
    backends: tuple[Backend, ...]
    affinity: int | None
    leaving: frozenset[Backend] = frozenset()
