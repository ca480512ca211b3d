"""Ports and traffic as users write them."""

from ovsnp.model.ports import Protocol
from ovsnp.oracle import Traffic

PORTLESS = "icmp"
"""The word for all protocols without ports."""


def range_words(protocol: Protocol, first: int | str, last: int | None = None) -> str:
    """Ports ``first`` to ``last`` (None: one port, by its number or name): ``6379/tcp``, ``8000-8010/udp``."""
    ports = f"{first}" if last in (None, first) else f"{first}-{last}"
    return f"{ports}/{protocol.lower()}"


def traffic_name(traffic: Traffic) -> str:
    """``6379/tcp``, or `PORTLESS`."""
    if traffic.protocol is None or traffic.port is None:
        return PORTLESS
    return range_words(traffic.protocol, traffic.port)
