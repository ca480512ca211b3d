"""Divides the text of flows and groups into parts, to plant defects; independent of the parser that is tested."""

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

_FLOW = re.compile(r"flow add cookie=(\w+),table=(\d+),priority=(\d+),?(\S*) actions=(.*)")
_GROUP = re.compile(r"group (add|insert_bucket) group_id=(\d+),(.*?)(bucket=.*)")


class WrittenFlow(NamedTuple):
    """A flow; ``terms`` are the parts of its match, ``actions`` its actions."""

    cookie: str
    table: int
    priority: int
    terms: tuple[str, ...]
    actions: tuple[str, ...]

    def __str__(self) -> str:
        match = "".join(f",{term}" for term in self.terms)
        actions = ",".join(self.actions) or "drop"
        return f"flow add cookie={self.cookie},table={self.table},priority={self.priority}{match} actions={actions}"


class WrittenGroup(NamedTuple):
    """A line that adds a group, or more buckets to a group."""

    command: str
    id: int
    properties: str
    buckets: tuple[str, ...]

    def __str__(self) -> str:
        return f"group {self.command} group_id={self.id},{self.properties}{','.join(self.buckets)}"


Line = WrittenFlow | WrittenGroup


def read(text: str) -> list[Line]:
    """The flows and groups in the text that was compiled."""
    return [_line(line) for line in text.splitlines() if line and not line.startswith("#")]


def written(lines: Sequence[Line]) -> str:
    """The text of these lines."""
    return "".join(f"{line}\n" for line in lines)


def _line(line: str) -> Line:
    if found := _FLOW.fullmatch(line):
        cookie, table, priority, match, actions = found.groups()
        return WrittenFlow(cookie, int(table), int(priority), tuple(parts(match)), tuple(parts(actions, drop=True)))
    found = _GROUP.fullmatch(line)
    assert found, line
    command, number, properties, buckets = found.groups()
    return WrittenGroup(command, int(number), properties, tuple(re.split(r",(?=bucket=)", buckets)))


def parts(text: str, *, drop: bool = False) -> Iterator[str]:
    """The parts between the commas outside parentheses; with ``drop`` without the action of that name."""
    depth, start = 0, 0
    for position, letter in enumerate(f"{text},"):
        depth += (letter == "(") - (letter == ")")
        if letter == "," and not depth:
            part = text[start:position]
            if part and not (drop and part == "drop"):
                yield part
            start = position + 1
