"""Edits of one policy, as a user types them and before they are saved."""

from typing import Any

import msgspec


class Draft(msgspec.Struct, frozen=True):
    """A policy that is new, or that replaces a policy.

    ``policy`` is the object as it would be saved, as values of JSON; it may have mistakes, and may be no object at all.
    ``replaces`` is NAMESPACE/NAME of the policy in the snapshot; None: the policy is new. The names may differ.
    """

    policy: Any
    replaces: str | None = None


class Deletion(msgspec.Struct, frozen=True):
    """The end of a policy: ``replaces`` is NAMESPACE/NAME of the policy in the snapshot."""

    replaces: str


Edit = Draft | Deletion
