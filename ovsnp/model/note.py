"""Notes: how ovsnp treats a part of the input that it cannot use as it is."""

from typing import NamedTuple

from ovsnp.errors import Place


class Note(NamedTuple):
    """A fact about one object of the input that is no mistake; ``message`` says the fact and its consequence.

    ``subject`` is ``KIND NAMESPACE/NAME``, ``path`` the field in the object, as in a `Diagnostic`. Notes sort by place.
    """

    place: Place
    subject: str
    path: str
    message: str
