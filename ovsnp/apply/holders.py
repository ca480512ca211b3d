"""Finds the addresses that have a new holder since the last `apply`.

A pod is deleted, and another pod gets its address: the connections of the first pod in conntrack must not let a packet
of the second pod pass. `apply` distinguishes the two pods by their UIDs, which it keeps from one run to the next. They
are in a file beside the lock of the bridge, for these reasons:

- The directory is a tmpfs. It outlives ovs-vswitchd, as the kernel's conntrack does, and ends with a reboot, as every
  conntrack does.
- It is fast: 100,000 addresses are 4.4 MB, which are encoded, read and compared in 0.13 s. They are written only if a
  holder has changed, in 15 ms, as a whole by a rename; an agent appends only what has changed. As ``external_ids`` in
  Open vSwitch's database they would be one row of 6 MB, which ovsdb-server would write to its disk at each change, and
  send to every client that monitors the bridge.
- Conntrack itself could name the pod (by the label of an entry), but its 128 bits are in use, and an entry has two
  pods.

Without such a file (at the first run, or after somebody removed it), the pods of the connections in conntrack are
unknown: all connections are forgotten.
"""

import struct
from collections.abc import Callable, Iterable, Iterator, Mapping

import msgspec

from ovsnp.model.address import FAMILIES, Address, family, format_address
from ovsnp.model.changes import keep
from ovsnp.model.cluster import Pod
from ovsnp.pipeline.registers import CARRIED_LABEL
from ovsnp.switch.conntrack import Tracked

Holders = dict[Address, str]
"""For each address a text that distinguishes its pod from every other pod that has had the address."""

_CARRIED_BYTES = CARRIED_LABEL.bits // 8


class _Record(msgspec.Struct, array_like=True):
    version: int
    holders: dict[Address, str]


_VERSION = 2
_LENGTH = struct.Struct("!I")
_read = msgspec.msgpack.Decoder(_Record).decode
_read_changes = msgspec.msgpack.Decoder(dict[Address, str | None]).decode


class ChangedHolders(msgspec.Struct, frozen=True):
    """The addresses that lost, got or changed their holder; ``addresses`` is None if unknown: then all count."""

    addresses: frozenset[Address] | None

    def __bool__(self) -> bool:
        return self.addresses is None or bool(self.addresses)

    @property
    def known(self) -> bool:
        """True if the earlier holders are known."""
        return self.addresses is not None

    def __contains__(self, address: object) -> bool:
        return self.addresses is None or address in self.addresses

    @property
    def families(self) -> tuple[int, ...]:
        """The address families of the addresses."""
        if self.addresses is None:
            return FAMILIES
        return tuple(sorted({family(address) for address in self.addresses}))

    def concerned(self, version: int) -> Callable[[Tracked], bool]:
        """A predicate that is true for connections of a family to or from one of the addresses.

        Connections of a masqueraded pod have the gateway of its node as their source; their label identifies the pod.
        """
        if self.addresses is None:
            return lambda _: True
        ours = [address for address in self.addresses if family(address) == version]
        texts = frozenset(map(format_address, ours))
        carried = frozenset(int.from_bytes(address[-_CARRIED_BYTES:], "big") for address in ours)

        def concerns(tracked: Tracked) -> bool:
            ends = (tracked.source, tracked.destination, tracked.answers, tracked.answered)
            return not texts.isdisjoint(ends) or tracked.label >> CARRIED_LABEL.lsb in carried

        return concerns


def holders(pods: Iterable[Pod]) -> Holders:
    """The holder of each address: the pods of all nodes."""
    return {address: pod.holder for pod in pods for address in pod.addresses}


def record(now: Holders) -> bytes:
    """The holders as bytes, to keep until the next run; the same bytes for the same pods."""
    return _frame(_Record(_VERSION, now))


def record_changes(now: Mapping[Address, str | None]) -> bytes:
    """The new holders of some addresses (None: no holder) as bytes, to append to a `record`."""
    return _frame(now)


def _frame(content: object) -> bytes:
    encoded = msgspec.msgpack.encode(content)
    return _LENGTH.pack(len(encoded)) + encoded


def changed(before: bytes | None, now: Holders) -> ChangedHolders:
    """Compare with the last `record` and the changes appended to it.

    If ``before`` is None or cannot be read, the earlier holders are unknown. Changes that were not written to their end
    do not count: the addresses in them then seem to have changed.
    """
    if before == record(now):
        return ChangedHolders(frozenset())
    frames = _frames(before or b"")
    try:
        kept = _read(next(frames, b""))
        if kept.version != _VERSION:
            return ChangedHolders(None)
        for each in frames:
            keep(kept.holders, _read_changes(each))
    except msgspec.DecodeError:
        return ChangedHolders(None)
    return ChangedHolders(frozenset(address for address, _ in kept.holders.items() ^ now.items()))


def _frames(content: bytes) -> Iterator[bytes]:
    """The parts of a record that were written to their end."""
    position = 0
    while (begin := position + _LENGTH.size) <= len(content):
        position = begin + _LENGTH.unpack_from(content, position)[0]
        if position <= len(content):
            yield content[begin:position]
