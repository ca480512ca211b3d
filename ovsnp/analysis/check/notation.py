"""The notation of a file of expectations: a list of entries with these fields."""

import msgspec

Several = str | list[str | None] | None
Ports = int | str | list[int | str | None] | None


class ExpectationEntry(msgspec.Struct, gc=False, forbid_unknown_fields=True):
    """One entry as it is written: everything in ``from`` to everything in ``to``, at each ``port``."""

    source: Several = msgspec.field(name="from", default=None)
    destination: Several = msgspec.field(name="to", default=None)
    port: Ports = None
    family: str | None = None
    expect: str | None = None
