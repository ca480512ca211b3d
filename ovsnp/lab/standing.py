"""The life of a lab, from `up` to `down`."""

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import msgspec

from ovsnp import manifests
from ovsnp.errors import UsageError
from ovsnp.lab import gateway, hosts, topology
from ovsnp.lab.agents import LabAgent, followed
from ovsnp.lab.datapath import fitted
from ovsnp.lab.interrupts import held_back
from ovsnp.lab.journal import LabDirectory, Settings
from ovsnp.lab.own.planning import LabPlan, write_policies
from ovsnp.lab.runtime import RUNTIMES
from ovsnp.lab.runtime.interface import Runtime
from ovsnp.lab.topology import Topology
from ovsnp.model.cluster import Cluster
from ovsnp.model.options import Options

BRIDGE = "br-int"

Tell = Callable[[str], None]
"""Takes a line about the current step."""


class Lab:
    """A lab that stands or is being built."""

    def __init__(self, directory: LabDirectory, settings: Settings) -> None:
        """Read the topology and the manifests; raises InputError, UsageError."""
        self.directory = directory
        self.settings = settings
        self.topology: Topology = fitted(topology.read(Path(settings.topology)), settings.datapath)
        self.cluster: Cluster = self.load(settings.manifests)
        self.runtime: Runtime = RUNTIMES[settings.runtime](directory, settings.datapath)
        hosts.check(self.topology, self.cluster)

    @property
    def nodes(self) -> list[tuple[str, str]]:
        """The Nodes of the lab: the name in the cluster and the name in the topology."""
        return [(node.cluster_node, node.name) for node in self.topology.nodes if node.cluster_node is not None]

    def load(self, policies: Sequence[str]) -> Cluster:
        """The lab's cluster with these manifests added; raises InputError.

        With agents the cluster is the one that they follow; raises also what `followed` raises.
        """
        if self.settings.agents:
            return followed(self.settings.agents, policies)
        return manifests.load([str(self.topology.cluster_directory), *policies])

    def apply(self, policies: Sequence[str], *, masquerade: bool | None = None) -> None:
        """Apply these policies on every node's bridge, in place of the earlier ones; raises InputError, SwitchError.

        With ``masquerade`` None, that setting does not change. Raises UsageError if the nodes have agents.
        """
        if self.settings.agents:
            raise UsageError(
                f"the nodes of lab {self.settings.name} follow an API server; change the policies there: "
                f"kubectl --kubeconfig {self.settings.agents} apply -f FILE"
            )
        self.cluster = self.load(policies)
        if masquerade is not None:
            self.settings = msgspec.structs.replace(self.settings, masquerade=masquerade)
        with ThreadPoolExecutor(len(self.nodes)) as pool:
            list(pool.map(lambda node: self._apply_on(node[0], node[1], policies), self.nodes))
        self.settings = msgspec.structs.replace(self.settings, manifests=tuple(policies))
        self.directory.save(self.settings)
        # The gateways are not up before the lab is complete.
        for node, container in self.nodes if self.settings.complete else ():
            gateway.route_services(self.runtime, self.cluster, self.cluster.nodes[node], container)

    def settle(self) -> None:
        """Wait until every bridge is as the cluster that the agents follow; raises SwitchError if one never is."""
        self.cluster = self.load(())
        for agent in self._agents():
            agent.settle(self.cluster)

    def _follow(self, kubeconfig: str) -> None:
        """Start an agent on each node, and wait until they have made the flows."""
        for agent in self._agents():
            agent.start(kubeconfig)
        self.settle()

    def _agents(self) -> Iterator[LabAgent]:
        settings = self.settings
        for node, container in self.nodes:
            options = Options(BRIDGE, node, settings.encap, settings.strict_nodes, settings.masquerade)
            yield LabAgent(self.directory, container, options)

    def _apply_on(self, node: str, container: str, policies: Sequence[str]) -> None:
        where = ["--bridge", BRIDGE, "--node", node, "--db", self.runtime.database(container)]
        how = ["--encap", self.settings.encap]
        how += ["--strict-nodes"] if self.settings.strict_nodes else []
        how += ["--masquerade"] if self.settings.masquerade else []
        files = self.runtime.files(container, [str(self.topology.cluster_directory), *policies])
        what = [argument for path in files for argument in ("-f", path)]
        self.runtime.run(container, [self.runtime.python(container), "-m", "ovsnp", "apply", *where, *how, *what])

    def _set_up_gateways(self) -> None:
        for node, container in self.nodes:
            mtus = [link.mtu for link in self._pod_links(container)]
            gateway.set_up(self.runtime, self.cluster, self.cluster.nodes[node], container, min(mtus, default=1400))

    def _pod_links(self, container: str) -> Iterator[topology.Link]:
        pods = {node.name for node in self.topology.nodes if node.pod is not None}
        for link in self.topology.links:
            ends = {end.node for end in link.ends}
            if container in ends and ends & pods:
                yield link

    def restart_switch(self, node: str) -> None:
        """Restart the ovs-vswitchd of a Node; raises UsageError, SwitchError.

        The flows are gone until `apply`; with the userspace datapath, the connections in conntrack are gone too.
        """
        container = dict(self.nodes).get(node)
        if container is None:
            raise UsageError(f"there is no node {node}; there are {', '.join(name for name, _ in self.nodes)}")
        self.runtime.restart_switch(container)


