"""Sets of traffic as ranges of ports, and in words: ``6379/tcp, 8000-8010/udp``, ``all``, ``none``."""

from collections.abc import Iterator, Mapping

import msgspec

from ovsnp.analysis.wording.ports import range_words
from ovsnp.model.cluster import Pod
from ovsnp.model.ports import Protocol
from ovsnp.oracle.classes import Classes
from ovsnp.oracle.ranges import Range, union

ALL, NONE = "all", "none"

Ports = Mapping[Protocol, tuple[Range, ...]]
"""The ports (1 to 65535) of each protocol in a set."""

Names = Mapping[tuple[Protocol, int], str]
"""The names that a pod gives to its ports."""


class Traffics(msgspec.Struct, frozen=True):
    """A set of traffic: the ports (1 to 65535) of each protocol, and whether it holds traffic without ports."""

    ports: Ports
    portless: bool

    @property
    def everything(self) -> bool:
        """True if the set holds all traffic."""
        return self.portless and all(self.ports.get(each) == (_EVERY_PORT,) for each in Protocol)


_EVERY_PORT = Range(1, 65535)


def traffics_of(classes: Classes, bits: int) -> Traffics:
    """The traffic that ``bits`` mean, one bit for each class; without port 0, since no rule can name it."""
    ports: dict[Protocol, tuple[Range, ...]] = {}
    for protocol in Protocol:
        chosen = (each for each in classes.traffic if each.protocol is protocol and bits >> each.number & 1)
        runs = union(run for each in chosen for run in each.ranges)
        ports[protocol] = tuple(Range(max(run.first, 1), run.last) for run in runs if run.last)
    return Traffics(
        {protocol: runs for protocol, runs in ports.items() if runs}, bool(bits >> len(classes.traffic) - 1)
    )


def names_of(pod: Pod) -> Names:
    """The names that a pod gives to its ports; the first name of a port with two names."""
    return {(port.protocol, port.number): port.name for port in reversed(pod.ports)}


def traffics_words(traffics: Traffics) -> str:
    """The words for a set, protocol by protocol; ``icmp`` stands for all protocols without ports."""
    if traffics.everything:
        return ALL
    return ", ".join([*_ports_words(traffics.ports, {}), *(["icmp"] if traffics.portless else [])]) or NONE


def ports_words(ports: Ports, names: Names) -> str:
    """The words for ports, protocol by protocol: ``80/tcp (http)`` for a named port; ``all ports``; ``no port``."""
    if all(ports.get(each) == (_EVERY_PORT,) for each in Protocol):
        return "all ports"
    return ", ".join(_ports_words(ports, names)) or "no port"


def _ports_words(ports: Ports, names: Names) -> Iterator[str]:
    for protocol, runs in ports.items():
        for run in runs:
            name = names.get((protocol, run.first)) if run.first == run.last else None
            yield f"{_run_words(protocol, run)} ({name})" if name else _run_words(protocol, run)


def _run_words(protocol: Protocol, run: Range) -> str:
    return f"all {protocol.lower()}" if run == _EVERY_PORT else range_words(protocol, *run)
