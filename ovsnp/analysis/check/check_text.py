"""The expectations that are not met, as text: the place in the file, and the explanation as in ``ovsnp explain``."""

from collections.abc import Iterator, Sequence

from rich.text import Text

from ovsnp.analysis.check.judging import FlowMiss, Judged
from ovsnp.analysis.check.placed import Placed
from ovsnp.analysis.explain.explanation_text import lines
from ovsnp.analysis.verification.counterexample import Counterexample
from ovsnp.analysis.wording.places import Places
from ovsnp.errors import Span

_INDENT = "  "
_DIM = "dim"


def text_lines(placed: Sequence[Placed]) -> Iterator[Text]:
    """``FILE:LINE: expected denied, but it is allowed`` and the reasons below it, for each expectation that is not met.

    A packet that the flows treat otherwise has a line of its own, with the flows that the packet meets below it.
    """
    places = Places()
    for judged, span in (each for each in placed if not each.judged.met):
        if not judged.granted:
            yield _heading(judged, span, _found(judged))
        for miss in judged.misses:
            yield _heading(judged, span, _done(miss))
            yield from _packet(miss.example)
        for line in lines(judged.asked.question, judged.answers, places):
            yield Text(_INDENT if line else "").append_text(line)


def _heading(judged: Judged, span: Span, found: str) -> Text:
    return Text.assemble((where(span), "bold"), f": expected {judged.asked.expectation.expected}, but {found}")


def _found(judged: Judged) -> str:
    if judged.outcome is not judged.asked.expectation.expected:
        return f"it is {judged.outcome}"
    return f"it is {judged.possible} if blocks hold pods that have no address yet"


def _done(miss: FlowMiss) -> str:
    match miss.example.what:
        case "dropped, and must pass":
            return f"the flows drop it, in {miss.table}"
        case "passes, and must be dropped":
            return "the flows let it pass"
        case what:
            return f"by the flows it {what}"


def _packet(miss: Counterexample) -> Iterator[Text]:
    name, came = miss.who
    yield Text(f"  {name}, {came}")
    yield Text(f"    packet: {miss.packet}", no_wrap=True)
    yield Text("    flows it meets:")
    yield from (Text(f"      {flow}", style=_DIM, no_wrap=True) for flow in miss.flows)
    yield Text(f"    see it: {miss.trace}", no_wrap=True)


def where(span: Span) -> str:
    """``FILE:LINE``; the file alone where the line is unknown."""
    return f"{span.file}:{span.line}" if span.line else span.file


def summary(placed: Sequence[Placed]) -> str:
    """The number of expectations, and the number that is not met."""
    unmet = sum(not each.judged.met for each in placed)
    count = f"{len(placed)} expectation{'' if len(placed) == 1 else 's'}"
    return f"{count}, {unmet} not met" if unmet else f"{count} met"


def unasked(placed: Sequence[Placed]) -> str:
    """The number of connections that the flows of the node do not decide; empty where there are none."""
    silent = sum(each.judged.silent or 0 for each in placed)
    every = sum(len(each.judged.asked.question.connections) for each in placed)
    return f"in {silent} of {every} connections the flows of this node have no say" if silent else ""
