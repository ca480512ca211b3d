"""Pass 2 as a whole: turns changes of the cluster into changes for one node."""

from ovsnp.ir.node_changes import NodeChanges
from ovsnp.ir.ruleset import RuleChanges
from ovsnp.model.bridge import LocalPod
from ovsnp.model.changes import Changes, Objects
from ovsnp.model.options import Options
from ovsnp.resolve.bridge import BridgeParts
from ovsnp.resolve.peers import PeerSets
from ovsnp.resolve.pods import PodIndex
from ovsnp.resolve.rules import NodeRules
from ovsnp.resolve.services import Services


class Resolver:
    """The cluster as one node needs it, kept up to date with the cluster's changes."""

    def __init__(self, options: Options) -> None:
        self._pods, self._host_pods = PodIndex(), PodIndex()
        self._parts = BridgeParts(options)
        self._peers = PeerSets(self._pods)
        self._rules = NodeRules(self._peers, service_blocks=options.service_blocks)
        self._services = Services(options, self._pods, self._host_pods)

    @property
    def assumed_ports(self) -> bool:
        """True if the ports are assumed, not read from a bridge."""
        return self._parts.ports.assumed

    @property
    def everything(self) -> Changes:
        """The changes from an empty cluster to all current objects and ports."""
        objects = Objects(
            self._pods.namespaces,
            self._parts.nodes,
            tuple(self._pods),
            tuple(self._host_pods),
            self._rules.policies,
            self._services.services,
            self._services.slices,
            self._services.cidrs,
        )
        return Changes(objects, ports=self._parts.ports)

    def update(self, changes: Changes) -> NodeChanges:
        """Take changes of the cluster, and return the changes for the node.

        Raises UsageError where the bridge's own node is not among the nodes, or another node has no address for its
        tunnel.
        """
        pods, names = self.take(changes)
        nodes = self._parts.resolve_nodes(names)
        if names:
            self._peers.set_every_pod(self._parts.pod_cidrs, self._parts.judged)
        isolated, rules = self._rules.take_changes()
        blocks, listed = self._peers.take_changes()
        return NodeChanges(
            self._parts.bridge(self._services.service_cidrs),
            pods,
            nodes,
            RuleChanges(isolated, rules, blocks, listed),
            self._services.take_changes(),
        )

    def take(self, changes: Changes) -> tuple[dict[str, LocalPod | None], set[str]]:
        """Keep the changed objects and ports; returns the local pods that changed, and the names of changed nodes."""
        went, came = changes.went, changes.came
        before = self._pods.update((went.pods, came.pods), (went.namespaces, came.namespaces))
        hosts_before = self._host_pods.update((went.host_pods, came.host_pods), ((), ()))
        self._peers.follow_pods()
        self._services.follow_pods((before, hosts_before, came.pods, came.host_pods))
        self._services.update_cidrs(went.service_cidrs, came.service_cidrs)
        self._services.update_services(went.services, came.services)
        self._services.update_slices(went.slices, came.slices)
        pods = self._parts.update_pods(went.pods, came.pods, changes.ports)
        self._rules.update_pods(pods)
        self._rules.update_policies(went.policies, came.policies)
        return pods, self._parts.update_nodes(went.nodes, came.nodes)
