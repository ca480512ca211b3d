"""The result of pass 4: units, the parts of a program that are made independently of each other."""

from collections.abc import Mapping

import msgspec

from ovsnp.flows.flow import Flow
from ovsnp.flows.group import Group
from ovsnp.ir.frontend import Frontend

Unit = tuple[object, ...]
"""The identity of a unit: a local pod, its flows with a subject number for one direction, a node, a prefix of a peer
table, a subject, a rule, the match of a clause, a Service's port, or a part that is always there. The first items say
which."""


class UnitChanges(msgspec.Struct, frozen=True):
    """The units that are made again, each with all of its flows and groups; a unit without flows is gone.

    ``frontends_before`` and ``frontends_after`` are the ports of the Services that have changed.
    """

    flows: Mapping[Unit, tuple[Flow, ...]]
    groups: Mapping[Unit, tuple[Group, ...]]
    frontends_before: tuple[Frontend, ...] = ()
    frontends_after: tuple[Frontend, ...] = ()
