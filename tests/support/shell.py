"""The output of shell commands, as documentation pages show it."""

import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path


def printed_by_shell(command: str, directory: Path, environment: Mapping[str, str], shell: str = "sh") -> str:
    """The output of a command in a directory, standard error included, for any exit code."""
    return subprocess.run(
        [shutil.which(shell) or shell, "-c", command],
        cwd=directory,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=600,
    ).stdout
