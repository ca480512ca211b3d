"""Makes the rows of tables of verdicts: the traffic that policies allow between ends."""

from collections import defaultdict
from collections.abc import Callable, Sequence

from ovsnp.analysis.verification.expectation.next_hops import NextHop
from ovsnp.analysis.verification.expectation.proof_context import ProofContext, itself
from ovsnp.analysis.verification.expectation.verdicts import Row
from ovsnp.analysis.verification.packet_classes.addresses import PeerClass
from ovsnp.analysis.verification.simulator.space import bits
from ovsnp.oracle import PodEnd

Judge = Callable[[PeerClass, PeerClass, bool], int]
"""Gives the traffic, as bits, that may pass from one end to another, through a Service (true) or not."""


def sending(
    context: ProofContext,
    judge: Judge,
    sources: Sequence[PeerClass],
    destinations: Sequence[PeerClass],
    ways: Sequence[NextHop | None],
    *,
    unsure: bool,
    selfless: bool,
    via: bool = False,
) -> list[Row]:
    """For each source the traffic that it may send to each destination, perhaps ``via`` a Service.

    A destination without a way (None) gets none. ``unsure``: packets to vacant addresses may pass or be dropped.
    ``selfless``: packets of a pod to itself may, too.
    """
    places: dict[tuple[object, bool], tuple[PeerClass, bool, int]] = {}
    for index, (far, way) in enumerate(zip(destinations, ways, strict=True)):
        place = context.alike(far), way is not None
        before = places[place][2] if place in places else 0
        places[place] = far, way is not None, before | 1 << index
    vacant = bits(far.vacant and way and unsure for far, way in zip(destinations, ways, strict=True))
    own: dict[str, int] = defaultdict(int)
    for index, far in enumerate(destinations):
        if isinstance(far.end, PodEnd):
            own[far.end.pod.key] |= 1 << index
    kept: dict[object, int] = {}
    rows = []
    for index, source in enumerate(sources):
        client = context.client(source)
        columns: dict[int, int] = defaultdict(int)
        for (alike, _), (far, reached, those) in places.items():
            key = client, alike, itself(source, far)
            if reached and key not in kept:
                kept[key] = judge(source, far, via)
            columns[kept[key] if reached else 0] |= those
        same = own[source.end.pod.key] if selfless and isinstance(source.end, PodEnd) else 0
        rows.append(Row(1 << index, columns, same | vacant))
    return rows


def arriving(
    context: ProofContext,
    judge: Judge,
    sources: Sequence[PeerClass | None],
    destinations: Sequence[PeerClass],
    *,
    unsure: bool,
    via: bool = False,
) -> list[Row]:
    """For each local destination the traffic that it may get from each source, perhaps ``via`` a Service.

    A source of None may send nothing. ``unsure``: packets from vacant addresses may pass or be dropped.
    """
    alike: dict[object, tuple[PeerClass | None, int]] = {}
    for index, far in enumerate(sources):
        kind = far and context.alike(far)
        alike[kind] = far, (alike[kind][1] if kind in alike else 0) | 1 << index
    vacant = sum(1 << index for index, far in enumerate(sources) if far and far.vacant)
    kept: dict[object, int] = {}
    rows = []
    for index, destination in enumerate(destinations):
        columns: dict[int, int] = defaultdict(int)
        subject = context.subject(destination)
        for kind, (far, those) in alike.items():
            whole = kind, subject, far and itself(far, destination)
            if whole not in kept:
                kept[whole] = judge(far, destination, via) if far else 0
            columns[kept[whole]] |= those
        rows.append(Row(1 << index, columns, vacant if unsure else 0))
    return rows


def forwarding(sources: Sequence[PeerClass | None], allowed: int, reached: int, everyone: int) -> list[Row]:
    """Rows by which sources may send ``allowed`` traffic to the ends ``reached``; a source of None may send nothing."""
    good = bits(sources)
    strangers = (1 << len(sources)) - 1 & ~good
    columns = {allowed: reached, 0: everyone & ~reached} if allowed else {0: everyone}
    return [*([Row(good, columns)] if good else ()), *([Row(strangers, {0: everyone})] if strangers else ())]
