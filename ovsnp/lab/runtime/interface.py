"""The interface of a runtime: what a lab needs, whatever the nodes are built from."""

from collections.abc import Sequence
from typing import Protocol

from ovsnp.lab.datapath import DatapathType
from ovsnp.lab.journal import LabDirectory
from ovsnp.lab.topology import Topology


class Runtime(Protocol):
    """Builds a topology, runs commands in its nodes, removes it."""

    def __init__(self, directory: LabDirectory, datapath: DatapathType) -> None: ...

    @staticmethod
    def check_machine(datapath: DatapathType) -> None:
        """Raise UsageError or SwitchError where this machine cannot run such a lab; the error says what is missing."""
        ...

    @staticmethod
    def check_access() -> None:
        """Raise UsageError or SwitchError where a lab that stands cannot be reached."""
        ...

    def build(self, topology: Topology) -> None:
        """Build every node and link and run the nodes' commands; raises UsageError, InputError or SwitchError.

        What was built before an error stays, for ``destroy`` to remove.
        """
        ...

    def destroy(self) -> None:
        """Remove everything that ``build`` made, also after a build that was cut short."""
        ...

    def run(self, node: str, command: Sequence[str]) -> str:
        """Run a command in a node to its end; give its output. Raises SwitchError where the command fails."""
        ...

    def command(self, node: str, command: Sequence[str]) -> list[str]:
        """The command for this machine that runs ``command`` in a node, with the same standard streams."""
        ...

    def shell(self, node: str) -> str:
        """The command that a user types for a shell in a node."""
        ...

    def namespace(self, node: str) -> str:
        """The name of a node's network namespace on this machine, as ``ip netns`` knows it."""
        ...

    def files(self, node: str, paths: Sequence[str]) -> list[str]:
        """Make manifests of this machine available in a node, in place of the earlier ones; give their paths there."""
        ...

    def python(self, node: str) -> str:
        """The Python interpreter in a node; on Nodes of the cluster it can import ovsnp."""
        ...

    def database(self, node: str) -> str:
        """The address of a node's Open vSwitch database, as ``--db`` takes it in that node."""
        ...

    def restart_switch(self, node: str) -> None:
        """End the ovs-vswitchd of a node if it runs, and start it again; raises UsageError, SwitchError."""
        ...
