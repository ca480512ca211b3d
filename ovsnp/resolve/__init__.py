"""Pass 2: a cluster to one node's bridge, and selectors to the subjects and peer sets of its pods."""

from ovsnp.resolve.bridge import assume_ports, local_pods
from ovsnp.resolve.resolver import Resolver

__all__ = ["Resolver", "assume_ports", "local_pods"]
