"""Places that remember which page shows each of them."""

from ovsnp.console.pages.site import policy_url
from ovsnp.console.workspace.snapshot import WorkspaceSnapshot
from ovsnp.errors import Place, Span
from ovsnp.yaml_reader.paths import Path


class LinkedLocator:
    """Finds lines as the snapshot does.

    ``links`` has the page of each place that was asked about, by its text; ``closed`` has the keys of the policies
    among them that are not understood.
    """

    def __init__(self, snapshot: WorkspaceSnapshot) -> None:
        self._texts, self._closed = snapshot.texts, snapshot.closed
        self._policies = {policy.place: policy for policy in snapshot.policies.values()}
        self.links: dict[str, str] = {}
        self.closed: set[str] = set()

    def span(self, place: Place, path: Path) -> Span:
        """The line of a field of a policy."""
        span = self._texts.span(place, path)
        if (policy := self._policies.get(place)) and span.line:
            self.links[f"{span.file}:{span.line}"] = policy_url(policy, span.line)
            if policy.key in self._closed:
                self.closed.add(policy.key)
        return span
