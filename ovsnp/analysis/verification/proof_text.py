"""Writes the report of a proof as text for people."""

from collections.abc import Iterator, Sequence

from rich.text import Text

from ovsnp.analysis.verification.proof import ProofReport
from ovsnp.analysis.verification.proof_document import ReportedExample

_DIM = "dim"


def lines(report: ProofReport, examples: Sequence[ReportedExample]) -> Iterator[Text]:
    """The lines of the counterexamples, then the verdict and the totals."""
    for example in examples:
        yield from _counterexample(example)
        yield Text()
    number = len(report.findings)
    if not number:
        line = Text("PROVED  ", style="bold green")
        yield line.append(f"the flows do what the policies say, for all {report.classes:,} classes of packets", "bold")
        return
    line = Text("WRONG  ", style="bold red")
    faults = "1 fault" if number == 1 else f"{number} faults"
    left = f", of which {len(examples)} are shown" if len(examples) < number else ""
    yield line.append(f"{faults} among {report.classes:,} classes of packets{left}", "bold")


def _counterexample(reported: ReportedExample) -> Iterator[Text]:
    example = reported.example
    classes = "1 class" if example.count == 1 else f"{example.count:,} classes"
    head = Text(f"{example.kind}: ", style="bold")
    yield head.append(example.what, style="bold red").append(f" ({classes} of packets)", style=_DIM)
    yield Text(f"  {' to '.join(example.who[:2])}{''.join(f', {each}' for each in example.who[2:])}")
    state = f", conntrack says {example.state}" if example.state else ""
    yield Text(f"  packet: {example.packet}{state}", no_wrap=True)
    yield Text("  why:")
    yield from (Text(f"    {line}") for line in reported.why)
    yield Text("  flows it meets:")
    yield from (Text(f"    {flow}", style=_DIM, no_wrap=True) for flow in example.flows)
    yield Text(f"  see it: {example.trace}", no_wrap=True)
