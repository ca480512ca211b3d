"""A proof as JSON."""

from collections.abc import Sequence
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from ovsnp.analysis.verification.counterexample import Counterexample
from ovsnp.analysis.verification.proof import ProofReport
from ovsnp.analysis.verification.questions.bridge_question import ProofKind
from ovsnp.document import Count


class ReportedExample(msgspec.Struct, frozen=True):
    """A counterexample and the reasons."""

    example: Counterexample
    why: Sequence[str]


class VerifyCounterexample(msgspec.Struct, frozen=True):
    """A packet that the flows treat otherwise than the policies say."""

    kind: Annotated[ProofKind, Meta(description="the kind of question")]
    what: Annotated[str, Meta(description="what is wrong")]
    packet: Annotated[str, Meta(description="in the notation of ovs-appctl ofproto/trace")]
    state: Annotated[str, Meta(description="the state of the connection in conntrack; empty: new")]
    who: Annotated[
        Sequence[str], Meta(description="the sender, the receiver, and the port that the packet comes in by")
    ]
    source: Annotated[str | None, Meta(description="the source that policies judge; null: policies do not decide")]
    destination: str | None
    traffic: Annotated[str | None, Meta(description="as PORT of explain; empty: a protocol without ports")]
    flows: Annotated[Sequence[str], Meta(description="the flows that match the packet, in order")]
    trace: Annotated[str, Meta(description="the command that shows the path of the packet")]
    count: Annotated[int, Meta(ge=1, description="the number of classes of packets with this fault")]
    why: Annotated[Sequence[str], Meta(description="lines of reasons; the text of explain where policies decide")]


class VerifyDocument(msgspec.Struct, frozen=True):
    """The verdict, and a packet for each fault."""

    bridge: str
    node: Annotated[str | None, Meta(description="null: the cluster has no Node objects, and --node names no node")]
    verdict: Literal["proved", "wrong"]
    classes: Annotated[Count, Meta(description="the number of classes of packets that were judged")]
    findings: Annotated[Count, Meta(description="the number of faults, shown or not")]
    counterexamples: Sequence[VerifyCounterexample]


def document(report: ProofReport, examples: Sequence[ReportedExample], bridge: str, node: str | None) -> VerifyDocument:
    """The proof of the bridge and node, with the counterexamples to show."""
    return VerifyDocument(
        bridge=bridge,
        node=node,
        verdict="wrong" if report.findings else "proved",
        classes=report.classes,
        findings=len(report.findings),
        counterexamples=[
            VerifyCounterexample(**msgspec.structs.asdict(each.example), why=each.why) for each in examples
        ],
    )
