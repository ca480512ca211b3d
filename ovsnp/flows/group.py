"""Select groups (ovs-ofctl(8), "Group Syntax"): each connection gets one of the buckets."""

from typing import NamedTuple

import msgspec

from ovsnp.flows.action import Action
from ovsnp.flows.match import format_value
from ovsnp.pipeline.fields import Field

WEIGHT = 100
"""The weight of a choice: of its bucket, or of its two buckets together."""


class Bucket(msgspec.Struct, frozen=True):
    """One choice; ``id`` is below 0xffffff00. ``weight`` is its share of the sum of all weights of the group."""

    id: int
    actions: tuple[Action, ...]
    weight: int = WEIGHT

    def __str__(self) -> str:
        return f"bucket=bucket_id:{self.id},weight:{self.weight},actions={','.join(map(str, self.actions))}"


class HashedField(NamedTuple):
    """A field on which the choice of a bucket depends, and the bits of the field that count."""

    field: Field
    mask: int

    def __str__(self) -> str:
        whole = self.mask == self.field.full_mask
        return self.field.target if whole else f"{self.field.target}={format_value(self.field, self.mask)}"


class Group(msgspec.Struct, frozen=True):
    """The endpoints of a Service's port, or the groups among which they are divided; ``id`` is below 0xffffff00.

    Without ``fields`` the datapath hashes addresses and ports (``dp_hash``): all connections share a few megaflows.
    With ``fields`` the choice depends only on these fields: the bucket with the highest hash of them gets the
    connection, so a bucket that comes or goes moves only its own share. Each value of the fields then has a megaflow of
    its own.
    """

    id: int
    fields: tuple[HashedField, ...]
    buckets: tuple[Bucket, ...]
    service: str
    port: str

    @property
    def head(self) -> str:
        """The group without its buckets; Open vSwitch stores a single field without parentheses."""
        head = f"group_id={self.id},type=select,selection_method"
        if not self.fields:
            return f"{head}=dp_hash"
        fields = f"fields({','.join(map(str, self.fields))})" if len(self.fields) > 1 else f"fields={self.fields[0]}"
        return f"{head}=hash,{fields}"