def policies(lab: Lab, files: tuple[str, ...]) -> tuple[str, ...]:
    """Manifests for a lab, from such files; raises InputError.

    A lab of the user's own cluster already has nodes and pods: from manifests with nodes or pods it takes the policies
    only.
    """
    if not (lab.settings.own and files):
        return files
    cluster = manifests.load(files)
    return own_policies(lab, cluster) if cluster.nodes or cluster.pods else files


def own_policies(lab: Lab, cluster: Cluster) -> tuple[str, ...]:
    """The file with the policies of a whole cluster that select a pod of a lab; raises UsageError for other labs."""
    if not lab.settings.own:
        raise UsageError(
            f"lab {lab.settings.name} is the cluster of a topology, not one of yours; name policies with -f, or build"
            " a lab of your cluster: ovsnp lab up --cluster"
        )
    return (str(write_policies(lab.directory.own_cluster, lab.cluster, cluster.policies)),)


def paths(names: Sequence[str]) -> tuple[str, ...]:
    """Absolute paths of manifests, for commands that run in another directory; raises UsageError for standard input."""
    if "-" in names:
        raise UsageError("a lab reads its manifests once for every node; write standard input to a file first")
    return tuple(os.path.abspath(name) for name in names)


def up(settings: Settings, tell: Tell, own: LabPlan | None = None) -> Lab:
    """Build a lab, completely or not at all; raises UsageError, InputError, SwitchError, KeyboardInterrupt.

    With ``own``, the lab is of that part of the user's cluster; topology and manifests of ``settings`` are ignored.
    """
    RUNTIMES[settings.runtime].check_machine(settings.datapath)
    directory = LabDirectory(settings.name)
    lab = None if own else Lab(directory, settings)
    claimed = False
    try:
        with held_back():
            directory.claim()
            claimed = True
        with directory.locked():
            if own:
                file, own_policies = own.write(directory.own_cluster, settings.name)
                settings = msgspec.structs.replace(
                    settings, topology=str(file), manifests=(str(own_policies),), own=True
                )
            lab = lab or Lab(directory, settings)
            directory.save(settings)
            tell(f"building {len(lab.topology.nodes)} nodes and {len(lab.topology.links)} links")
            lab.runtime.build(lab.topology)
            nodes = ", ".join(node for node, _ in lab.nodes)
            if settings.agents:
                tell(f"starting agents on {nodes}")
                lab._follow(settings.agents)
            else:
                tell(f"applying the policies on {nodes}")
                lab.apply(settings.manifests)
            lab._set_up_gateways()
            lab.settings = msgspec.structs.replace(lab.settings, complete=True)
            directory.save(lab.settings)
    except BaseException:
        if claimed:
            with held_back():
                _dismantle(directory)
        raise
    return lab


def find(name: str) -> Lab:
    """The lab of that name; raises UsageError where it does not exist or is incomplete, and what `Lab` raises."""
    directory = LabDirectory(name)
    settings = directory.settings()
    RUNTIMES[settings.runtime].check_access()
    return Lab(directory, settings)


def down(name: str) -> bool:
    """Remove a lab, complete or half built; False where there was none. Raises UsageError, SwitchError."""
    directory = LabDirectory(name)
    if not directory.exists:
        return False
    if (settings := directory.written()) is not None:
        RUNTIMES[settings.runtime].check_access()
    with directory.locked(), held_back():
        _dismantle(directory)
    return True


@contextmanager
def temporary(settings: Settings, tell: Tell) -> Iterator[Lab]:
    """A lab for the time of the context; raises what ``up`` and ``down`` raise."""
    lab = up(settings, tell)
    try:
        yield lab
    finally:
        down(settings.name)


def _dismantle(directory: LabDirectory) -> None:
    # The settings are written before anything is built.
    if (settings := directory.written()) is not None:
        RUNTIMES[settings.runtime](directory, settings.datapath).destroy()
    directory.remove()
