"""What the drop log says: a drop, or the number of drops that it could not report; as JSON and as a line of text."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from ovsnp.document import Count

Time = Annotated[str, Meta(description="RFC 3339, in UTC")]


class TrafficEnd(msgspec.Struct, frozen=True):
    """An end of a connection: an address, and the pod (NAMESPACE/NAME) or the node that has it."""

    address: str
    pod: str | None = None
    node: str | None = None

    def __str__(self) -> str:
        return self.pod or (f"node {self.node} ({self.address})" if self.node else self.address)


class OpenedTo(msgspec.Struct, frozen=True):
    """The cluster IP and port that a connection was opened to, and the Service (NAMESPACE/NAME) that has them."""

    address: str
    port: int
    service: str | None = None

    def __str__(self) -> str:
        return f"{self.service or self.address}:{self.port}"


class DroppedTraffic(msgspec.Struct, frozen=True):
    """Packets that the bridge drops for one reason.

    ``reason`` is the direction of the policies (``isolated`` names the pod that they isolate), or ``tunnel-guard`` for
    tunnel packets that a pod makes itself. ``port`` is the destination port (null: the packet has none, or it could not
    be read), ``via`` the cluster IP by which the connection came, as far as this node knows it.
    """

    reason: Literal["egress", "ingress", "tunnel-guard"]
    source: TrafficEnd
    destination: TrafficEnd
    protocol: str
    port: int | None
    icmp_type: int | None
    via: OpenedTo | None
    isolated: str | None
    policies: Sequence[str]

    def __str__(self) -> str:
        return f"{self.source} to {self.destination}, {self._what}{self._via}: {self._why}"

    @property
    def _what(self) -> str:
        if self.port is not None:
            return f"{self.port}/{self.protocol}"
        return self.protocol if self.icmp_type is None else f"{self.protocol} type {self.icmp_type}"

    @property
    def _via(self) -> str:
        return f" (by {self.via})" if self.via else ""

    @property
    def _why(self) -> str:
        if self.reason == "tunnel-guard":
            return "a pod may not send tunnel packets to a node"
        if not self.policies:
            return f"{self.reason}, no policy isolates {self.isolated or 'the pod'} any more"
        return f"{self.reason}, {self.isolated} is isolated by {', '.join(self.policies)}"


class Drop(msgspec.Struct, frozen=True, tag="drop", tag_field="kind"):
    """Equal drops within a second: ``time`` is that of the first, ``count`` the number of packets."""

    time: Time
    traffic: DroppedTraffic
    count: Count

    def __str__(self) -> str:
        packets = "" if self.count == 1 else f" ({self.count} packets)"
        return f"{_clock(self.time)}  {self.traffic}{packets}"

    def concerns(self, pod: str) -> bool:
        """True if the pod is an end."""
        return pod in (self.traffic.source.pod, self.traffic.destination.pod)


class Unreported(msgspec.Struct, frozen=True, tag="unreported", tag_field="kind"):
    """The number of packets that were dropped since the last line, and that the meter did not let the bridge report."""

    time: Time
    count: Count

    def __str__(self) -> str:
        return f"{_clock(self.time)}  {self.count} more packets were dropped; the bridge reports only some (a meter)"

    def concerns(self, _: str) -> bool:
        """True: nothing is known of the packets."""
        return True


DropLine = Drop | Unreported


def moment(seconds: float) -> Time:
    """A time since 1970 as text."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _clock(time: Time) -> str:
    return time.partition("T")[2].removesuffix("Z")
