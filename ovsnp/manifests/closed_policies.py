"""Policies that are not understood: each isolates its pods and allows nothing; the rest of the input stays usable."""

from ovsnp.manifests.live.closed_policy import closed_policy
from ovsnp.model.policy import NetworkPolicy
from ovsnp.yaml_reader.paths import Path
from ovsnp.yaml_reader.report import Mistake, MistakeReport

_NAMES: tuple[Path, ...] = (("metadata", "name"), ("metadata", "namespace"), ("metadata", "generateName"))
"""Without these, nobody knows which policy it is."""


class ClosedPolicies:
    """Takes the mistakes of policies out of a report; ``found`` has them by the policy's key (NAMESPACE/NAME)."""

    def __init__(self) -> None:
        self.found: dict[str, tuple[Mistake, ...]] = {}

    def judged(self, policy: NetworkPolicy, report: MistakeReport) -> NetworkPolicy:
        """The policy that is the subject of the report now; closed if it has mistakes.

        Mistakes of its name stay in the report.
        """
        mistakes = report.withdraw()
        if not mistakes:
            return policy
        if not policy.name or any(_is_about(each.path, name) for each in mistakes for name in _NAMES):
            report.put_back(mistakes)
            return policy
        self.found[policy.key] = tuple(mistakes)
        return closed_policy(policy, mistakes)


def _is_about(path: Path, name: Path) -> bool:
    """True if a mistake is around a field or in it."""
    return path[: len(name)] == name[: len(path)]
