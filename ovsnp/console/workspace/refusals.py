"""What to say about kinds that the user of a live cluster may not list."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from ovsnp.kubernetes.events import WatchTrouble
from ovsnp.kubernetes.resources import Resource

_NOT_KNOWN, _FORBIDDEN = 401, 403
_WHY = "policies of one namespace name pods of others"


def refusal_sentences(label: str, refusals: Sequence[WatchTrouble], resources: Mapping[str, Resource]) -> list[str]:
    """One sentence for all kinds that are forbidden, and one for each other reason.

    ``label`` names the cluster, ``resources`` are the kinds by name.
    """
    forbidden = [each for each in refusals if each.code == _FORBIDDEN]
    # The API server knows the user for all kinds or for none.
    unknown = [each.message for each in refusals if each.code == _NOT_KNOWN][:1]
    others = [each.message for each in refusals if each.code not in (_FORBIDDEN, _NOT_KNOWN)]
    together = [_forbidden(label, [resources[each.kind] for each in forbidden])] if len(forbidden) > 1 else []
    return [*(together or (each.message for each in forbidden)), *unknown, *dict.fromkeys(others)]


def _forbidden(label: str, resources: Sequence[Resource]) -> str:
    groups: dict[str, list[str]] = defaultdict(list)
    for each in resources:
        groups[each.group].append(f'"{each.plural}"')
    rules = "; ".join(
        f'apiGroups: ["{group}"], resources: [{", ".join(plurals)}], verbs: ["list", "watch"]'
        for group, plurals in groups.items()
    )
    kinds = ", ".join(each.kind for each in resources)
    return (
        f"{label}: forbidden: list {kinds} in all namespaces; the console needs them all, as {_WHY}: give to the user a"
        f" ClusterRole with the rules {rules}"
    )
