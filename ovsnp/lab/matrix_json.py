"""The matrix as JSON."""

from typing import Any

from ovsnp.lab.matrix import Matrix, MeasuredCell
from ovsnp.model.address import format_address


def document(matrix: Matrix, lab: str) -> dict[str, Any]:
    """``{"lab", "passed", "failed", "cells": [...]}``, the cells in the order of the grid."""
    failed = len(matrix.failed)
    return {
        "lab": lab,
        "passed": len(matrix.cells) - failed,
        "failed": failed,
        "cells": [_cell(cell) for cell in matrix.cells],
    }


def _cell(cell: MeasuredCell) -> dict[str, Any]:
    case = cell.case
    return {
        "source": case.source.name,
        "sourceAddress": format_address(case.source_address),
        "destination": case.destination.name,
        "destinationAddress": format_address(case.destination_address),
        "protocol": case.traffic.protocol.value if case.traffic.protocol else "ICMP",
        "port": case.traffic.port,
        "allowed": cell.allowed,
        "outcome": cell.result.outcome,
        "seen": cell.result.seen,
        "passed": cell.passed,
    }
