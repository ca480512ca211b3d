"""What a shell shows of the commands on a page."""

import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path


def printed_by_shell(command: str, directory: Path, environment: Mapping[str, str], shell: str = "sh") -> str:
    """All that a command prints in a directory, errors too, whatever it exits with."""
    return subprocess.run(
        [shutil.which(shell) or shell, "-c", command],
        cwd=directory,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=120,
    ).stdout
