"""Saves policies into the manifests of directories."""

import hashlib
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

from ovsnp.console.form import in_usual_order
from ovsnp.console.saving.atomic import changed, create_file, delete_file, read_file, replace_file
from ovsnp.console.saving.failures import NotSavedError
from ovsnp.console.saving.paths import WritablePaths
from ovsnp.errors import Place
from ovsnp.yaml_editor import EditRefusedError, FileText

_Result = TypeVar("_Result")


class ManifestFile(NamedTuple):
    """A file as it was read; ``version`` is equal for equal content only."""

    path: str
    data: bytes
    version: str

    def object_at(self, place: Place) -> Any:
        """The object at a place; raises NotSavedError if there is none."""
        return _edited(self, lambda text: text.value(place.document, place.items))


class PolicyFiles:
    """The manifests below the paths of ``-f``, to be written.

    Every change needs the version of the file that it is based on. A change keeps all bytes that it is not about,
    comments and order included, and is written whole or not at all. All methods raise NotSavedError, with nothing
    written, and ConflictError if the file is of another version. Only one thread changes files at a time.
    """

    def __init__(self, paths: Sequence[str]) -> None:
        self._paths = WritablePaths(paths)
        self._lock = threading.Lock()

    def read(self, path: str) -> ManifestFile:
        """The file at a path; a link inside the directories leads to the file that will be written."""
        data = read_file(self._paths.resolve(path))
        return ManifestFile(path, data, _version(data))

    def replace(self, place: Place, policy: Mapping[str, Any], version: str) -> ManifestFile:
        """Put a policy into the place of an object; returns the file as it is then."""
        wanted = in_usual_order(policy)
        return self._change(place.file, version, lambda text: text.replaced(place.document, place.items, wanted))

    def append(self, path: str, policy: Mapping[str, Any], version: str) -> ManifestFile:
        """Add a policy at the end of a file that is there; returns the file as it is then."""
        wanted = in_usual_order(policy)
        return self._change(path, version, lambda text: text.appended(wanted))

    def create(self, path: str, policy: Mapping[str, Any]) -> ManifestFile:
        """Write a policy into a new file; returns the file."""
        real, wanted = self._paths.resolve(path), in_usual_order(policy)
        data = _edited(ManifestFile(path, b"", ""), lambda text: text.appended(wanted))
        with self._lock:
            create_file(real, data)
        return ManifestFile(path, data, _version(data))

    def delete(self, place: Place, version: str) -> ManifestFile | None:
        """Remove an object from its file; None if the file is deleted, as it had neither another object nor a comment.

        The document goes with its ``---`` and its comments. Comments at the top of the file stay if they stand before
        the first ``---``, or before a blank line.
        """
        real = self._paths.resolve(place.file)
        with self._lock:
            file = self._of_version(place.file, version)
            data = _edited(file, lambda text: text.removed(place.document, place.items))
            if data is None:
                delete_file(real, file.data)
                return None
            replace_file(real, file.data, data)
        return ManifestFile(place.file, data, _version(data))

    def _change(self, path: str, version: str, edit: Callable[[FileText], bytes]) -> ManifestFile:
        real = self._paths.resolve(path)
        with self._lock:
            file = self._of_version(path, version)
            data = _edited(file, edit)
            if data != file.data:
                replace_file(real, file.data, data)
        return ManifestFile(path, data, _version(data))

    def _of_version(self, path: str, version: str) -> ManifestFile:
        file = self.read(path)
        if file.version != version:
            raise changed(path)
        return file


def _edited(file: ManifestFile, edit: Callable[[FileText], _Result]) -> _Result:
    try:
        return edit(FileText(file.path, file.data))
    except EditRefusedError as error:
        raise NotSavedError(f"{file.path}: {error}") from None


def _version(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
