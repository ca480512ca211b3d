"""Reads the outcome of a packet from ``ofproto/trace``: actions of conntrack, ports that it leaves by, last fields."""

import re
from collections.abc import Iterator
from typing import NamedTuple

from ovsnp.pipeline.conntrack import SNAT_ZONE

_TABLE = re.compile(r"^ ?(\d+)\. ", re.MULTILINE)
_WRITTEN = {name: re.compile(rf",{name}=(0x[0-9a-f]+|0)/(0x[0-9a-f]+)") for name in ("mark", "label")}
_RULES = (1 << 64) - 1
"""The bits of ct_label with the numbers of the rules that admitted a connection, which are for people."""
_OURS = re.compile(r"\b(?:recirc_id|reg\d+|ct_\w+|conj_id)=[^,]*,?|\beth,")
_LEARN = re.compile(r"^\s+(learn\(.*\))", re.MULTILINE)
_COOKIE = re.compile(r"cookie=\w+,")


_UNDOING = {f"ct(zone={zone},nat)" for zone in SNAT_ZONE.values()}


class Outcome(NamedTuple):
    """``tracked`` are the actions of conntrack, ``left`` the ports that packets leave by, ``packet`` the last fields.

    ``undone`` are the lookups in SNAT zones, where a packet to the gateway's address gets the address of a pod back.
    ``learned`` are the flows that Open vSwitch learns.
    """

    tracked: tuple[str, ...]
    undone: tuple[str, ...]
    left: tuple[str, ...]
    packet: str
    learned: tuple[str, ...]


def outcome(trace: str, mark: int, label: int) -> Outcome:
    """The outcome in the text of a trace, for a packet of a connection that had a mark and a label."""
    lines = trace.splitlines()
    actions = [line.removeprefix("Datapath actions: ") for line in lines if line.startswith("Datapath actions: ")]
    tracked = tuple(part for each in actions for part in _parts(each) if part.startswith("ct("))
    left = tuple(part for each in actions for part in _parts(each) if part.isdigit())
    return Outcome(
        tuple(_once([_remembered(part, mark, label) for part in tracked if part not in _UNDOING])),
        tuple(part for part in tracked if part in _UNDOING),
        left,
        _final(lines) if left else "",
        tuple(_COOKIE.sub("", each) for each in _LEARN.findall(trace)),
    )


def tables(trace: str) -> frozenset[int]:
    """The tables where the packet met a flow."""
    return frozenset(int(number) for number in _TABLE.findall(trace))


def _final(lines: list[str]) -> str:
    final = [line for line in lines if line.startswith(("Final flow: ", "Flow: "))]
    last = final[-1].partition(": ")[2]
    if last == "unchanged":
        last = final[-2].partition(": ")[2]
    return _OURS.sub("", last)


def _once(tracked: list[str]) -> Iterator[str]:
    """The actions of conntrack without repeated lookups of a connection, which change nothing."""
    for index, part in enumerate(tracked):
        if "commit" in part or part not in tracked[:index]:
            yield part


def _remembered(tracked: str, mark: int, label: int) -> str:
    """An action of conntrack, with the mark and label that the connection has after it."""
    if "commit" not in tracked:
        return tracked
    before = {"mark": mark, "label": label & ~_RULES}
    for name, pattern in _WRITTEN.items():
        if found := pattern.search(tracked):
            value, mask = int(found[1], 0), int(found[2], 0)
            before[name] = before[name] & ~mask | value & mask
            tracked = pattern.sub("", tracked)
    return f"{tracked} mark={before['mark']:#x} label={before['label'] & ~_RULES:#x}"


def _parts(text: str) -> list[str]:
    found, depth, start = [], 0, 0
    for position, letter in enumerate(f"{text},"):
        depth += (letter == "(") - (letter == ")")
        if letter == "," and not depth:
            found.append(text[start:position])
            start = position + 1
    return found
