"""Pass 2: turns a cluster into one node's bridge, and selectors into the subjects and peer sets of its rules."""

from ovsnp.resolve.bridge import assume_ports, local_pods
from ovsnp.resolve.resolver import Resolver

__all__ = ["Resolver", "assume_ports", "local_pods"]
