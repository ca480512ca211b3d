"""Reads PORT: ``6379`` (TCP), ``53/udp``, ``9899/sctp``, or a port's name, also with a protocol: ``dns/udp``."""

import re
from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from ovsnp.analysis.naming.ends import ClusterIPEnd, Destination, name_of
from ovsnp.analysis.naming.near_names import advice, either, nearest
from ovsnp.errors import UsageError
from ovsnp.model.ports import Protocol
from ovsnp.model.service import Service
from ovsnp.oracle import ICMP, PodEnd, Traffic

_WORD = re.compile(r"[A-Za-z0-9]")
"""The first character of a port, which is a number or a name."""
_PROTOCOLS = {protocol.lower(): protocol for protocol in Protocol}


class WrittenPort(msgspec.Struct, frozen=True):
    """PORT as it is written: a number from 1 to 65535 or a name; ``protocol`` is None where none is written."""

    port: int | str
    protocol: Protocol | None


class _Named(NamedTuple):
    name: str
    protocol: Protocol
    number: int


def read_port(text: str) -> WrittenPort:
    """Read PORT; raises UsageError where the text is no port."""
    port, slash, protocol = text.partition("/")
    if slash and protocol.lower() not in _PROTOCOLS:
        hint = f"; did you mean {protocol}/{port}?" if port.lower() in _PROTOCOLS else ""
        raise UsageError(
            f"{text}: {protocol or 'nothing'} is no protocol of ports; write /tcp, /udp or /sctp"
            f" behind a number from 1 to 65535, or a port's name{hint}"
        )
    if not _WORD.match(port):
        raise UsageError(f"{text!r} is no port; write a number from 1 to 65535, or a port's name")
    wanted = _PROTOCOLS[protocol.lower()] if slash else None
    if not (port.isascii() and port.isdigit()):
        return WrittenPort(port, wanted)
    if not 1 <= int(port) <= 65535:
        raise UsageError(f"{text}: {port} is no port; write a number from 1 to 65535")
    return WrittenPort(int(port), wanted)


def traffics(port: WrittenPort | None, destination: Destination) -> tuple[Traffic, ...]:
    """The traffic that PORT means at this destination: more than one where several ports have the name.

    A number without a protocol is a TCP port. Without PORT it is every port of a Service, and elsewhere `ICMP`, which
    stands for all traffic without ports. Raises UsageError, with the nearest names, for a name that no port of the
    destination has, and for a Service without ports where there is no PORT.
    """
    if port is None:
        if isinstance(destination, ClusterIPEnd) and destination.service:
            if not destination.service.ports:
                raise UsageError(f"{name_of(destination)} has no ports, so nothing passes to it; name a PORT")
            return tuple(Traffic(each.protocol, each.number) for each in destination.service.ports)
        return (ICMP,)
    if isinstance(port.port, int):
        return (Traffic(port.protocol or Protocol.TCP, port.port),)
    named = _names_at(destination, port.port)
    found = [each for each in named if each.name == port.port and port.protocol in (None, each.protocol)]
    if found:
        return tuple(dict.fromkeys(Traffic(each.protocol, each.number) for each in found))
    raise UsageError(_unknown(port, name_of(destination), named))


def _names_at(destination: Destination, wanted: str) -> Sequence[_Named]:
    match destination:
        case PodEnd(pod=pod):
            return [_Named(each.name, each.protocol, each.number) for each in pod.ports]
        case ClusterIPEnd(service=Service(ports=ports)):
            return [_Named(each.name, each.protocol, each.number) for each in ports if each.name]
        case _:
            where = name_of(destination)
            raise UsageError(f"{where} has no names of ports, so {wanted} is none there; write the port's number")


def _unknown(port: WrittenPort, where: str, named: Sequence[_Named]) -> str:
    others = list(dict.fromkeys(f"{each.name}/{each.protocol.lower()}" for each in named if each.name == port.port))
    if others:
        return f"{where} has no port {port.port} of {port.protocol}; did you mean {either(others)}?"
    names = [each.name for each in named]
    hint = advice(nearest(str(port.port), names), names, "names of ports")
    return f"{where} has no port of the name {port.port}; {hint}"
