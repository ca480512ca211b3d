"""The compiler: turns manifests into the flows of one node, pass by pass."""

from collections.abc import Callable
from typing import Any

from ovsnp.classify import Classifier
from ovsnp.errors import UsageError
from ovsnp.flows.changes import FlowChanges
from ovsnp.flows.program import Program
from ovsnp.flows.store import FlowStore
from ovsnp.flows.units import UnitChanges
from ovsnp.gc_pause import gc_paused
from ovsnp.lower import Lowerer
from ovsnp.manifests import load
from ovsnp.model.bridge import BridgePorts
from ovsnp.model.changes import Changes, all_objects
from ovsnp.model.cluster import Cluster
from ovsnp.model.options import Options
from ovsnp.render import render_json, render_text
from ovsnp.resolve import Resolver, assume_ports, local_pods

__all__ = ["Compilation", "assume_ports", "compile_cluster", "load", "local_pods", "render_json", "render_text"]


PASSES: tuple[Callable[[Options], Any], ...] = (Resolver, Classifier, Lowerer)
"""The passes between `load` and `render_text`, in order. Each pass keeps its results: it takes the changes of the pass
before, and returns the changes for the next pass."""


class Compilation:
    """The flows of one node's bridge, kept up to date with the changes of the cluster and of the bridge's ports.

    After any changes, the program equals a compilation from scratch of the objects that exist now.
    """

    def __init__(self, options: Options) -> None:
        self._options = options
        self._flows = FlowStore()
        self._error: UsageError | None = None
        self._start()

    def _start(self) -> None:
        self._passes = [make(self._options) for make in PASSES]
        self._resolver: Resolver = self._passes[0]
        self._lowerer: Lowerer = self._passes[-1]

    @gc_paused()
    def update(self, changes: Changes) -> FlowChanges:
        """Take changes, and return the changes of flows and groups since the last update without an error.

        Raises UsageError where the bridge's own node is not among the nodes, another node has no address for its
        tunnel, or VXLAN cannot carry a pod's address. Even then the changes count: the next update includes them. Until
        an update returns, the flows stay as they were.
        """
        if self._error:
            self._resolver.take(changes)
            changes = self._resolver.everything
            self._start()
        try:
            units = self._pass_on(changes)
        except UsageError as error:
            self._error = error
            raise
        update = self._flows.replace if self._error else self._flows.update
        self._error = None
        return update(units)

    def _pass_on(self, changes: Changes) -> UnitChanges:
        passed_on: Any = changes
        for compiler_pass in self._passes:
            passed_on = compiler_pass.update(passed_on)
        units: UnitChanges = passed_on
        return units

    def program(self) -> Program:
        """All flows and groups, in the order of the text; raises the UsageError of the last update, if there is one."""
        if self._error:
            raise self._error
        return Program(
            self._options,
            self._lowerer.groups,
            self._flows.in_order(),
            self._lowerer.frontends,
            self._resolver.assumed_ports,
        )


@gc_paused()
def compile_cluster(cluster: Cluster, ports: BridgePorts, options: Options) -> Program:
    """Compile the policies of a cluster for the bridge of one of its nodes: one update from scratch.

    ``cluster`` is the result of `load` (pass 1), ``ports`` are the ports of the bridge; local pods without a port get
    no flows. Raises UsageError like `Compilation.update`. The program goes to `render_text` or `render_json` (pass 5),
    or to `ovsnp.apply`.
    """
    compilation = Compilation(options)
    compilation.update(Changes(all_objects(cluster), ports=ports))
    return compilation.program()
