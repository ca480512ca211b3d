"""The result of pass 2: the changes of the cluster for one node, with selectors resolved."""

from collections.abc import Mapping

import msgspec

from ovsnp.ir.frontend import Frontend
from ovsnp.ir.ruleset import RuleChanges
from ovsnp.model.bridge import Bridge, LocalPod, RemoteNode

ServiceName = tuple[str, str]
"""A Service's namespace and name."""


class NodeChanges(msgspec.Struct, frozen=True):
    """The current bridge, and the changes of pods, nodes, rules and frontends; None, or no frontend: removed.

    ``pods`` are local pods by ``NAMESPACE/NAME``, ``nodes`` the other nodes by name.
    """

    bridge: Bridge
    pods: Mapping[str, LocalPod | None]
    nodes: Mapping[str, RemoteNode | None]
    rules: RuleChanges
    frontends: Mapping[ServiceName, tuple[Frontend, ...]]
