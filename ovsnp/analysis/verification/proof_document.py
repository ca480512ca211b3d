"""What was proved as JSON; docs/verify.md has its schema."""

from collections.abc import Sequence
from typing import Any

import msgspec

from ovsnp.analysis.verification.counterexample import Counterexample
from ovsnp.analysis.verification.proof import ProofReport


class ReportedExample(msgspec.Struct, frozen=True):
    """A counterexample and the reasons."""

    example: Counterexample
    why: Sequence[str]


def document(report: ProofReport, told: Sequence[ReportedExample], bridge: str, node: str | None) -> dict[str, Any]:
    """Everything there is to say."""
    return {
        "bridge": bridge,
        "node": node,
        "verdict": "wrong" if report.findings else "proved",
        "classes": report.classes,
        "findings": len(report.findings),
        "counterexamples": [{**msgspec.to_builtins(each.example), "why": list(each.why)} for each in told],
    }
