"""The lines of a watch, and lists: read as far as the names and versions of their objects, no further."""

import msgspec

from ovsnp.kubernetes.failures import NotUnderstoodError

INITIAL_END = "k8s.io/initial-events-end"
"""The annotation of the bookmark after the last object of a streamed list."""


class WatchLine(msgspec.Struct, gc=False):
    """One line of a watch."""

    type: str
    object: msgspec.Raw


class ObjectMeta(msgspec.Struct, rename="camel", gc=False):
    """The part of ``metadata`` that says which object it is."""

    name: str = ""
    namespace: str = ""
    resource_version: str = ""


class Identified(msgspec.Struct, gc=False):
    """An object, as far as to know which one it is."""

    metadata: ObjectMeta


class _BookmarkMeta(msgspec.Struct, rename="camel"):
    resource_version: str = ""
    annotations: dict[str, str] | None = None


class _Bookmark(msgspec.Struct):
    metadata: _BookmarkMeta


class ListMeta(msgspec.Struct, rename="camel"):
    """The ``metadata`` of a list."""

    resource_version: str = ""


class ObjectList(msgspec.Struct):
    """A list, with its objects as they came."""

    metadata: ListMeta
    items: list[msgspec.Raw] | None = None


_line = msgspec.json.Decoder(WatchLine).decode
_identified = msgspec.json.Decoder(Identified).decode
_bookmark = msgspec.json.Decoder(_Bookmark).decode
_list = msgspec.json.Decoder(ObjectList).decode


def read_line(line: bytes) -> WatchLine:
    """A line of a watch; raises NotUnderstoodError for other text."""
    try:
        return _line(line)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise NotUnderstoodError(f"a line of the answer is no watch event ({error})") from None


def identify(body: msgspec.Raw) -> ObjectMeta:
    """The name, namespace and version of an object; raises NotUnderstoodError if it has none."""
    try:
        found = _identified(body).metadata
    except (msgspec.MsgspecError, RecursionError) as error:
        raise NotUnderstoodError(f"an object of the answer cannot be read ({error})") from None
    if not (found.name and found.resource_version):
        raise NotUnderstoodError("an object of the answer has no name or no resourceVersion")
    return found


def read_bookmark(body: msgspec.Raw) -> tuple[str, bool]:
    """The version of a bookmark, and whether it ends a streamed list; raises NotUnderstoodError for other objects."""
    try:
        found = _bookmark(body).metadata
    except (msgspec.MsgspecError, RecursionError) as error:
        raise NotUnderstoodError(f"a bookmark of the answer cannot be read ({error})") from None
    if not found.resource_version:
        raise NotUnderstoodError("a bookmark of the answer has no resourceVersion")
    return found.resource_version, (found.annotations or {}).get(INITIAL_END) == "true"


def read_list(body: bytes) -> ObjectList:
    """A list; raises NotUnderstoodError for other text."""
    try:
        found = _list(body)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise NotUnderstoodError(f"the answer is no list of objects ({error})") from None
    if not found.metadata.resource_version:
        raise NotUnderstoodError("the list has no resourceVersion")
    return found
