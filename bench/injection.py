"""Puts packets into the dummy ports of a bridge, and reads what its datapath did with them."""

import re
import time
from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import zip_longest
from typing import NamedTuple

from bench.bridge import NodeBridge, port_name
from bench.connections import Connection
from bench.process import processor_time

AT_ONCE = 64
"""The number of connections that are opened together: a dummy port holds at most 100 waiting packets."""


class Cost(NamedTuple):
    """The cost of a workload on one bridge."""

    megaflows: int
    upcalls: int
    recirculations: int
    tracked: int
    wall: float
    processor: float


class Datapath:
    """Puts packets into a bridge's dummy ports, and reads what the datapath did."""

    def __init__(self, bridge: NodeBridge, numbers: dict[str, int]) -> None:
        self._switch = bridge.switch
        # No megaflow may expire meanwhile, so that the number of megaflows is the number of all that were made.
        self._switch.run(["ovs-vsctl", "set", "Open_vSwitch", ".", "other_config:max-idle=600000"])
        self._ports = {key: port_name(number) for key, number in numbers.items()}
        self._pid = int((bridge.switch.directory / "ovs-vswitchd.pid").read_text(encoding="utf-8"))
        self._sent = self._statistics()["packets"]

    def prime(self, announcements: dict[str, str]) -> None:
        """Let every pod announce itself, so that a learning switch learns it, and delete the megaflows of this step."""
        self._send(announcements.items())
        self._switch.appctl("dpctl/del-flows")

    def carry(self, connections: Sequence[Connection], router: int | None) -> Cost:
        """Open all connections, some at a time: all first packets, then all second ones, then all third ones."""
        chunks = [
            list(zip_longest(*(each.packets(router) for each in connections[start : start + AT_ONCE])))
            for start in range(0, len(connections), AT_ONCE)
        ]
        before, megaflows = self._statistics(), 0
        began, busy = time.perf_counter(), self._processor_time()
        for steps in chunks:
            for step in steps:
                self._send([packet for packet in step if packet is not None])
            megaflows = max(megaflows, self._megaflows())
        wall, processor = time.perf_counter() - began, self._processor_time() - busy
        after = self._statistics()
        upcalls, recirculations = (after[name] - before[name] for name in ("upcalls", "recirculations"))
        tracked = int(self._switch.appctl("dpctl/ct-get-nconns"))
        return Cost(megaflows, upcalls, recirculations, tracked, wall, processor)

    def _send(self, packets: Iterable[tuple[str, str]]) -> None:
        """Put packets into the ports of their senders, and wait until the datapath has taken them all."""
        packets = list(packets)
        by_port: dict[str, list[str]] = defaultdict(list)
        for sender, frame in packets:
            by_port[self._ports[sender]].append(frame)
        for port, frames in by_port.items():
            self._switch.appctl("netdev-dummy/receive", port, *frames)
        self._sent += len(packets)
        deadline = time.monotonic() + 10
        while self._statistics()["packets"] < self._sent:
            if time.monotonic() > deadline:
                raise RuntimeError(f"{self._sent} packets sent, {self._statistics()['packets']} taken")

    def _statistics(self) -> dict[str, int]:
        text = self._switch.appctl("dpctl/show", "-s")
        packets, hits, misses = (_sum(pattern, text) for pattern in (r"RX packets:", r"lookups: hit:", r" missed:"))
        return {"packets": packets, "recirculations": hits + misses - packets, "upcalls": misses}

    def _megaflows(self) -> int:
        return _sum(r"^ +flows: ", self._switch.appctl("dpctl/show"))

    def _processor_time(self) -> float:
        """The processor time of the daemon so far, in seconds."""
        return processor_time(self._pid)


def _sum(label: str, text: str) -> int:
    """The sum of all numbers after a label."""
    return sum(int(number) for number in re.findall(rf"{label}(\d+)", text, re.M))
