"""Random spellings of values in YAML: block and flow, quotes, block scalars, indentation, and comments everywhere."""

from random import Random
from typing import Any, NamedTuple

import yaml

Path = tuple[str | int, ...]


class Comment(NamedTuple):
    """A comment, and the value that it stands in or beside."""

    text: str
    path: Path


class RandomWriter:
    """Writes values as YAML; ``comments`` are all comments that it has written, numbered from ``first``."""

    def __init__(self, random: Random, first: int = 0) -> None:
        self._random = random
        self._first = first
        self.comments: list[Comment] = []

    def document(self, value: Any) -> str:
        """A document in block style, with a newline at the end."""
        return "\n".join([*self._own_line(0, ()), *self._block(value, 0, ())]) + "\n"

    def _block(self, value: Any, column: int, path: Path) -> list[str]:
        """The lines of a collection that is not empty."""
        lines: list[str] = []
        entries = value.items() if isinstance(value, dict) else enumerate(value)
        for key, inner in entries:
            inside = (*path, key)
            lines += self._own_line(column, inside if lines else path)
            lines += self._entry(key, inner, column, inside, dash=isinstance(value, list))
        return lines

    def _entry(self, key: Any, value: Any, column: int, path: Path, *, dash: bool) -> list[str]:
        head = " " * column + ("-" if dash else f"{self._key(key)}:")
        if not isinstance(value, dict | list) or not value or self._chance(0.15):
            first, *more = self._inline(value, column)
            return [f"{head}{first and ' '}{first}{self._behind(path, value)}", *more]
        if dash and self._chance(0.8):
            extra = self._random.choice((2, 2, 2, 4))
            lines = self._block(value, column + extra, path)
            # A comment in the place of the first key leaves the dash on a line of its own.
            if lines[0].lstrip().startswith("#"):
                return [head, *lines]
            return [head + " " * (extra - 1) + lines[0].lstrip(), *lines[1:]]
        indent = 0 if isinstance(value, list) and not dash and self._chance(0.5) else self._random.choice((2, 2, 4))
        return [head + self._behind((*path, "?"), value), *self._block(value, column + indent, path)]

    def _key(self, key: str) -> str:
        return self._scalar(key, flow=True) if self._chance(0.9) else f'"{key}"'

    def _inline(self, value: Any, column: int) -> list[str]:
        if isinstance(value, dict | list):
            return [self._flow(value)]
        if isinstance(value, str) and self._chance(0.2) and _fits_block(value):
            mark = "|" if self._chance(0.5) and "\n" in value else ">" if "\n" not in value.strip("\n") else "|"
            mark += "" if value.endswith("\n") else "-"
            return [mark, *(" " * (column + 2) + line for line in value.removesuffix("\n").split("\n"))]
        if value is None and self._chance(0.3):
            return [""]
        return [self._scalar(value, flow=False)]

    def _flow(self, value: Any) -> str:
        space = self._random.choice(("", " "))
        if isinstance(value, dict):
            inside = ", ".join(f"{self._scalar(key, flow=True)}: {self._flow(inner)}" for key, inner in value.items())
            return f"{{{space}{inside}{space}}}"
        if isinstance(value, list):
            return f"[{space}{', '.join(map(self._flow, value))}{space}]"
        return self._scalar(value, flow=True)

    def _scalar(self, value: Any, *, flow: bool) -> str:
        if not isinstance(value, str):
            return yaml.safe_dump([value], default_flow_style=True).strip()[1:-1]
        quote = self._random.choice(('"', "'", None, None, None))
        quote = '"' if "\n" in value else quote
        return yaml.safe_dump(
            [value], default_flow_style=True, default_style=quote, allow_unicode=True, width=999
        ).strip()[1:-1]

    def _own_line(self, column: int, path: Path) -> list[str]:
        if self._chance(0.85):
            return []
        return ["", " " * column + self._comment(path)] if self._chance(0.3) else [" " * column + self._comment(path)]

    def _behind(self, path: Path, value: Any) -> str:
        if self._chance(0.8):
            return ""
        return f"  {self._comment(path)}"

    def _comment(self, path: Path) -> str:
        text = f"# c{self._first + len(self.comments)}: '[{{"
        self.comments.append(Comment(text, path))
        return text

    def _chance(self, chance: float) -> bool:
        return self._random.random() < chance


def _fits_block(text: str) -> bool:
    lines = text.removesuffix("\n").split("\n")
    return bool(text.strip()) and all(line and line == line.strip() and line[0] not in "#" for line in lines)
