"""Flows as `ovs-ofctl dump-flows` prints them."""

from typing import NamedTuple

_DEFAULT_PRIORITY = 32768
_LIFE = {"idle_timeout", "hard_timeout", "importance"}
_FLAGS = {"send_flow_rem", "check_overlap", "reset_counts", "no_packet_counts", "no_byte_counts"}


class InstalledFlow(NamedTuple):
    """A flow that is on the bridge; ``match`` are its parts, whose order means nothing.

    Its timeouts, importance and flags are in ``text`` only.
    """

    table: int
    priority: int
    match: frozenset[str]
    cookie: int
    actions: str
    text: str

    @property
    def slot(self) -> tuple[int, int, frozenset[str]]:
        """What tells it from every other flow of the bridge."""
        return self.table, self.priority, self.match


def parse_dump(line: str) -> InstalledFlow:
    """Read one line of a dump without counters; ``text`` is a line that would add the flow again."""
    head, _, actions = line.partition("actions=")
    parts = [part for part in head.replace(" ", ",").split(",") if part]
    numbers = {"cookie": 0, "table": 0, "priority": _DEFAULT_PRIORITY}
    match = set()
    for part in parts:
        name, _, value = part.partition("=")
        if name in numbers:
            numbers[name] = int(value, 0)
        elif name not in _LIFE and part not in _FLAGS:
            match.add(part)
    text = f"{','.join(parts)} actions={actions}"
    return InstalledFlow(
        numbers["table"], numbers["priority"], frozenset(match), numbers["cookie"], actions.strip(), text
    )
