"""What builds a topology: each runtime in a module of its own."""

from collections.abc import Mapping

from ovsnp.lab.runtime.containerlab import ContainerlabRuntime
from ovsnp.lab.runtime.interface import Runtime
from ovsnp.lab.runtime.netns import NetnsRuntime

NETNS = "netns"
CONTAINERLAB = "containerlab"

RUNTIMES: Mapping[str, type[Runtime]] = {NETNS: NetnsRuntime, CONTAINERLAB: ContainerlabRuntime}
"""By the name that ``--runtime`` takes."""
