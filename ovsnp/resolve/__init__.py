"""Pass 2: a cluster to one node's bridge, and selectors to the subjects and peer sets of its pods."""

from ovsnp.resolve.bridge import assume_ports, local_pods, settle
from ovsnp.resolve.rules import resolve
from ovsnp.resolve.services import frontends

__all__ = ["assume_ports", "frontends", "local_pods", "resolve", "settle"]
