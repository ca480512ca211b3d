"""The output of ovsnp on a terminal."""

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


def on_terminal(columns: int, *arguments: str, stream: str = "stdout") -> str:
    """The output of ovsnp, without colour, when only this stream is a terminal, of this width."""
    leader, follower = pty.openpty()
    fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "TERM": "xterm", "NO_COLOR": "1"}
    streams = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    streams[stream] = follower
    with subprocess.Popen([sys.executable, "-m", "ovsnp", *arguments], env=environment, **streams) as process:
        os.close(follower)
        shown = b""
        with contextlib.suppress(OSError):  # reading a terminal whose other side is closed raises OSError
            while part := os.read(leader, 4096):
                shown += part
        os.close(leader)
        process.wait()
    return re.sub(r"\x1b\[[0-9;]*m", "", shown.decode()).replace("\r\n", "\n")
