"""The compiler: manifests to one node's flows, pass by pass."""

from ovsnp.classify import Classifier
from ovsnp.collector import without_collector
from ovsnp.flows.changes import FlowChanges
from ovsnp.flows.program import Program
from ovsnp.flows.store import FlowStore
from ovsnp.lower import Lowerer
from ovsnp.manifests import load
from ovsnp.model.bridge import Ports
from ovsnp.model.changes import Changes, all_objects
from ovsnp.model.cluster import Cluster
from ovsnp.model.options import Options
from ovsnp.render import render_json, render_text
from ovsnp.resolve import Resolver, assume_ports, local_pods

__all__ = ["Compilation", "assume_ports", "compile_cluster", "load", "local_pods", "render_json", "render_text"]


class Compilation:
    """The flows of one node's bridge, which follow the changes of the cluster and of the bridge's ports.

    Whatever the changes were, the program is that of a compilation from nothing of the objects that there are now.
    """

    def __init__(self, options: Options) -> None:
        self._options = options
        self._resolver = Resolver(options)
        self._classifier = Classifier()
        self._lowerer = Lowerer(options)
        self._store = FlowStore()

    @without_collector()
    def update(self, changes: Changes) -> FlowChanges:
        """Take changes, and return what they change in the flows and groups.

        Raises UsageError where a node's tunnel could not be reached or VXLAN cannot carry a pod's address.
        """
        node = self._resolver.update(changes)
        policy = self._classifier.update(node.rules)
        units = self._lowerer.update(node, policy)
        return self._store.update(units)

    def program(self) -> Program:
        """All flows and groups, in the order of the text."""
        flows = sorted(
            self._store.flows.items(), key=lambda item: (item[0].table, -item[0].priority, item[1].note, item[0].match)
        )
        return Program(
            self._options,
            self._lowerer.groups,
            tuple(flow for _, flow in flows),
            self._lowerer.frontends,
            self._resolver.assumed_ports,
        )


@without_collector()
def compile_cluster(cluster: Cluster, ports: Ports, options: Options) -> Program:
    """Compile the policies of a cluster for the bridge of one of its nodes: one update from nothing.

    ``cluster`` is what `load` made of the manifests (pass 1), ``ports`` are the bridge's; local pods without a
    port are left out. The program goes to `render_text` or `render_json` (pass 5), or to `ovsnp.apply`.
    """
    compilation = Compilation(options)
    compilation.update(Changes(all_objects(cluster), ports=ports))
    return compilation.program()
