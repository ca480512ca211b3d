"""Port entries to ranges, and names to the numbers that pods give them."""

from collections.abc import Iterable, Sequence

from ovsnp.ir.ruleset import PortRange
from ovsnp.model.ports import ContainerPort, PortEntry


def numbered(entries: Iterable[PortEntry]) -> tuple[PortRange, ...]:
    """The entries that hold no name, as ranges."""
    return tuple(sorted({_range(entry) for entry in entries if not isinstance(entry.port, str)}))


def _range(entry: PortEntry) -> PortRange:
    if not isinstance(entry.port, int):
        return PortRange(entry.protocol)
    return PortRange(entry.protocol, entry.port, entry.end_port or entry.port)


def named(entries: Iterable[PortEntry]) -> tuple[PortEntry, ...]:
    """The entries that hold a name."""
    return tuple(entry for entry in entries if isinstance(entry.port, str))


def named_port_ranges(entries: Sequence[PortEntry], held: Sequence[ContainerPort]) -> tuple[PortRange, ...]:
    """The ports that named entries mean at a destination pod with these named ports."""
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
