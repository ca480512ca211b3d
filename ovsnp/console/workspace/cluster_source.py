"""What a workspace reads its objects from."""

from collections.abc import Hashable, Mapping, Sequence
from typing import NamedTuple, Protocol

from ovsnp.analysis.enforcement.enforcement import PolicyEnforcement
from ovsnp.analysis.wording.places import SpanFinder
from ovsnp.errors import Span
from ovsnp.model.cluster import Cluster
from ovsnp.model.policy import NetworkPolicy
from ovsnp.yaml_reader.object_text import ObjectText
from ovsnp.yaml_reader.report import Mistake

Enforcements = Mapping[tuple[str, str], PolicyEnforcement]
"""Where each policy is enforced, by namespace and name."""


class ReadObjects(NamedTuple):
    """The objects of one reading.

    ``closed`` has the mistakes of the policies that are not understood, by key: in ``cluster`` they isolate their pods
    and allow nothing.
    """

    cluster: Cluster
    closed: Mapping[str, Sequence[Mistake]]


class PolicyTexts(SpanFinder, Protocol):
    """The texts of the policies of one reading, and the lines of their fields."""

    def text(self, policy: NetworkPolicy) -> ObjectText | None:
        """The text of a policy; None if it is no longer there."""

    def title(self, policy: NetworkPolicy) -> str:
        """The name of what has the text: a file, or the object in the cluster."""


class ClusterSource(Protocol):
    """Manifests or a live cluster; a workspace calls it from one thread at a time."""

    @property
    def labels(self) -> tuple[str, ...]:
        """The paths, or the name of the live cluster."""

    @property
    def is_live(self) -> bool:
        """True for a live cluster."""

    def version(self) -> Hashable:
        """A value that differs once the objects differ; raises OvsnpError if they cannot be watched."""

    def read(self) -> ReadObjects:
        """All objects; raises InputError with all mistakes, and ApiServerError."""

    def texts(self) -> PolicyTexts:
        """The texts of the policies that were read last."""

    def lines_around(self, span: Span) -> ObjectText | None:
        """The lines before and after a mistake, as they were read last; None if the mistake is of no line."""

    def enforcements(self) -> Enforcements:
        """Where the policies are enforced now; empty for manifests."""

    def troubles(self) -> tuple[str, ...]:
        """Why the objects may be out of date, in sentences."""
