"""Agents for the nodes of a lab: they follow the cluster of an API server, in place of ``ovsnp apply``.

An agent reaches the Open vSwitch of its node by sockets, which are files, and runs in the network of this machine: the
nodes of a lab have no way to an API server.
"""

import sys
import time
from collections.abc import Sequence
from pathlib import Path

from ovsnp import manifests
from ovsnp.apply import preview
from ovsnp.errors import SwitchError
from ovsnp.kubernetes.configuration import find_api_server
from ovsnp.kubernetes.connection import ApiConnection
from ovsnp.kubernetes.resources import FOLLOWED
from ovsnp.kubernetes.snapshot import read_snapshot
from ovsnp.lab import daemons
from ovsnp.lab.journal import LabDirectory
from ovsnp.lab.runtime.children import begin
from ovsnp.model.cluster import Cluster
from ovsnp.model.options import Options
from ovsnp.switch.location import Location

PATIENCE = 120.0
"""Seconds in which a bridge must be as the cluster says."""

_PAUSE = 0.1


def followed(kubeconfig: str, policies: Sequence[str]) -> Cluster:
    """The cluster as the API server has it now, with these manifests added.

    Raises InputError and UsageError for a wrong kubeconfig or manifest, ApiServerError if the API server refuses.
    """
    with ApiConnection(find_api_server(Path(kubeconfig), None)) as connection:
        found = read_snapshot(connection, FOLLOWED)
    return manifests.load_lists(found.lists, found.label, applied=policies)


class LabAgent:
    """The agent of one node; ``container`` is the name of the node in the topology."""

    def __init__(self, directory: LabDirectory, container: str, options: Options) -> None:
        self._directory, self._container, self._options = directory, container, options
        self._files = directory.ovs_directory(container)

    def start(self, kubeconfig: str) -> None:
        """Start it; it ends with the lab. Raises SwitchError if it ends at once."""
        options = self._options
        command = [sys.executable, "-m", "ovsnp", "agent", "--kubeconfig", kubeconfig, "--node", str(options.node)]
        command += ["--bridge", options.bridge, "--db", daemons.database_socket(self._files)]
        command += ["--socket", str(self._files / "agent.sock"), "--encap", options.encap]
        command += ["--strict-nodes"] if options.strict_nodes else []
        command += ["--masquerade"] if options.masquerade else []
        # Not in the user's working directory: the ovsnp.yaml there is not for the lab.
        there = ["env", "-C", str(self._directory.root)]
        there += [f"{key}={value}" for key, value in daemons.environment(self._files).items()]
        begin([*there, *command], f"{self._container}: ovsnp agent", self._log, self._directory)

    def settle(self, cluster: Cluster) -> None:
        """Wait until the bridge is as the compiler makes it from a cluster; raises SwitchError if it never is."""
        deadline = time.monotonic() + PATIENCE
        while not self._is_as_compiled(cluster):
            if time.monotonic() > deadline:
                raise SwitchError(
                    f"{self._container}: the agent does not follow; its log ends with:\n{self._last_words()}"
                )
            time.sleep(_PAUSE)

    def _is_as_compiled(self, cluster: Cluster) -> bool:
        location = Location(daemons.database_socket(self._files), str(self._files))
        try:
            found = preview(location, cluster, self._options)
        except SwitchError:  # the agent has not made its ports yet
            return False
        return not (found.bridge or found.plan or found.forgotten) and found.known

    @property
    def _log(self) -> Path:
        return self._files / "agent.log"

    def _last_words(self) -> str:
        return "\n".join(self._log.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-5:])
