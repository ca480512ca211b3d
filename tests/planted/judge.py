"""Finds out whether a planted defect changes anything: Open vSwitch traces packets with it and without it."""

import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from random import Random
from resource import RLIMIT_AS, prlimit
from typing import NamedTuple

from msgspec.structs import replace

from ovsnp.errors import SwitchError
from ovsnp.model.address import family
from ovsnp.model.bridge import BridgePorts
from ovsnp.model.cluster import Cluster
from ovsnp.model.options import Options
from ovsnp.switch.ofctl import show_fragments
from tests.planted.defects import Planted
from tests.planted.outcome import Outcome, outcome, tables
from tests.planted.packets import Packet, Packets, values, wanted
from tests.planted.written import Line, written
from tests.support.instance import DummySwitch
from tests.support.traced import OPTION_MAP

POOL, TRIED, NEAR, HASHES = 500, 60, 120, 16
"""Packets for one bridge; of these, packets tried with a defect; packets made for a defect; the limit of hashes."""
_MOST_MEMORY = 3 << 30
"""Limit for ovs-vswitchd, in bytes: flows with a defect may resubmit without end."""
_GOOD, _BAD = "good", "bad"


class RefusedError(Exception):
    """Open vSwitch refuses the flows."""


class Before(NamedTuple):
    """A packet, its outcome without a defect, and the tables where it met a flow."""

    packet: Packet
    outcome: Outcome
    tables: frozenset[int]


class Difference(NamedTuple):
    """A packet with another outcome once there is a defect; no packet: ovs-vswitchd has ended."""

    packet: Packet | None
    before: Outcome | None = None
    after: Outcome | None = None


class Judge:
    """Two bridges with the flows of one node: one is as compiled, the other has the defect."""

    def __init__(
        self, switch: DummySwitch, bridge: tuple[Cluster, BridgePorts, Options], lines: Sequence[Line], random: Random
    ) -> None:
        cluster, ports, options = bridge
        assert options.node is not None
        self._switch, self._random = switch, random
        held = [address for pod in cluster.pods if pod.key in ports.pods for address in pod.addresses]
        self._has_pods = {version: any(family(each) == version for each in held) for version in (4, 6)}
        self._nobody = replace(cluster, pods=(), nodes={}, services=())
        self._numbers = [ports.tunnel, ports.gateway.ofport, *(port.ofport for port in ports.pods.values())]
        prlimit(switch.daemons["ovs-vswitchd"].pid, RLIMIT_AS, (_MOST_MEMORY, _MOST_MEMORY))
        self._datapath: dict[str, dict[int, int]] = {}
        for name in (_GOOD, _BAD):
            self._add(name)
        self._load(_GOOD, lines)
        self._packets = Packets(cluster, ports, options.node, random, values(lines, cluster))
        self._pool = [self._before(self._packets.make()) for _ in range(POOL)]

    def close(self) -> None:
        """Delete the bridges."""
        for name in (_GOOD, _BAD):
            self._switch.delete_bridge(name)

    def difference(self, planted: Planted) -> Difference | None:
        """A packet that shows the defect, if one is found; raises RefusedError where Open vSwitch refuses the flows."""
        try:
            self._load(_BAD, planted.lines)
        except SwitchError as error:
            raise RefusedError(str(error)) from error
        for before in self._tried(planted):
            try:
                after = self._trace(_BAD, before.packet)[0]
            except (SwitchError, OSError, AssertionError):
                if self._switch.daemons["ovs-vswitchd"].poll() is None:
                    raise
                return Difference(None)
            if self._matters(before, after):
                return Difference(before.packet, before.outcome, after)
        return None

    def _matters(self, before: Before, after: Outcome) -> bool:
        """Whether outcomes differ. A lookup in a SNAT zone counts only if it is lost and local pods have the family."""
        one, two = before.outcome, after
        if not self._has_pods[6 if "ipv6_dst" in before.packet.fields else 4] or set(one.undone) <= set(two.undone):
            one, two = one._replace(undone=()), two._replace(undone=())
        if not one.left and not two.left and set(two.tracked) < set(one.tracked):
            # Conntrack need not remember a connection if the bridge drops its packets.
            return False
        return one != two

    def differs(self, command: Sequence[str]) -> bool:
        """Whether the loaded defect changes the outcome of a packet, given as `ofproto/trace` takes it."""
        return any(self._follow(_GOOD, each) != self._follow(_BAD, each) for each in _hashed(command))

    def _follow(self, name: str, command: Sequence[str]) -> Outcome:
        mark, label = (re.search(rf"{field}=(\w+)", command[0]) for field in ("ct_mark", "ct_label"))
        text = self._switch.appctl("ofproto/trace", name, *command)
        return self._there(name, outcome(text, int(mark[1], 0) if mark else 0, int(label[1], 0) if label else 0))

    def _tried(self, planted: Planted) -> Iterator[Before]:
        """Packets that meet the table with the defect, then variants of them with the values that its flows match."""
        met = [each for each in self._pool if planted.table is None or planted.table in each.tables]
        yield from self._random.sample(met, min(len(met), TRIED))
        if not met:
            return
        fields, near = wanted(planted.changed), values(planted.changed, self._nobody)
        for _ in range(NEAR):
            made = self._packets.near(self._random.choice(met).packet, fields, near)
            # No packet may have the fields that come from changes one by one.
            with suppress(SwitchError):
                yield self._before(made)

    def _before(self, packet: Packet) -> Before:
        return Before(packet, *self._trace(_GOOD, packet))

    def _trace(self, name: str, packet: Packet) -> tuple[Outcome, frozenset[int]]:
        text = self._switch.appctl("ofproto/trace", name, *packet.command())
        return self._there(name, outcome(text, packet.mark, packet.label)), tables(text)

    def _there(self, name: str, found: Outcome) -> Outcome:
        """The outcome with OpenFlow port numbers in place of those of the datapath."""
        return found._replace(left=tuple(str(self._datapath[name].get(int(each), each)) for each in found.left))

    def _add(self, name: str) -> None:
        self._switch.add_bridge(name, {f"{name}-{number}": number for number in self._numbers})
        show_fragments(self._switch.location, name)
        self._switch.run(["ovs-ofctl", "-O", "OpenFlow15", "add-tlv-map", name, OPTION_MAP])
        self._datapath[name] = self._switch.datapath_ports(name)

    def _load(self, name: str, lines: Sequence[Line]) -> None:
        text = f"flow delete\ngroup delete\n{written(lines)}"
        self._switch.run(["ovs-ofctl", "-O", "OpenFlow15", "bundle", name, "-"], text)


def _hashed(command: Sequence[str]) -> Iterator[Sequence[str]]:
    """A packet with several hashes, by which a select group chooses."""
    flow, *options = command
    yield from ([f"{flow},dp_hash={number * 0x9E3779B1 % (1 << 32)}", *options] for number in range(1, HASHES))
