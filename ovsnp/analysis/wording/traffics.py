"""Sets of traffic in ranges of ports, and in words: ``6379/tcp, 8000-8010/udp``, ``all``, ``none``."""

from collections.abc import Iterator, Mapping

import msgspec

from ovsnp.analysis.wording.ports import range_words
from ovsnp.model.cluster import Pod
from ovsnp.model.ports import Protocol
from ovsnp.oracle.classes import Classes
from ovsnp.oracle.ranges import Range, union

ALL, NONE = "all", "none"

Ports = Mapping[Protocol, tuple[Range, ...]]
"""Of each protocol that is in a set, the ports, 1 to 65535."""

Names = Mapping[tuple[Protocol, int], str]
"""What a pod calls its ports."""


class Traffics(msgspec.Struct, frozen=True):
    """A set of traffic: of each protocol the ports, 1 to 65535, and whether what has no ports is in it."""

    ports: Ports
    portless: bool

    @property
    def everything(self) -> bool:
        """Whether nothing is left out."""
        return self.portless and all(self.ports.get(each) == (_EVERY_PORT,) for each in Protocol)


_EVERY_PORT = Range(1, 65535)


def traffics_of(classes: Classes, bits: int) -> Traffics:
    """The traffic that bits stand for, one a class; port 0 is left out, since no rule can name it."""
    ports: dict[Protocol, tuple[Range, ...]] = {}
    for protocol in Protocol:
        chosen = (each for each in classes.traffic if each.protocol is protocol and bits >> each.number & 1)
        runs = union(run for each in chosen for run in each.ranges)
        ports[protocol] = tuple(Range(max(run.first, 1), run.last) for run in runs if run.last)
    return Traffics(
        {protocol: runs for protocol, runs in ports.items() if runs}, bool(bits >> len(classes.traffic) - 1)
    )


def names_of(pod: Pod) -> Names:
    """What a pod calls its ports; a port of two names by the first."""
    return {(port.protocol, port.number): port.name for port in reversed(pod.ports)}


def traffics_words(traffics: Traffics) -> str:
    """All of a set, protocol by protocol; ``icmp`` stands for every protocol without ports."""
    if traffics.everything:
        return ALL
    return ", ".join([*_ports_words(traffics.ports, {}), *(["icmp"] if traffics.portless else [])]) or NONE


def ports_words(ports: Ports, names: Names) -> str:
    """As `traffics_words` of what has ports, ``all ports`` and ``no port``; a port with its name: ``80/tcp (http)``."""
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
