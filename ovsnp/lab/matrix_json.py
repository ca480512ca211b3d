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
    """One connection that the test tried."""

    source: str
    source_address: str
    destination: str
    destination_address: str
    protocol: Annotated[str, Meta(extra_json_schema={"enum": [*Protocol, "ICMP"]})]
    port: Annotated[PortNumber | None, Meta(description="null for ICMP")]
    allowed: Annotated[bool, Meta(description="the verdict of the policies")]
    outcome: Annotated[str, Meta(description="the result of the try, such as connected or silence")]
    seen: Annotated[str, Meta(description="the source address that the server saw; empty: no packet arrived")]
    passed: Annotated[bool, Meta(description="true: verdict and result agree")]


class LabTestDocument(msgspec.Struct, frozen=True):
    """The result for every pair of ends."""

    lab: Annotated[str, Meta(description="the name of the lab")]
    passed: Annotated[Count, Meta(description="the number of cells with the result that the policies say")]
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
