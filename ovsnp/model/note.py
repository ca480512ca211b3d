"""What ovsnp makes of a cluster's state where it cannot take the state as it is."""

from typing import NamedTuple

from ovsnp.errors import Place


class Note(NamedTuple):
    """A fact about one object of the input that is no mistake: what is so, and what follows from it.

    ``subject`` is ``KIND NAMESPACE/NAME``, ``path`` the field in the object, as in a `Diagnostic`. Notes sort by place.
    """

    place: Place
    subject: str
    path: str
    message: str
