"""All flows and groups of one bridge, with the options and the Service ports that they are for."""

import msgspec

from ovsnp.flows.flow import Flow
from ovsnp.flows.group import Group
from ovsnp.ir.frontend import Frontend
from ovsnp.model.options import Options


class Program(msgspec.Struct, frozen=True):
    """The result of a compilation: groups, and flows in the order in which `compile` prints them.

    ``frontends`` are the Service ports that the groups serve. If ``assumed_ports``, no database was read: the pods'
    ports are numbered in the order of the pods.
    """

    options: Options
    groups: tuple[Group, ...]
    flows: tuple[Flow, ...]
    frontends: tuple[Frontend, ...] = ()
    assumed_ports: bool = False
