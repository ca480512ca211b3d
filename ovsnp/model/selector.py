"""Label selectors (https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/)."""

from enum import StrEnum

import msgspec


class Operator(StrEnum):
    """How a requirement compares a label with its values."""

    IN = "In"
    NOT_IN = "NotIn"
    EXISTS = "Exists"
    DOES_NOT_EXIST = "DoesNotExist"


class Requirement(msgspec.Struct, frozen=True, order=True):
    """One condition on one label; ``values`` is sorted, without duplicates, and empty for Exists and DoesNotExist."""

    key: str
    operator: Operator
    values: tuple[str, ...] = ()

    def __str__(self) -> str:
        match self.operator:
            case Operator.EXISTS:
                return self.key
            case Operator.DOES_NOT_EXIST:
                return f"!{self.key}"
            case Operator.IN if len(self.values) == 1:
                return f"{self.key}={self.values[0]}"
            case Operator.IN:
                return f"{self.key} in ({','.join(self.values)})"
            case _:
                return f"{self.key} notin ({','.join(self.values)})"


class Selector(msgspec.Struct, frozen=True, order=True):
    """A label selector: all requirements must hold; a selector without requirements selects everything.

    ``matchLabels`` become requirements with ``In`` and one value. Requirements are sorted and without duplicates, so
    selectors with the same requirements in another order are equal. ``str`` gives kubectl's notation.
    """

    requirements: tuple[Requirement, ...] = ()

    def __str__(self) -> str:
        return ",".join(map(str, self.requirements))
