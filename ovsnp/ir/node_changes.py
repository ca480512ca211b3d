"""What a change of the cluster is for one node, with selectors resolved: what pass 2 hands on."""

from collections.abc import Mapping

import msgspec

from ovsnp.ir.frontend import Frontend
from ovsnp.ir.ruleset import RuleChanges
from ovsnp.model.bridge import Bridge, LocalPod, RemoteNode

ServiceName = tuple[str, str]
"""A Service's namespace and name."""


class NodeChanges(msgspec.Struct, frozen=True):
    """The bridge as it is now, and what else is another than before; None, or no frontend: gone.

    ``pods`` are local pods by ``NAMESPACE/NAME``, ``nodes`` the other nodes by name.
    """

    bridge: Bridge
    pods: Mapping[str, LocalPod | None]
    nodes: Mapping[str, RemoteNode | None]
    rules: RuleChanges
    frontends: Mapping[ServiceName, tuple[Frontend, ...]]
