"""Sets of traffic in ranges of ports, and in words: ``6379/tcp, 8000-8010/udp``, ``all``, ``none``."""

from collections.abc import Iterable, Iterator

import msgspec

from ovsnp.model.ports import Protocol
from ovsnp.verify.classes import Classes
from ovsnp.verify.ranges import Range, union

ALL, NONE = "all", "none"


class Traffics(msgspec.Struct, frozen=True):
    """A set of traffic: of each protocol the ports, 1 to 65535, and whether what has no ports is in it."""

    ports: dict[Protocol, tuple[Range, ...]]
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


def traffics_words(traffics: Traffics) -> str:
    """All of a set, protocol by protocol; ``icmp`` stands for every protocol without ports."""
    if traffics.everything:
        return ALL
    parts = [words for protocol, runs in traffics.ports.items() for words in _runs_words(protocol, runs)]
    return ", ".join([*parts, *(["icmp"] if traffics.portless else [])]) or NONE


def _runs_words(protocol: Protocol, runs: Iterable[Range]) -> Iterator[str]:
    for run in runs:
        if run == _EVERY_PORT:
            yield f"all {protocol.lower()}"
        else:
            numbers = f"{run.first}" if run.first == run.last else f"{run.first}-{run.last}"
            yield f"{numbers}/{protocol.lower()}"
