"""Flows and groups as `ovs-ofctl` prints them."""

import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from ovsnp.pipeline.cookies import USED

_DEFAULT_PRIORITY = 32768
_LIFE = {"idle_timeout", "hard_timeout", "importance"}
_FLAGS = {"send_flow_rem", "check_overlap", "reset_counts", "no_packet_counts", "no_byte_counts"}


class InstalledFlow(NamedTuple):
    """A flow on the bridge; ``match`` are the parts of its match, in no order.

    ``extras`` are its timeouts, importance and flags.
    """

    table: int
    priority: int
    match: frozenset[str]
    cookie: int
    actions: str
    text: str
    extras: frozenset[str] = frozenset()

    @property
    def slot(self) -> tuple[int, int, frozenset[str]]:
        """The table, priority and match: no other flow of the bridge has the same."""
        return self.table, self.priority, self.match

    @property
    def match_text(self) -> str:
        """The match as text, in the order in which the bridge prints it."""
        head = self.text.partition(" actions=")[0].split(",")
        return ",".join(part for part in head if part in self.match)

    @property
    def delete_line(self) -> str:
        """The ``ovs-ofctl bundle`` line that deletes this flow, but no flow that has taken its slot since."""
        places = (f"cookie={self.cookie:#x}/{USED:#x},table={self.table},priority={self.priority}", *sorted(self.match))
        return f"flow delete_strict {','.join(places)}"


def parse_dump(line: str) -> InstalledFlow:
    """Read one line of a dump without counters; ``text`` is a line that would add the flow again."""
    head, _, actions = line.partition("actions=")
    parts = [part for part in head.replace(" ", ",").split(",") if part]
    numbers = {"cookie": 0, "table": 0, "priority": _DEFAULT_PRIORITY}
    match, extras = set(), set()
    for part in parts:
        name, _, value = part.partition("=")
        if name in numbers:
            numbers[name] = int(value, 0)
        elif name in _LIFE or part in _FLAGS:
            extras.add(part)
        else:
            match.add(part)
    text = f"{','.join(parts)} actions={actions}"
    return InstalledFlow(
        numbers["table"],
        numbers["priority"],
        frozenset(match),
        numbers["cookie"],
        actions.strip(),
        text,
        frozenset(extras),
    )


class InstalledGroup(NamedTuple):
    """A group on the bridge: ``head`` is its text without the buckets, which are ``bucket=...`` by their numbers."""

    id: int
    head: str
    buckets: dict[int, str]


_BUCKET = re.compile(r",(?=bucket=)")
_BUCKET_ID = re.compile(r"bucket_id:(\d+)")


def parse_group(line: str) -> InstalledGroup:
    """Read one line of ``dump-groups``."""
    head, *buckets = _BUCKET.split(line)
    number = int(head.removeprefix("group_id=").partition(",")[0])
    return InstalledGroup(number, head, {_bucket_id(bucket): bucket for bucket in buckets})


def _bucket_id(bucket: str) -> int:
    found = _BUCKET_ID.search(bucket)
    return int(found[1]) if found else -1


_TO_GROUP = re.compile(r"\bgroup:(\d+)")


def groups_reached(actions: Iterable[str], groups: Mapping[int, InstalledGroup]) -> set[int]:
    """The groups that actions send packets to, directly or through other groups."""
    reached: set[int] = set()
    ahead = {int(group) for text in actions for group in _TO_GROUP.findall(text)}
    while ahead:
        reached |= ahead
        buckets = [bucket for group in ahead if group in groups for bucket in groups[group].buckets.values()]
        ahead = {int(group) for bucket in buckets for group in _TO_GROUP.findall(bucket)} - reached
    return reached
