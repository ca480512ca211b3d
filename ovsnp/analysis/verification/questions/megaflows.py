"""Questions about megaflows: packets that the datapath cannot tell apart take the way of the first of them.

A packet without a tunnel option makes a megaflow of the kernel datapath that says nothing of options
(`ovsnp.pipeline.datapath`). A packet that has the option and is the same in all other fields takes this megaflow. So
the packet with the option is sent the way of the packet without it, and is held against its own verdict. This covers
all megaflows: the packet that made a megaflow differs from a packet that takes it in nothing that decided the way, and
without its option the second packet would have gone the same way.
"""

from collections.abc import Iterator
from itertools import combinations

from msgspec.structs import replace

from ovsnp.analysis.verification.expectation.verdicts import AllDropped, Excused
from ovsnp.analysis.verification.questions.bridge_question import BridgeQuestion
from ovsnp.analysis.verification.simulator.space import Column
from ovsnp.pipeline.datapath import WITNESS

_BLIND = sorted(field.base for field in WITNESS)


def by_megaflow(question: BridgeQuestion) -> Iterator[BridgeQuestion]:
    """The question for packets with tunnel options that take the megaflow of a packet without them."""
    start = question.start()
    there = [base for base in _BLIND if isinstance(start.get(base), Column)]
    # Where all packets must be dropped, the question already has the packets without options.
    if isinstance(question.verdicts, AllDropped) or question.table:
        return
    for count in range(1, len(there) + 1):
        for lacking in combinations(there, count):
            verdicts = Excused(question.verdicts, question.unsent)
            fields = {**question.fields, **dict.fromkeys(lacking, 0)}
            yield replace(question, kind="megaflow", fields=fields, verdicts=verdicts, taken=lacking)
