"""A document read slowly: its value, the line of every field, and the mistakes of notation."""

from typing import Any, NamedTuple

from ovsnp.yaml_reader.paths import Fault, Path

MAX_DEPTH = 100
"""The greatest depth of lists and mappings inside each other; API objects need less than twenty."""

TOO_DEEP = f"nested more than {MAX_DEPTH} levels deep; no Kubernetes object is, check the brackets"

TEMPLATE_KEY = "{{}}"
"""The text in place of a key that is a mapping: YAML reads the ``{{ ... }}`` of a template as one."""

DOUBLED = "written twice in one mapping; keep one of the two"


class Outline(NamedTuple):
    """One document. ``lines`` start at 1; a path that is not there has the line of the nearest field around it."""

    value: Any
    lines: dict[Path, int]
    faults: list[Fault]

    def line(self, path: Path) -> int:
        """The line of a field, or of the nearest one around it."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)


class NotationError(Exception):
    """Text that is no JSON or YAML: the message, and the line (from 1; 0 if it is unknown).

    ``unfinished`` is true if the text ends in the middle of a value.
    """

    def __init__(self, message: str, line: int, *, unfinished: bool = False) -> None:
        self.unfinished = unfinished
        self.message = message
        self.line = line
        super().__init__(message)
