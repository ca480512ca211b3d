"""What a lab needs of a runtime, whatever it builds its nodes from."""

from collections.abc import Sequence
from typing import Protocol

from ovsnp.lab.topology import Topology


class Runtime(Protocol):
    """Builds a topology, runs commands in its nodes, takes it away."""

    def build(self, topology: Topology) -> None:
        """Build every node and link and run the nodes' commands; raises UsageError or SwitchError.

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

    def python(self, node: str) -> str:
        """The Python interpreter of a node."""
        ...

    def database(self, node: str) -> str:
        """Where the Open vSwitch database of a node is reached, as ``--db`` takes it in that node."""
        ...
