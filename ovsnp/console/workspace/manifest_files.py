"""The objects in files."""

import os
from collections.abc import Collection, Hashable, Sequence

from ovsnp import load
from ovsnp.console.workspace.cluster_source import Enforcements
from ovsnp.errors import Place, Span, UsageError
from ovsnp.model.cluster import Cluster
from ovsnp.model.policy import NetworkPolicy
from ovsnp.yaml_reader.location import Locator
from ovsnp.yaml_reader.object_text import ObjectText
from ovsnp.yaml_reader.paths import Path
from ovsnp.yaml_reader.sources import STDIN, files_of


class FileTexts:
    """The texts of policies in files; reads each file once, when a line or a text of it is first asked for."""

    def __init__(self) -> None:
        self._locator = Locator()

    def span(self, place: Place, path: Path) -> Span:
        """The line of a field in its file."""
        return self._locator.span(place, path)

    def text(self, policy: NetworkPolicy) -> ObjectText | None:
        """The lines of the policy in its file."""
        return self._locator.text(policy.place)

    def title(self, policy: NetworkPolicy) -> str:
        """The name of the file."""
        return policy.place.file


class ManifestFiles:
    """Files and directories, as ``-f`` names them; raises UsageError for stdin, which cannot be read again."""

    is_live = False

    def __init__(self, paths: Sequence[str], ignore_kinds: Collection[str]) -> None:
        if STDIN in paths:
            raise UsageError(
                "the console reads manifests again when they change, and stdin can be read once; name files"
            )
        self.labels = tuple(paths)
        self._ignore_kinds = ignore_kinds

    def version(self) -> Hashable:
        """The files with the times, sizes and inodes by which a change of a file shows."""
        return tuple((file, _stamp(file)) for file in files_of(self.labels))

    def read(self) -> Cluster:
        """Load all files."""
        return load(self.labels, ignore_kinds=self._ignore_kinds)

    def texts(self) -> FileTexts:
        """The texts of the files as they are now."""
        return FileTexts()

    def enforcements(self) -> Enforcements:
        """None: no agent says where manifests are enforced."""
        return {}

    def troubles(self) -> tuple[str, ...]:
        """None: a mistake of a file is an error of `read`."""
        return ()


def _stamp(file: str) -> tuple[int, int, int] | None:
    try:
        status = os.stat(file)
    except (OSError, ValueError):
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino
