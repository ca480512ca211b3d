"""The copy of a topology file for one lab: with the lab's name, and valid in any directory.

containerlab removes a lab by the name in the file, whatever ``--name`` says (``destroy -t FILE --name other`` removes
the lab that FILE names). So each lab is deployed from a copy that has the lab's name.
"""

import copy
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ovsnp.errors import Diagnostic, InputError, Span
from ovsnp.yaml_reader.outline import Outline
from ovsnp.yaml_reader.paths import Path as Way
from ovsnp.yaml_reader.yaml_text import yaml_documents

_RELATIVE = ("binds", "env-files")
"""Settings of a node, a kind, a group or the defaults whose file names are relative to the topology file."""

# Absolute paths, the home directory, variables, containerlab's own variables.
_ABSOLUTE = re.compile(r"[/~$]|__clab")


def standalone(file: Path, name: str) -> str:
    """The text of a topology file with that name and with absolute paths, otherwise unchanged.

    Raises InputError where a value that must change cannot be told apart from the rest of its line.
    """
    text = file.read_text(encoding="utf-8")
    outline = _outline(text)
    wanted = copy.deepcopy(outline.value)
    lines = text.splitlines(keepends=True)
    for way, new in _changes(outline.value, file.parent.absolute(), name):
        holder, old = wanted, outline.value
        for step in way[:-1]:
            holder, old = holder[step], old[step]
        holder[way[-1]] = new
        index = outline.line(way) - 1
        lines[index] = _replaced(lines[index], str(old[way[-1]]), new, "name:" if way == ("name",) else "")
    changed = "".join(lines)
    # Only the text was changed, so its value is compared with the wanted value.
    if _outline(changed).value != wanted:
        message = "name and files cannot be told apart from the rest of their lines; write each on a line of its own"
        raise InputError([Diagnostic(Span(str(file), 0), "", "", message)])
    return changed


def _outline(text: str) -> Outline:
    return next(yaml_documents(text.encode(), lines=True))


def _replaced(line: str, old: str, new: str, after: str) -> str:
    head, mark, tail = line.partition(after) if after else ("", "", line)
    return head + mark + tail.replace(old, new, 1)


def _changes(value: dict[str, Any], directory: Path, name: str) -> Iterator[tuple[Way, str]]:
    """The values to change: the path and the new text."""
    yield ("name",), name
    for way, settings in _settings(value.get("topology") or {}):
        for key in _RELATIVE:
            for index, item in enumerate(settings.get(key) or []):
                if isinstance(item, str) and not _ABSOLUTE.match(item):
                    yield (*way, key, index), os.path.normpath(directory / item)


def _settings(topology: dict[str, Any]) -> Iterator[tuple[Way, dict[str, Any]]]:
    yield ("topology", "defaults"), topology.get("defaults") or {}
    for section in ("kinds", "groups", "nodes"):
        for key, settings in (topology.get(section) or {}).items():
            yield ("topology", section, key), settings or {}
