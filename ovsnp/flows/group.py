"""Select groups (ovs-ofctl(8), "Group Syntax"): each connection gets one of the buckets."""

import msgspec

from ovsnp.flows.action import Action


class Bucket(msgspec.Struct, frozen=True):
    """One choice; ``id`` is 32 bits, below 0xffffff00."""

    id: int
    actions: tuple[Action, ...]

    def __str__(self) -> str:
        return f"bucket=bucket_id:{self.id},weight:100,actions={','.join(map(str, self.actions))}"


class Group(msgspec.Struct, frozen=True):
    """The endpoints of a Service's port; ``id`` is 32 bits, below 0xffffff00.

    ``fields`` are what the choice depends on: the highest of each bucket's hash with them, so a bucket that comes
    or goes moves only its own share.
    """

    id: int
    fields: tuple[str, ...]
    buckets: tuple[Bucket, ...]
    service: str
    port: str

    @property
    def head(self) -> str:
        """The group without its buckets; Open vSwitch stores an only field without parentheses."""
        fields = f"fields({','.join(self.fields)})" if len(self.fields) > 1 else f"fields={self.fields[0]}"
        return f"group_id={self.id},type=select,selection_method=hash,{fields}"
