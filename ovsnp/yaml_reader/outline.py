"""A document read slowly: its value, the line of every field, and the mistakes of notation."""

from typing import Any, NamedTuple

from ovsnp.yaml_reader.paths import Fault, Path

MAX_DEPTH = 100
"""How deep lists and mappings may nest; the API's objects need less than twenty."""

TOO_DEEP = f"nested more than {MAX_DEPTH} levels deep; no Kubernetes object is, check the brackets"

TEMPLATE_KEY = "{{}}"
"""What stands for a key that is a mapping, as YAML reads the ``{{ ... }}`` of a template."""

DOUBLED = "written twice in one mapping; keep one of the two"


class Outline(NamedTuple):
    """One document: ``lines`` start at 1 and may lack paths, then the nearest field outside holds."""

    value: Any
    lines: dict[Path, int]
    faults: list[Fault]

    def line(self, path: Path) -> int:
        """The line of a field, or of the nearest one around it."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)


class NotationError(Exception):
    """Text that is no JSON or YAML: the sentence, and the line (from 1; 0 when it cannot be told).

    ``unfinished`` text just stops.
    """

    def __init__(self, message: str, line: int, *, unfinished: bool = False) -> None:
        self.unfinished = unfinished
        self.message = message
        self.line = line
        super().__init__(message)
