"""Mistakes at the fields of a form."""

from typing import NamedTuple

from ovsnp.errors import Exit, OvsnpError


class FieldMistake(NamedTuple):
    """A mistake and its field: the path in the document of the form (``inbound.0.ports.1.port``).

    The field is empty for a mistake that the form does not show.
    """

    field: str
    message: str


class FormError(OvsnpError):
    """A form that says no policy; ``mistakes`` are all of them, in the order of the fields."""

    exit_code = Exit.INPUT

    def __init__(self, mistakes: list[FieldMistake]) -> None:
        self.mistakes = mistakes
        super().__init__("\n".join(f"{each.field}: {each.message}" for each in mistakes))


class NotShownError(OvsnpError):
    """An object that the form cannot show, such as a peer of two sorts; the text of the object can be changed."""

    exit_code = Exit.INPUT

    def __init__(self, path: str) -> None:
        self.path = path
        super().__init__(f"the form cannot show {path}; change it in the YAML")
