"""Which addresses have changed their holder since the last `apply`.

A pod goes, and another one gets its address: what conntrack remembers of the first one's connections must not let a
packet of the second one's pass. `apply` tells the two apart by the pods' UIDs, which it keeps from one run to the
next. They are in a file beside the bridge's lock, for these reasons:

- The directory is a tmpfs. It outlives ovs-vswitchd, as the kernel's conntrack does, and ends with a reboot, as every
  conntrack does.
- It is quick: 100,000 addresses are 4.4 MB, which are encoded, read and compared in 0.13 s; they are written only where
  a holder changed, in 15 ms, whole by a rename. As ``external_ids`` in Open vSwitch's database they would be one row
  of 6 MB, which ovsdb-server writes to its disk at each change, and sends to everybody who follows the bridge.
- Conntrack itself could tell (an entry's label), but its 128 bits are in use, and an entry has two pods.

Where there is no such file (at first, or where somebody removed it), nobody knows whose connections conntrack
remembers: all are forgotten.
"""

from collections.abc import Callable

import msgspec

from ovsnp.model.address import FAMILIES, Address, family, format_address
from ovsnp.model.cluster import Cluster
from ovsnp.pipeline.registers import CARRIED_LABEL
from ovsnp.switch.conntrack import Tracked

Holders = dict[Address, str]
"""What tells the pod with an address from every other that has had it."""

_CARRIED_BYTES = CARRIED_LABEL.bits // 8


class _Record(msgspec.Struct, array_like=True):
    version: int
    holders: dict[Address, str]


_VERSION = 1
_read = msgspec.msgpack.Decoder(_Record).decode


class ChangedHolders(msgspec.Struct, frozen=True):
    """The addresses whose holder went, came or changed; ``addresses`` is None where nobody knows: then it is all."""

    addresses: frozenset[Address] | None

    def __bool__(self) -> bool:
        return self.addresses is None or bool(self.addresses)

    @property
    def known(self) -> bool:
        """Whether it is known who held which address."""
        return self.addresses is not None

    def __contains__(self, address: object) -> bool:
        return self.addresses is None or address in self.addresses

    @property
    def families(self) -> tuple[int, ...]:
        """Of the addresses."""
        if self.addresses is None:
            return FAMILIES
        return tuple(sorted({family(address) for address in self.addresses}))

    def concerned(self, version: int) -> Callable[[Tracked], bool]:
        """Tells which connections of a family are to or from one of the addresses.

        Those of a masqueraded pod have its node's gateway as their source; their label says whose they are.
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


def holders(cluster: Cluster) -> Holders:
    """Who holds which address: the pods of all nodes."""
    return {address: pod.holder for pod in cluster.pods for address in pod.addresses}


def record(now: Holders) -> bytes:
    """What to keep of it until the next time; the same for the same pods."""
    return msgspec.msgpack.encode(_Record(_VERSION, now))


def changed(before: bytes | None, now: Holders) -> ChangedHolders:
    """Compare with what `record` made the last time; None or what is not understood is taken for nothing known."""
    if before == record(now):
        return ChangedHolders(frozenset())
    try:
        kept = _read(before or b"")
    except msgspec.DecodeError:
        return ChangedHolders(None)
    if kept.version != _VERSION:
        return ChangedHolders(None)
    return ChangedHolders(frozenset(address for address, _ in kept.holders.items() ^ now.items()))
