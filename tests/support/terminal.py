"""What ovsnp shows on a terminal."""

import contextlib
import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios

from tests.support.checkout import ROOT


def on_terminal(columns: int, *arguments: str) -> str:
    """What ovsnp prints on a terminal of this width, without colour."""
    leader, follower = pty.openpty()
    fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "TERM": "xterm"}
    command = [sys.executable, "-m", "ovsnp", *arguments, "--no-color"]
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=follower, stderr=subprocess.DEVNULL, env=environment
    ) as process:
        os.close(follower)
        shown = b""
        with contextlib.suppress(OSError):  # so a terminal ends whose other side is closed
            while part := os.read(leader, 4096):
                shown += part
        os.close(leader)
        process.wait()
    return re.sub(r"\x1b\[[0-9;]*m", "", shown.decode()).replace("\r\n", "\n")
