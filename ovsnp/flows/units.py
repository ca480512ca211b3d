"""The parts of a program that are made alone: what pass 4 hands on."""

from collections.abc import Mapping

import msgspec

from ovsnp.flows.flow import Flow
from ovsnp.flows.group import Group

Unit = tuple[object, ...]
"""What a unit is of: a local pod, a node, a prefix of a direction, a rule, a clause's match, a Service's port, or a
part of what is always there. The first item says which."""


class UnitChanges(msgspec.Struct, frozen=True):
    """The units that are made again, each with all of its flows and groups; no flows: the unit is gone."""

    flows: Mapping[Unit, tuple[Flow, ...]]
    groups: Mapping[Unit, tuple[Group, ...]]
