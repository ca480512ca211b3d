"""The result of a check as JSON."""

from collections.abc import Sequence
from typing import Annotated

import msgspec
from msgspec import Meta

from ovsnp.analysis.check.judging import FlowMiss
from ovsnp.analysis.check.placed import Placed
from ovsnp.analysis.explain.documents import Decision, ExplainAnswer
from ovsnp.analysis.explain.explanation_document import document as explained
from ovsnp.analysis.explain.reasons import Outcome
from ovsnp.analysis.wording.places import Places
from ovsnp.document import Count, IPVersion, LineNumber


class MissedPacket(msgspec.Struct, frozen=True):
    """A packet that the flows treat otherwise than expected."""

    what: Annotated[str, Meta(description="what the flows do wrong")]
    who: Annotated[str, Meta(description="the connection: SRC to DST, PORT")]
    came: Annotated[
        str, Meta(description="the port that the packet comes in by, and the endpoint that a Service chose")
    ]
    table: Annotated[str, Meta(description="the name of the last table that the packet comes to")]
    packet: Annotated[str, Meta(description="in the notation of ofproto/trace")]
    flows: Annotated[Sequence[str], Meta(description="the flows that match the packet, in order")]
    trace: Annotated[str, Meta(description="the command that shows the path of the packet on the bridge")]


class CheckedExpectation(msgspec.Struct, frozen=True, rename={"source": "from", "destination": "to"}):
    """An expectation with its verdict."""

    file: Annotated[str, Meta(description="as the command line names the file; - is stdin")]
    line: Annotated[LineNumber | None, Meta(description="the line of the entry; null: not known")]
    source: Annotated[str, Meta(description="the full name")]
    destination: Annotated[str, Meta(description="the full name")]
    port: Annotated[str | None, Meta(description="as in the file; null: the entry has no port")]
    family: Annotated[IPVersion | None, Meta(description="null: each family that both ends have")]
    expect: Decision
    verdict: Annotated[Outcome, Meta(description="the verdict of the policies on all its connections together")]
    possible: Annotated[
        Outcome, Meta(description="the verdict if blocks that may hold pods without an address hold these pods")
    ]
    met: Annotated[bool, Meta(description="true: the policies meet it, and with --flows the flows too")]
    notes: Annotated[Sequence[str], Meta(description="what the answer assumes")]
    counterexamples: Annotated[
        Sequence[MissedPacket] | None,
        Meta(description="packets that the flows treat otherwise than expected; null: without --flows"),
    ]
    explanation: Annotated[
        ExplainAnswer | None,
        Meta(description="for an expectation that is not met: the document of ovsnp explain -o json"),
    ]


class CheckDocument(msgspec.Struct, frozen=True):
    """Every expectation with its verdict."""

    unmet: Annotated[Count, Meta(description="how many expectations are not met")]
    unasked: Annotated[
        Count | None, Meta(description="how many connections the flows do not decide; null: without --flows")
    ]
    expectations: Annotated[
        Sequence[CheckedExpectation],
        Meta(min_length=1, description="one for each from, to and port of each entry, in the order of the file"),
    ]


def document(placed: Sequence[Placed]) -> CheckDocument:
    """Every expectation with its verdict, and the explanation of each that is not met."""
    places = Places()
    silent = [each.judged.silent for each in placed if each.judged.silent is not None]
    return CheckDocument(
        unmet=sum(not each.judged.met for each in placed),
        unasked=sum(silent) if silent else None,
        expectations=[_expectation(each, places) for each in placed],
    )


def _expectation(placed: Placed, places: Places) -> CheckedExpectation:
    judged, span = placed
    expectation, question = judged.asked.expectation, judged.asked.question
    return CheckedExpectation(
        file=span.file,
        line=span.line or None,
        source=question.source,
        destination=question.destination,
        port=expectation.written.port,
        family=expectation.written.version,
        expect="allowed" if expectation.expected is Outcome.ALLOWED else "denied",
        verdict=judged.outcome,
        possible=judged.possible,
        met=judged.met,
        notes=question.notes,
        counterexamples=None if judged.silent is None else [_packet(miss) for miss in judged.misses],
        explanation=None if judged.met else explained(question, judged.answers, places),
    )


def _packet(miss: FlowMiss) -> MissedPacket:
    example = miss.example
    name, came = example.who
    return MissedPacket(
        what=example.what,
        who=name,
        came=came,
        table=miss.table,
        packet=example.packet,
        flows=example.flows,
        trace=example.trace,
    )
