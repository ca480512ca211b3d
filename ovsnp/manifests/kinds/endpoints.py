"""Endpoints of the core API, which EndpointSlices have replaced.

They count for a Service that has neither EndpointSlices nor a selector. Controllers write them, so a part that cannot
be read is left out with a note.
"""

from collections.abc import Iterator, Sequence

import msgspec

from ovsnp.errors import Place
from ovsnp.manifests.kinds import wire
from ovsnp.manifests.kinds.blocks import note_address
from ovsnp.manifests.kinds.pod_addresses import Addressing, pod_of
from ovsnp.manifests.kinds.protocols import PROTOCOLS
from ovsnp.manifests.kinds.syntax import MAX_PORT
from ovsnp.model.ports import Protocol
from ovsnp.model.service import EndpointSlice, SliceEndpoint, SlicePort
from ovsnp.yaml_reader.paths import Path
from ovsnp.yaml_reader.report import MistakeReport


class Subset(msgspec.Struct, frozen=True):
    """Endpoints that serve at the same ports."""

    ports: tuple[SlicePort, ...]
    endpoints: tuple[SliceEndpoint, ...]


def read_endpoints(
    written: wire.ApiEndpoints, namespace: str, addressing: Addressing, report: MistakeReport
) -> tuple[Subset, ...]:
    """The subsets of an Endpoints object, as far as they can be read."""
    reader = _Reader(namespace, addressing, report)
    return tuple(
        reader.subset(subset, ("subsets", index)) for index, subset in enumerate(written.subsets or ()) if subset
    )


def as_slices(subsets: Sequence[Subset], namespace: str, name: str, place: Place) -> list[EndpointSlice]:
    """The subsets of the Endpoints object of a Service as EndpointSlices."""
    return [EndpointSlice(namespace, name, name, each.ports, each.endpoints, place) for each in subsets]


class _Reader:
    def __init__(self, namespace: str, addressing: Addressing, report: MistakeReport) -> None:
        self._namespace = namespace
        self._addressing = addressing
        self._report = report

    def subset(self, subset: wire.ApiEndpointSubset, path: Path) -> Subset:
        ready = self._endpoints(subset.addresses or (), (*path, "addresses"), ready=True)
        unready = self._endpoints(subset.not_ready_addresses or (), (*path, "notReadyAddresses"), ready=False)
        return Subset(tuple(self._ports(subset.ports or (), (*path, "ports"))), (*ready, *unready))

    def _ports(self, ports: Sequence[wire.ApiEndpointPort | None], path: Path) -> Iterator[SlicePort]:
        for index, port in enumerate(ports):
            number, protocol = (port.port or 0, port.protocol or Protocol.TCP) if port else (0, "")
            if port and 1 <= number <= MAX_PORT and protocol in PROTOCOLS:
                yield SlicePort(port.name or "", PROTOCOLS[protocol], number)
            else:
                self._report.note((*path, index), "is no port; ovsnp leaves the port out")

    def _endpoints(
        self, addresses: Sequence[wire.ApiEndpointsAddress | None], path: Path, *, ready: bool
    ) -> Iterator[SliceEndpoint]:
        for index, written in enumerate(addresses):
            if written is None:
                continue
            address = note_address(written.ip or "", (*path, index, "ip"), self._report)
            if address and not self._addressing.disowns(address, pod_of(written.target_ref, self._namespace)):
                yield SliceEndpoint(address, written.node_name or None, ready, ready)
