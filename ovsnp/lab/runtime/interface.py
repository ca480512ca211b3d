"""What a lab needs of a runtime, whatever it builds its nodes from."""

from collections.abc import Sequence
from typing import Protocol

from ovsnp.lab.datapath import DatapathType
from ovsnp.lab.journal import LabDirectory
from ovsnp.lab.topology import Topology


class Runtime(Protocol):
    """Builds a topology, runs commands in its nodes, takes it away."""

    def __init__(self, directory: LabDirectory, datapath: DatapathType) -> None: ...

    @staticmethod
    def check_machine(datapath: DatapathType) -> None:
        """Raise UsageError or SwitchError where this machine cannot carry such a lab, saying what it lacks."""
        ...

    @staticmethod
    def check_access() -> None:
        """Raise UsageError or SwitchError where a lab that stands cannot be reached."""
        ...

    def build(self, topology: Topology) -> None:
        """Build every node and link and run the nodes' commands; raises UsageError, InputError or SwitchError.

        What was built before an error stays, for ``destroy``.
        """
        ...

    def destroy(self) -> None:
        """Take away all that ``build`` made, also after a build that was cut short."""
        ...

    def run(self, node: str, command: Sequence[str]) -> str:
        """Run a command in a node to its end; what it prints. Raises SwitchError where it fails."""
        ...

    def command(self, node: str, command: Sequence[str]) -> list[str]:
        """What to run on this machine to run ``command`` in a node, with its standard streams."""
        ...

    def shell(self, node: str) -> str:
        """What a user types for a shell in a node."""
        ...

    def namespace(self, node: str) -> str:
        """The name of a node's network namespace on this machine, as ``ip netns`` knows it."""
        ...

    def files(self, node: str, paths: Sequence[str]) -> list[str]:
        """Have manifests of this machine in a node too, in place of those before; where they are there."""
        ...

    def python(self, node: str) -> str:
        """The Python interpreter of a node; on Nodes of the cluster it has ovsnp."""
        ...

    def database(self, node: str) -> str:
        """Where the Open vSwitch database of a node is reached, as ``--db`` takes it in that node."""
        ...

    def restart_switch(self, node: str) -> None:
        """End the ovs-vswitchd of a node, where it still runs, and start it again; raises UsageError, SwitchError."""
        ...
