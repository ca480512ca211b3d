"""Decides whether a file is JSON or YAML: by its text, not by its name."""

from collections.abc import Iterator
from typing import NamedTuple, TypeVar

from ovsnp.yaml_reader.json_text import BOM, JsonDocument, json_documents, line_of
from ovsnp.yaml_reader.outline import NotationError, Outline

_Document = TypeVar("_Document")

_NOT_UTF8 = "not UTF-8 text; save the file in UTF-8"
_YAML_SUFFIXES = (".yaml", ".yml")


class Documents(NamedTuple):
    """The documents of a file in one of the two notations, up to its mistake of notation if there is one."""

    json: list[JsonDocument]
    yaml: list[Outline]
    mistake: NotationError | None


def read_documents(file: str, data: bytes, *, lines: bool = False) -> Documents:
    """Cut a file into its documents; ``lines`` asks for the lines of the fields of YAML documents too.

    Text that begins like JSON but is no JSON is tried as YAML, which allows comments, and ``---`` between documents.
    """
    if mistake := _encoding_mistake(data):
        return Documents([], [], mistake)
    if not _begins_like_json(data):
        return _read_yaml(data, lines)
    as_json = _read_json(data)
    if as_json.mistake is None or as_json.mistake.unfinished:
        return as_json
    as_yaml = _read_yaml(data, lines)
    return as_yaml if as_yaml.mistake is None or file.endswith(_YAML_SUFFIXES) else as_json


def _begins_like_json(data: bytes) -> bool:
    """True if text begins like JSON. Empty text counts as JSON, as the yaml module is then not needed."""
    return data[:4096].removeprefix(BOM).lstrip()[:1] in (b"{", b"[", b"")


def _encoding_mistake(data: bytes) -> NotationError | None:
    if data.isascii():
        # In UTF-16 without a byte order mark, every other byte of such text is 0.
        return NotationError(_NOT_UTF8, 1) if b"\0" in data[:2] else None
    try:
        data.decode()
    except UnicodeDecodeError as error:
        return NotationError(_NOT_UTF8, line_of(data, error.start))
    return None


def _read_json(data: bytes) -> Documents:
    documents: list[JsonDocument] = []
    return Documents(documents, [], _collect(json_documents(data), documents))


def _read_yaml(data: bytes, lines: bool) -> Documents:
    # Most clusters are read as JSON, and importing yaml would take a good part of a small compilation.
    from ovsnp.yaml_reader.yaml_text import yaml_documents  # noqa: PLC0415

    documents: list[Outline] = []
    return Documents([], documents, _collect(yaml_documents(data, lines=lines), documents))


def _collect(found: Iterator[_Document], into: list[_Document]) -> NotationError | None:
    try:
        into.extend(found)
    except NotationError as mistake:
        return mistake
    return None
