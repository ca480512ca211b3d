"""The runtimes, which build a topology: one module for each."""

from collections.abc import Mapping

from ovsnp.lab.runtime.containerlab import ContainerlabRuntime
from ovsnp.lab.runtime.interface import Runtime
from ovsnp.lab.runtime.netns import NetnsRuntime

NETNS = "netns"
CONTAINERLAB = "containerlab"

RUNTIMES: Mapping[str, type[Runtime]] = {NETNS: NetnsRuntime, CONTAINERLAB: ContainerlabRuntime}
"""The runtimes, by the name that ``--runtime`` takes."""
