"""The compiler: manifests to one node's flows, pass by pass."""

import msgspec

from ovsnp.classify import classify
from ovsnp.collector import without_collector
from ovsnp.flows.changes import FlowChanges, by_number, by_slot, difference
from ovsnp.flows.program import Program
from ovsnp.lower import lower
from ovsnp.manifests import load
from ovsnp.model.bridge import Ports
from ovsnp.model.changes import Changes, all_objects, changed
from ovsnp.model.cluster import Cluster
from ovsnp.model.options import Options
from ovsnp.render import render_json, render_text
from ovsnp.resolve import assume_ports, frontends, local_pods, resolve, settle

__all__ = ["Compilation", "assume_ports", "compile_cluster", "load", "local_pods", "render_json", "render_text"]


class Compilation:
    """The flows of one node's bridge, which follow the changes of the cluster and of the bridge's ports.

    Whatever the changes were, the program is that of a compilation from nothing of the objects that there are now.
    """

    def __init__(self, options: Options) -> None:
        self._options = options
        self._cluster = Cluster({}, {}, (), ())
        self._ports = assume_ports(())
        self._program = Program(options, (), ())

    @without_collector()
    def update(self, changes: Changes) -> FlowChanges:
        """Take changes, and return what they change in the flows and groups.

        Raises UsageError where a node's tunnel could not be reached or VXLAN cannot carry a pod's address.
        """
        self._cluster, self._ports = changed(self._cluster, changes), changes.ports or self._ports
        before, self._program = self._program, self._compile()
        return difference(
            by_slot(before.flows),
            by_slot(self._program.flows),
            by_number(before.groups),
            by_number(self._program.groups),
        )

    def _compile(self) -> Program:
        cluster, options = self._cluster, self._options
        bridge = settle(cluster, self._ports, options)
        egress, ingress = resolve(
            cluster, [local.pod for local in bridge.pods], bridge.judged, service_blocks=options.service_blocks
        )
        services = frontends(cluster, options.node)
        program = lower(bridge, classify(egress), classify(ingress), services, options)
        return msgspec.structs.replace(program, assumed_ports=self._ports.assumed)

    def program(self) -> Program:
        """All flows and groups, in the order of the text."""
        return self._program


def compile_cluster(cluster: Cluster, ports: Ports, options: Options) -> Program:
    """Compile the policies of a cluster for the bridge of one of its nodes: one update from nothing.

    ``cluster`` is what `load` made of the manifests (pass 1), ``ports`` are the bridge's; local pods without a
    port are left out. The program goes to `render_text` or `render_json` (pass 5), or to `ovsnp.apply`.
    """
    compilation = Compilation(options)
    compilation.update(Changes(all_objects(cluster), ports=ports))
    return compilation.program()
