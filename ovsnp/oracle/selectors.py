"""Label selectors: which labels match."""

from collections.abc import Mapping

from ovsnp.model.selector import Operator, Requirement, Selector


def selects(selector: Selector, labels: Mapping[str, str]) -> bool:
    """True if the labels meet every requirement of the selector.

    "The result of matchLabels and matchExpressions are ANDed. An empty label selector matches all objects."
    """
    return all(meets(requirement, labels) for requirement in selector.requirements)


def meets(requirement: Requirement, labels: Mapping[str, str]) -> bool:
    """True if the labels meet this requirement."""
    match requirement.operator:
        case Operator.IN:
            return requirement.key in labels and labels[requirement.key] in requirement.values
        case Operator.NOT_IN:
            # "all resources with key equal to tier and values other than frontend and backend,
            # and all resources with no labels with the tier key"
            return requirement.key not in labels or labels[requirement.key] not in requirement.values
        case Operator.EXISTS:
            # "all resources including a label with key partition; no values are checked"
            return requirement.key in labels
        case Operator.DOES_NOT_EXIST:
            # "all resources without a label with key partition; no values are checked"
            return requirement.key not in labels
