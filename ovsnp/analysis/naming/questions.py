"""Resolves SRC, DST and PORT of a command line to connections."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import msgspec

from ovsnp.analysis.naming.ends import ClusterIPEnd, Destination, Source, Target, name_of
from ovsnp.analysis.naming.ports import read_port, traffics
from ovsnp.analysis.naming.roster import Roster
from ovsnp.analysis.wording.ports import PORTLESS
from ovsnp.errors import UsageError
from ovsnp.model.address import family
from ovsnp.oracle import ICMP, Endpoint, PodEnd, Traffic

_MOST = 1_000_000
"""The most pairs of addresses in one question."""


class Connection(msgspec.Struct, frozen=True):
    """One connection that a source opens; the oracle's `judge`, or `judge_service` for a cluster IP, judges it."""

    source: Endpoint
    destination: Destination
    traffic: Traffic


class Question(msgspec.Struct, frozen=True):
    """A user's question: the full names, the connections (at least one), and notes for the user.

    ``several`` is True if an end is several pods or nodes: then there is one answer only where these do not differ.
    """

    source: str
    destination: str
    connections: tuple[Connection, ...]
    notes: tuple[str, ...] = ()
    several: bool = False


class Pairs(msgspec.Struct, frozen=True):
    """The pairs of ends in a question: the full names, the pairs (at least one), and notes for the user.

    Both ends of a pair have the same family. ``several`` is as in `Question`. A pod is paired with itself only where
    there is no other pair.
    """

    source: str
    destination: str
    pairs: tuple[tuple[Endpoint, Destination], ...]
    notes: tuple[str, ...] = ()
    several: bool = False


class Written(NamedTuple):
    """SRC, DST and PORT as a user writes them; PORT is ``icmp`` for traffic without ports.

    ``version`` (4 or 6) limits the question to one address family.
    """

    source: str
    destination: str
    port: str | None = None
    version: int | None = None


def read_question(roster: Roster, written: Written) -> Question:
    """The connections of a question: one for each address family that both ends have and each port with the name.

    Without PORT it is every port of a Service, and elsewhere traffic without ports. Raises UsageError, with the nearest
    names, where an end or a port does not exist, where one of several pods has no port of that name, and where the ends
    share no address family.
    """
    port = None if written.port in (None, PORTLESS) else read_port(written.port)
    pairs = read_pairs(roster, written)
    if written.port == PORTLESS and any(isinstance(far, ClusterIPEnd) for _, far in pairs.pairs):
        raise UsageError(f"{pairs.destination} is a cluster IP, which has ports only; write one of them as PORT")
    connections = tuple(Connection(*pair, traffic) for pair in pairs.pairs for traffic in traffics(port, pair[1]))
    notes = (*pairs.notes, *_notes(pairs.destination, written.port, connections))
    return Question(pairs.source, pairs.destination, connections, tuple(dict.fromkeys(notes)), pairs.several)


def read_pairs(roster: Roster, written: Written) -> Pairs:
    """The ends of a question, whatever PORT is: a pair for each address family that both ends have.

    Raises UsageError as `read_question` does.
    """
    source, target = roster.source(written.source), roster.destination(written.destination)
    pairs = tuple(_of_one_family(source, target, written.version))
    silent = [] if any(_takes_part(*pair) for pair in pairs) else ["no pod takes part, so no policy applies"]
    notes = (*source.notes, *target.notes, *_apart(source, target, pairs), *silent)
    several = any(len(pods) > 1 for pods in (_holders(source.ends), _holders(target.ends)))
    return Pairs(source.name, target.name, pairs, tuple(dict.fromkeys(notes)), several)


def _of_one_family(source: Source, target: Target, version: int | None) -> list[tuple[Endpoint, Destination]]:
    for end in (source, target):
        if version is not None and version not in map(_version, end.ends):
            raise UsageError(f"{end.name} has no IPv{version} address")
    if len(source.ends) * len(target.ends) > _MOST:
        raise UsageError(
            f"{source.name} and {target.name} are {len(source.ends)} and {len(target.ends)} addresses, too many for all"
            " pairs; name fewer, or ask ovsnp matrix"
        )
    pairs = [(near, far) for near in source.ends for far in target.ends if _version(near) == _version(far)]
    if not pairs:
        here, there = _version(source.ends[0]), _version(target.ends[0])
        raise UsageError(
            f"{source.name} has only IPv{here} and {target.name} only IPv{there}: nothing connects the two; "
            "name ends of one address family"
        )
    asked = [pair for pair in pairs if version in (None, _version(pair[0]))]
    return [pair for pair in asked if not _is_itself(*pair)] or asked


def _is_itself(source: Endpoint, destination: Destination) -> bool:
    """True if both ends are the same; never for a template, which stands for several different pods."""
    several = isinstance(source, PodEnd) and source.pod.template
    return name_of(source) == name_of(destination) and not several


def _holders(ends: Iterable[Destination]) -> set[str]:
    return {name_of(end) for end in ends}


def _apart(source: Source, target: Target, pairs: Sequence[tuple[Endpoint, Destination]]) -> list[str]:
    """A note on pairs that share no address family, for which there is no question; empty where there are none."""
    near, far = _holders(source.ends), _holders(target.ends)
    met = {(name_of(each), name_of(other)) for each, other in pairs}
    left = len(near) * len(far) - len(near & far) - sum(one != other for one, other in met)
    return [f"pairs of pods that share no address family are left out: {left}"] if left > 0 else []


def _version(end: Destination) -> int:
    return family(end.address)


def _notes(target: str, port: str | None, connections: Sequence[Connection]) -> list[str]:
    """Notes on assumptions of the answer that the user may not have meant."""
    if port is None and any(each.traffic == ICMP for each in connections):
        return ["no PORT: asked of what has no ports, such as ICMP, which only rules without ports admit"]
    if port is None:
        return [f"no PORT: asked of every port of {target}"]
    if len({each.traffic for each in connections}) > 1:
        return [f"{port} is the name of several ports of {target}"]
    return []


def _takes_part(source: Endpoint, destination: Destination) -> bool:
    return isinstance(source, PodEnd) or isinstance(destination, PodEnd | ClusterIPEnd)
