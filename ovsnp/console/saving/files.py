"""Saves policies into the manifests of directories."""

import hashlib
import os
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

from ovsnp.console.form import edited_text, in_usual_order, yaml_of
from ovsnp.console.saving.atomic import create_file, delete_file, read_file, replace_file
from ovsnp.console.saving.failures import ConflictError, FileChangedError, NotSavedError
from ovsnp.console.saving.paths import WritablePaths
from ovsnp.console.saving.policy_places import InFile, PolicyName, name_of, places_of
from ovsnp.yaml_editor import EditRefusedError, FileText
from ovsnp.yaml_reader.comments import has_comment

_Result = TypeVar("_Result")

_TRIES = 5
"""How often a change is made again because the file has changed during its write."""

_NO_COMMENTS = "cannot take the comments of the YAML there; remove them, or save into a file of YAML"


class WrittenPolicy(NamedTuple):
    """A policy to save.

    ``text`` is the YAML of this policy, or of its state before the last changes, with the comments of the user; empty
    if there is none.
    """

    policy: Mapping[str, Any]
    text: str = ""


class FiledPolicy(NamedTuple):
    """A policy as it stands in a file: the object, its text, and a version, which is equal for the same text only.

    The text is that of the file, or the object as YAML if it has no lines of its own there.
    """

    policy: Mapping[str, Any]
    text: str
    version: str


class PolicyFiles:
    """The manifests below the paths of ``-f``, to be written.

    A change of a policy needs the version of the policy that it is based on; what else changes in the file does not
    matter. A change keeps all bytes that it is not about, comments and order included, and is written whole or not at
    all. All methods raise NotSavedError, with nothing written, and ConflictError if the policy is of another version.
    Only one thread changes files at a time.
    """

    def __init__(self, paths: Sequence[str]) -> None:
        self._paths = WritablePaths(paths)
        self._lock = threading.Lock()

    def check(self, path: str) -> None:
        """Raise NotSavedError if no policy can be saved into a file of this path, which may be new."""
        real = self._paths.resolve(path)
        if not os.path.isdir(real.parent):
            raise NotSavedError(f"{path}: there is no directory {real.parent}; make it, or choose another one")
        try:
            os.lstat(real)
        except FileNotFoundError:
            return
        except OSError as error:
            raise NotSavedError(f"{path}: {error.strerror}; choose another name") from None

    def read(self, path: str, name: PolicyName) -> FiledPolicy:
        """The policy in a file; a link inside the directories leads to the file that will be written."""
        data = read_file(self._paths.resolve(path))
        return _edited(path, data, lambda text: _filed(text, _only(text, path, name)))

    def replace(self, path: str, name: PolicyName, written: WrittenPolicy, version: str) -> None:
        """Put a policy into the place of the one with a name."""

        def edit(text: FileText) -> bytes:
            place = _of_version(text, path, name, version)
            own = text.own_text(*place)
            if own is None or written.text in ("", own):
                _refuse_comments(path, written.text if own is None else "")
                return text.replaced(*place, in_usual_order(written.policy))
            return text.with_text(*place, edited_text(written.text, written.policy), written.policy)

        self._change(path, edit)

    def append(self, path: str, written: WrittenPolicy) -> None:
        """Add a policy at the end of a file that is there, and that has none of its name."""

        def edit(text: FileText) -> bytes:
            name = name_of(written.policy)
            if name and (there := places_of(name, text.values)):
                raise ConflictError(f"{path} has {name} already", _filed(text, there[0]).text)
            return _appended(path, text, written)

        self._change(path, edit)

    def create(self, path: str, written: WrittenPolicy) -> None:
        """Write a policy into a new file."""
        real = self._paths.resolve(path)
        data = _edited(path, b"", lambda text: _appended(path, text, written))
        with self._lock:
            create_file(real, data)

    def delete(self, path: str, name: PolicyName, version: str) -> None:
        """Remove a policy from its file; a file that then has neither an object nor a comment is deleted.

        The document goes with its ``---`` and its comments. Comments at the top of the file stay if they stand before
        the first ``---``, or before a blank line.
        """
        self._change(path, lambda text: text.removed(*_of_version(text, path, name, version)))

    def _change(self, path: str, edit: Callable[[FileText], bytes | None]) -> None:
        """Write what an edit makes of the file; None deletes it. A file that changes meanwhile is edited again."""
        real = self._paths.resolve(path)
        with self._lock:
            for left in reversed(range(_TRIES)):
                before = read_file(real)
                data = _edited(path, before, edit)
                try:
                    if data is None:
                        delete_file(real, before)
                    elif data != before:
                        replace_file(real, before, data)
                    return
                except FileChangedError:
                    if not left:
                        raise


def _of_version(text: FileText, path: str, name: PolicyName, version: str) -> InFile:
    """The place of a policy; raises ConflictError if it is not as it was."""
    place = _only(text, path, name)
    now = _filed(text, place)
    if now.version != version:
        raise ConflictError(f"{name} in {path} has changed since it was opened", now.text)
    return place


def _only(text: FileText, path: str, name: PolicyName) -> InFile:
    """The place of the policy with a name; raises ConflictError if there is not exactly one."""
    found = places_of(name, text.values)
    if not found:
        raise ConflictError(f"{path} no longer has {name}; somebody has removed, renamed or moved it")
    if len(found) > 1:
        texts = "---\n".join(_filed(text, place).text for place in found)
        raise ConflictError(f"{path} has {name} {len(found)} times; keep one of them", texts)
    return found[0]


def _filed(text: FileText, place: InFile) -> FiledPolicy:
    policy = text.value(*place)
    version = hashlib.sha256(text.source(*place).encode()).hexdigest()
    return FiledPolicy(policy, text.own_text(*place) or yaml_of(policy), version)


def _appended(path: str, text: FileText, written: WrittenPolicy) -> bytes:
    if path.endswith(".json") or not written.text:
        _refuse_comments(path, written.text)
        return text.appended(in_usual_order(written.policy))
    return text.with_document(edited_text(written.text, written.policy), written.policy)


def _refuse_comments(path: str, text: str) -> None:
    if has_comment(text):
        raise NotSavedError(f"{path} {_NO_COMMENTS}")


def _edited(path: str, data: bytes, edit: Callable[[FileText], _Result]) -> _Result:
    try:
        return edit(FileText(path, data))
    except EditRefusedError as error:
        raise NotSavedError(f"{path}: {error}") from None
