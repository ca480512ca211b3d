"""Finds what decides the way of packets from one table on: which fields, and whether conntrack's memory does.

`walk` finds the way once for all packets that are the same in these.
"""

from collections.abc import Iterable, Iterator, Mapping

import msgspec

from ovsnp.analysis.verification.simulator import actions as a
from ovsnp.analysis.verification.simulator.places import FieldBits, is_option, is_whole_option, place_mask
from ovsnp.analysis.verification.simulator.reading import ReadFlow, ReadGroup

_ALWAYS = {"in_port", "nw_ttl"}


class Dependence(msgspec.Struct, frozen=True):
    """The fields that decide the way of a packet, sorted; ``memory``: what conntrack knows decides, too."""

    fields: tuple[str, ...]
    memory: bool


def dependence(table: int, flows: Mapping[int, list[ReadFlow]], groups: Mapping[int, ReadGroup]) -> Dependence:
    """What decides the way of packets from a table on."""
    read, actions = _met(table, flows, groups)
    tracks = {each for each in actions if isinstance(each, a.ParsedTrack) and each.table is not None}
    asked = any(
        track.nat is True or any(base.startswith("ct_") for base in _met(track.table, flows, groups)[0])
        for track in tracks
        if track.table is not None
    )
    return Dependence(tuple(sorted(read | _ALWAYS)), asked)


def _met(
    table: int, flows: Mapping[int, list[ReadFlow]], groups: Mapping[int, ReadGroup]
) -> tuple[set[str], list[a.Action]]:
    """The fields that flows from a table on match or read in their actions, and these actions."""
    there = [flow for number in _reached(table, flows, groups) for flow in flows.get(number, ())]
    actions = [each for flow in there for each in _all(flow.actions, groups)]
    return {base for flow in there for base in flow.terms} | {base for each in actions for base in _read(each)}, actions


def _reached(table: int, flows: Mapping[int, list[ReadFlow]], groups: Mapping[int, ReadGroup]) -> set[int]:
    found: set[int] = set()
    left = [table]
    while left:
        number = left.pop()
        if number not in found:
            found.add(number)
            left += (
                next_ for flow in flows.get(number, ()) for each in _all(flow.actions, groups) for next_ in _next(each)
            )
    return found


def _next(action: a.Action) -> Iterator[int]:
    match action:
        case a.ParsedGoto(table=table) | a.ParsedResubmit(table=table):
            yield table
        case a.ParsedTrack(table=int() as table):
            yield table


def _all(actions: Iterable[a.Action], groups: Mapping[int, ReadGroup], depth: int = 0) -> Iterator[a.Action]:
    """The actions, with the actions of the groups that they go to and the writes of ``ct(exec(...))``."""
    for action in actions:
        yield action
        if isinstance(action, a.ParsedTrack):
            yield from action.memory
        elif isinstance(action, a.ParsedToGroup) and action.group in groups and depth < 8:
            for bucket in groups[action.group].buckets:
                yield from _all(bucket, groups, depth + 1)


def _read(action: a.Action) -> Iterator[str]:
    """The fields that an action reads, or writes in part."""
    match action:
        case a.ParsedSet(base=base, mask=mask):
            if mask != place_mask(base) or is_option(base):
                yield base
        case a.ParsedMove(source=source, target=target):
            yield source.base
            yield from _left(target)
        case a.ParsedPush(source=source):
            yield source.base
        case a.ParsedPop(target=target):
            yield from _left(target)
        case a.ParsedOutput(port=FieldBits() as port):
            yield port.base
        case a.ParsedTrack(table=int()):
            yield from ("nw_src", "nw_dst", "ipv6_src", "ipv6_dst", "nw_proto", "tp_dst", "ct_mark", "ct_label")
        case a.ParsedTrack():
            yield from ("ct_mark", "ct_label")
        case a.ParsedLearn(same=same):
            yield from same


def _left(target: FieldBits) -> Iterator[str]:
    if not is_whole_option(target) and (target.mask != place_mask(target.base) or is_option(target.base)):
        yield target.base
