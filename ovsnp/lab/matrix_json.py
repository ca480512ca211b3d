"""The matrix as JSON."""

from collections.abc import Sequence
from typing import Annotated

import msgspec
from msgspec import Meta

from ovsnp.document import Count, PortNumber
from ovsnp.lab.matrix import Matrix, MeasuredCell
from ovsnp.model.address import format_address
from ovsnp.model.ports import Protocol


class LabTestCell(msgspec.Struct, frozen=True, rename="camel"):
    """One connection that was tried."""

    source: str
    source_address: str
    destination: str
    destination_address: str
    protocol: Annotated[str, Meta(extra_json_schema={"enum": [*Protocol, "ICMP"]})]
    port: Annotated[PortNumber | None, Meta(description="null for ICMP")]
    allowed: Annotated[bool, Meta(description="what the policies mean")]
    outcome: Annotated[str, Meta(description="what became of the packets: connected, silence, or what else")]
    seen: Annotated[str, Meta(description="the source address that the server saw; empty where none did")]
    passed: Annotated[bool, Meta(description="whether the two agree")]


class LabTestDocument(msgspec.Struct, frozen=True):
    """What was measured of every pair."""

    lab: Annotated[str, Meta(description="its name")]
    passed: Annotated[Count, Meta(description="cells that are as the policies say")]
    failed: Count
    cells: Sequence[LabTestCell]


def document(matrix: Matrix, lab: str) -> LabTestDocument:
    """All cells, in the order of the grid."""
    failed = len(matrix.failed)
    return LabTestDocument(lab, len(matrix.cells) - failed, failed, [_cell(cell) for cell in matrix.cells])


def _cell(cell: MeasuredCell) -> LabTestCell:
    case = cell.case
    return LabTestCell(
        source=case.source.name,
        source_address=format_address(case.source_address),
        destination=case.destination.name,
        destination_address=format_address(case.destination_address),
        protocol=case.traffic.protocol or "ICMP",
        port=case.traffic.port,
        allowed=cell.allowed,
        outcome=cell.result.outcome,
        seen=cell.result.seen,
        passed=cell.passed,
    )
