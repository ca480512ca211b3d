"""Turns port entries into ranges, and port names into the numbers that pods give them."""

from collections.abc import Iterable, Sequence

from ovsnp.ir.ruleset import PortRange
from ovsnp.model.ports import ContainerPort, PortEntry


def numbered(entries: Iterable[PortEntry]) -> tuple[PortRange, ...]:
    """The entries without a port name, as sorted ranges."""
    return tuple(sorted({_range(entry) for entry in entries if not isinstance(entry.port, str)}))


def _range(entry: PortEntry) -> PortRange:
    if not isinstance(entry.port, int):
        return PortRange(entry.protocol)
    return PortRange(entry.protocol, entry.port, entry.end_port or entry.port)


def named(entries: Iterable[PortEntry]) -> tuple[PortEntry, ...]:
    """The entries with a port name."""
    return tuple(entry for entry in entries if isinstance(entry.port, str))


def named_port_ranges(entries: Sequence[PortEntry], held: Sequence[ContainerPort]) -> tuple[PortRange, ...]:
    """The ports that named entries stand for at a destination pod with these named ports, sorted."""
    return tuple(
        sorted(
            {
                PortRange(port.protocol, port.number, port.number)
                for entry in entries
                for port in held
                if (port.name, port.protocol) == (entry.port, entry.protocol)
            }
        )
    )


def variant(name: str, meaning: tuple[PortRange, ...]) -> str:
    """The name of a rule or of a peer set, for one meaning of its named ports."""
    return f"{name} ({', '.join(map(str, meaning))})" if meaning else name
