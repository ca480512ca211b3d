"""Label selectors: which labels match."""

from collections.abc import Mapping

from ovsnp.model.selector import Operator, Requirement, Selector


def matches(selector: Selector, labels: Mapping[str, str]) -> bool:
    """True if all requirements hold; NotIn and DoesNotExist hold where the key is missing."""
    return all(_holds(requirement, labels) for requirement in selector.requirements)


def _holds(requirement: Requirement, labels: Mapping[str, str]) -> bool:
    value = labels.get(requirement.key)
    match requirement.operator:
        case Operator.IN:
            return value in requirement.values
        case Operator.NOT_IN:
            return value is None or value not in requirement.values
        case Operator.EXISTS:
            return value is not None
        case Operator.DOES_NOT_EXIST:
            return value is None
