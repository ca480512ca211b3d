"""The changes between two measurements, as sentences."""

from collections.abc import Collection, Iterable, Iterator, Sequence

from ovsnp.analysis.wording.ports import traffic_name
from ovsnp.lab.hosts import Host, HostKind
from ovsnp.lab.matrix import Matrix
from ovsnp.lab.matrix_text import GAINED, LOST, NONE, Pair, changed, marks
from ovsnp.model.address import FAMILIES, family
from ovsnp.oracle import Traffic

VERBS = {LOST: ("no longer reach", "anyone"), GAINED: ("now reach", "all")}


def changes(before: Matrix, after: Matrix) -> Iterator[str]:
    """Sentences such as ``6379/tcp: myproject/* now reach default/db-1``; none where nothing changed.

    A change in one address family only has that family in its sentence: ``6379/tcp over IPv6: ...``.
    """
    spoken: dict[tuple[str, str], set[int]] = {}
    for traffic in after.traffics:
        for version in FAMILIES:
            for sentence in _sentences(before, after, traffic, version):
                spoken.setdefault((sentence, traffic_name(traffic)), set()).add(version)
    gathered: dict[tuple[str, str], list[str]] = {}
    present = {family(address) for host in after.hosts for address in host.addresses}
    for (sentence, name), versions in spoken.items():
        over = "" if versions == present else f" over IPv{versions.pop()}"
        gathered.setdefault((sentence, over), []).append(name)
    for (sentence, over), traffics in gathered.items():
        yield f"{', '.join(traffics)}{over}: {sentence}"


def _sentences(before: Matrix, after: Matrix, traffic: Traffic, version: int) -> Iterator[str]:
    old, new = marks(before, traffic, [version]), marks(after, traffic, [version])
    for mark, (verb, everyone) in VERBS.items():
        pairs = [pair for pair in new if changed(new[pair], old.get(pair)) == mark]
        # "all but X": X are the hosts with the opposite result now, not the hosts whose result did not change.
        opposite = {pair for pair, now in new.items() if (now == NONE) == (mark == GAINED)}
        for sources, destinations in blocks(pairs):
            apart = {one for one, other in opposite if other in destinations}
            who = names(sources, apart, after.hosts, "all")
            apart = {other for one, other in opposite if one in sources}
            yield f"{who} {verb} {names(destinations, apart, after.hosts, everyone)}"


def blocks(pairs: Sequence[Pair]) -> list[tuple[list[Host], list[Host]]]:
    """Group pairs into blocks of sources times destinations, by source or by destination, whichever gives fewer.

    The missing pair of a host with itself does not split a block.
    """
    by_source = _gather(pairs)
    by_destination = _gather([(destination, source) for source, destination in pairs])
    if len(by_source) < len(by_destination):
        return by_source
    return [(sources, destinations) for destinations, sources in by_destination]


def _gather(pairs: Iterable[Pair]) -> list[tuple[list[Host], list[Host]]]:
    """Group the first hosts of the pairs that have the same partners, apart from themselves; with the partners."""
    partners: dict[Host, set[Host]] = {}
    for host, partner in pairs:
        partners.setdefault(host, set()).add(partner)
    found: list[tuple[list[Host], set[Host]]] = []
    for host, own in partners.items():
        for hosts, shared in found:
            together = shared | own
            if all(partners[member] == together - {member} for member in [*hosts, host]):
                hosts.append(host)
                shared.update(own)
                break
        else:
            found.append(([host], set(own)))
    return [(hosts, list(shared)) for hosts, shared in found]


def names(hosts: Sequence[Host], apart: Collection[Host], everyone: Sequence[Host], word: str) -> str:
    """Name ``hosts`` in few words: ``word`` if they are all hosts, else their names, or ``word`` but ``apart``."""
    included = _names(hosts, everyone)
    excluded = _names([host for host in apart if host not in hosts], everyone)
    if len(hosts) == len(everyone):
        return word
    return f"{word} but {', '.join(excluded)}" if 0 < len(excluded) < len(included) else ", ".join(included)


def _names(hosts: Sequence[Host], everyone: Sequence[Host]) -> list[str]:
    """The names of hosts, in the order of ``everyone``; a complete group of at least two hosts has one name."""
    groups: dict[str, list[Host]] = {}
    for host in everyone:
        groups.setdefault(host.group, []).append(host)
    found = []
    for group, members in groups.items():
        chosen = [host.name for host in members if host in hosts]
        if len(chosen) == len(members) > 1:
            found.append(
                {HostKind.NODE: "the nodes", HostKind.OUTSIDE: "the hosts outside"}.get(members[0].kind, f"{group}/*")
            )
        else:
            found.extend(chosen)
    return found
