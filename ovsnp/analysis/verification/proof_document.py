"""What was proved as JSON."""

from collections.abc import Sequence
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from ovsnp.analysis.verification.counterexample import Counterexample
from ovsnp.analysis.verification.proof import ProofReport
from ovsnp.analysis.verification.questions.question import ProofKind
from ovsnp.document import Count


class ReportedExample(msgspec.Struct, frozen=True):
    """A counterexample and the reasons."""

    example: Counterexample
    why: Sequence[str]


class VerifyCounterexample(msgspec.Struct, frozen=True):
    """A packet with which flows and policies do otherwise."""

    kind: Annotated[ProofKind, Meta(description="what was asked about")]
    what: Annotated[str, Meta(description="what is wrong")]
    packet: Annotated[str, Meta(description="as ovs-appctl ofproto/trace takes it")]
    state: Annotated[str, Meta(description="what conntrack says of its connection; empty: that it is new")]
    who: Annotated[Sequence[str], Meta(description="who sends it to whom, and how")]
    source: Annotated[str | None, Meta(description="whom policies judge; null: no policy has a say")]
    destination: str | None
    traffic: Annotated[str | None, Meta(description="as explain takes PORT; empty: without ports")]
    flows: Annotated[Sequence[str], Meta(description="those it meets, in order")]
    trace: Annotated[str, Meta(description="the command that shows its way")]
    count: Annotated[int, Meta(ge=1, description="how many classes of packets have this fault")]
    why: Annotated[Sequence[str], Meta(description="lines, those of explain where it has a say")]


class VerifyDocument(msgspec.Struct, frozen=True):
    """The verdict, and a packet for each fault."""

    bridge: str
    node: Annotated[str | None, Meta(description="null: the cluster has no Node objects, and nobody names a node")]
    verdict: Literal["proved", "wrong"]
    classes: Annotated[Count, Meta(description="how many classes of packets were judged")]
    findings: Annotated[Count, Meta(description="how many faults there are, shown or not")]
    counterexamples: Sequence[VerifyCounterexample]


def document(report: ProofReport, told: Sequence[ReportedExample], bridge: str, node: str | None) -> VerifyDocument:
    """Everything there is to say."""
    return VerifyDocument(
        bridge=bridge,
        node=node,
        verdict="wrong" if report.findings else "proved",
        classes=report.classes,
        findings=len(report.findings),
        counterexamples=[VerifyCounterexample(**msgspec.structs.asdict(each.example), why=each.why) for each in told],
    )
