"""The objects in files."""

from collections.abc import Collection, Hashable, Mapping, Sequence

from ovsnp.console.workspace.cluster_source import Enforcements, ReadObjects
from ovsnp.errors import Place, Span, UsageError
from ovsnp.manifests import load
from ovsnp.manifests.closed_policies import ClosedPolicies
from ovsnp.model.policy import NetworkPolicy
from ovsnp.yaml_reader.file_reader import KeepingReader, KeptFile, stamp
from ovsnp.yaml_reader.location import LocatedFile, Locator
from ovsnp.yaml_reader.object_text import ObjectText
from ovsnp.yaml_reader.paths import Path
from ovsnp.yaml_reader.sources import STDIN, files_of, holds_no_manifest

_AROUND = 3
"""The lines that are shown before a mistake, and after it."""

_WIDEST = 200
"""The most characters of such a line."""


class FileTexts:
    """The texts of policies in the files of one reading."""

    def __init__(self, files: Mapping[str, KeptFile]) -> None:
        self._locator = _KeptLocator(files)

    def span(self, place: Place, path: Path) -> Span:
        """The line of a field in its file."""
        return self._locator.span(place, path)

    def text(self, policy: NetworkPolicy) -> ObjectText | None:
        """The lines of the policy in its file."""
        return self._locator.text(policy.place)

    def title(self, policy: NetworkPolicy) -> str:
        """The name of the file."""
        return policy.place.file


class _KeptLocator(Locator):
    """Finds lines in files as they were when they were read."""

    def __init__(self, files: Mapping[str, KeptFile]) -> None:
        super().__init__()
        self._kept = files

    def _open(self, file: str) -> LocatedFile | None:
        return self._kept[file].located if file in self._kept else None


class ManifestFiles:
    """Files and directories, as ``-f`` names them: a file that has not changed is neither read nor parsed again.

    Raises UsageError for stdin, which cannot be read twice.
    """

    is_live = False

    def __init__(self, paths: Sequence[str], ignore_kinds: Collection[str]) -> None:
        if STDIN in paths:
            raise UsageError(
                "the console reads manifests again when they change, and stdin can be read once; name files"
            )
        self.labels = tuple(paths)
        self._ignore_kinds = ignore_kinds
        self._reader = KeepingReader()

    def version(self) -> Hashable:
        """The files with the stamps by which a change of a file shows."""
        return tuple((file, stamp(file)) for file in files_of(self.labels))

    def read(self) -> ReadObjects:
        """Load all files; a directory without manifests is where the first policy will be saved."""
        self._reader.forget_others(files_of(self.labels))
        closed = ClosedPolicies()
        paths = [path for path in self.labels if not holds_no_manifest(path)]
        cluster = load(paths, ignore_kinds=self._ignore_kinds, reader=self._reader, judge=closed.judged)
        return ReadObjects(cluster, closed.found)

    def texts(self) -> FileTexts:
        """The texts of the files as they were read last."""
        return FileTexts(dict(self._reader.files))

    def lines_around(self, span: Span) -> ObjectText | None:
        """The lines before and after a mistake; None if the file cannot be read, or the mistake is of no line."""
        kept = self._reader.files.get(span.file)
        if kept is None or not span.line:
            return None
        lines = kept.data.decode(errors="replace").split("\n")
        first = max(0, span.line - 1 - _AROUND)
        shown = [line.rstrip("\r")[:_WIDEST] for line in lines[first : span.line + _AROUND]]
        return ObjectText(first + 1, "\n".join(shown)) if shown else None

    def enforcements(self) -> Enforcements:
        """None: no agent says where manifests are enforced."""
        return {}

    def troubles(self) -> tuple[str, ...]:
        """None: a mistake of a file is an error of `read`."""
        return ()
