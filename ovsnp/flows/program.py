"""All flows of one bridge, with whose they are."""

import msgspec

from ovsnp.flows.flow import Flow
from ovsnp.flows.group import Group
from ovsnp.ir.frontend import Frontend
from ovsnp.model.options import Options


class Program(msgspec.Struct, frozen=True):
    """What a compilation gives: groups, and flows in the order of the text.

    ``frontends`` are the ports of Services that the groups are of. ``assumed_ports`` says that no database was
    asked: pods' ports are numbered in order.
    """

    options: Options
    groups: tuple[Group, ...]
    flows: tuple[Flow, ...]
    frontends: tuple[Frontend, ...] = ()
    assumed_ports: bool = False
