"""Setting up a node's network again after a part of it was lost."""

from collections.abc import Sequence

from ovsnp.errors import SwitchError
from ovsnp.lab.runtime.interface import Runtime

_THERE = ("file exists", "already assigned")
"""What `ip` says of EEXIST. Rules outlive the interfaces they name, and interfaces an ovs-vswitchd that is killed."""


def repeat(runtime: Runtime, node: str, command: Sequence[str]) -> None:
    """Run a command that may have been run before: what is there already stays. Raises SwitchError."""
    try:
        runtime.run(node, command)
    except SwitchError as error:
        if not any(words in str(error).lower() for words in _THERE):
            raise
