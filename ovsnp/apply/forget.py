"""Makes conntrack forget connections: those of the last holder of an address, or to an endpoint that is gone."""

from collections.abc import Callable, Iterable

import msgspec

from ovsnp.apply.holders import ChangedHolders
from ovsnp.errors import SwitchError
from ovsnp.pipeline.conntrack import SNAT_ZONE, ZONE
from ovsnp.pipeline.registers import ADMITTED, SERVICE_LABEL
from ovsnp.switch.conntrack import Conntrack, Tracked

_ROUNDS = 4


class Forgotten(msgspec.Struct, frozen=True):
    """The number of connections that were forgotten, and the conntrack zones that had to be emptied."""

    connections: int = 0
    emptied: tuple[int, ...] = ()

    def __add__(self, other: "Forgotten") -> "Forgotten":
        return Forgotten(self.connections + other.connections, (*self.emptied, *other.emptied))


def remembered(tracker: Conntrack, changed: ChangedHolders) -> int:
    """The number of connections that `forget` would make conntrack forget."""
    return sum(len(_concerned(tracker, zone, version, changed)) for version, zone in _zones(changed))


def forget(tracker: Conntrack, changed: ChangedHolders) -> Forgotten:
    """Make conntrack forget every connection to or from the changed addresses, which must be closed.

    Raises SwitchError if connections are left.
    """
    return sum((_forget(tracker, zone, version, changed) for version, zone in _zones(changed)), Forgotten())


def _zones(changed: ChangedHolders) -> list[tuple[int, int]]:
    return [(version, zones[version]) for zones in (ZONE, SNAT_ZONE) for version in changed.families]


def _forget(tracker: Conntrack, zone: int, version: int, changed: ChangedHolders) -> Forgotten:
    """Flush connections of a zone, and read the zone again until they are gone."""
    found = left = _concerned(tracker, zone, version, changed)
    emptied: tuple[int, ...] = ()
    for _ in range(_ROUNDS):
        if not left:
            return Forgotten(len(found), emptied)
        if changed.addresses is None:
            tracker.flush_zone(zone)
        else:
            emptied = emptied or _flush(tracker, zone, left)
        left = [each for each in _concerned(tracker, zone, version, changed) if not _given_since(each)]
    raise SwitchError(
        f"conntrack does not forget {len(left)} connections of zone {zone} whose addresses have another holder"
        f" (the first is {left[0].tuple}); nothing passes to or from these addresses until apply succeeds"
    )


def _flush(tracker: Conntrack, zone: int, connections: Iterable[Tracked]) -> tuple[int, ...]:
    """Flush connections; if the datapath cannot flush one alone, flush its zone, and return the zone."""
    for each in connections:
        if not tracker.flush(zone, each):
            tracker.flush_zone(zone)
            return (zone,)
    return ()


def _concerned(tracker: Conntrack, zone: int, version: int, changed: ChangedHolders) -> list[Tracked]:
    return list(filter(changed.concerned(version), tracker.entries(zone)))


def _given_since(tracked: Tracked) -> bool:
    """True if a Service has chosen the new holder as endpoint, and no packet of the connection has passed."""
    return bool(tracked.label >> SERVICE_LABEL.lsb & 1) and not tracked.label >> ADMITTED.lsb & 1


def cut(tracker: Conntrack, gone: Callable[[Tracked], bool]) -> Forgotten:
    """Make conntrack forget connections to endpoints of Services that are gone. Raises SwitchError."""
    done = Forgotten()
    for zone in ZONE.values():
        found = [*filter(gone, tracker.entries(zone))]
        done += Forgotten(len(found), _flush(tracker, zone, found))
    return done
