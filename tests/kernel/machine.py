"""Boots a virtual machine, copies the checkout into it, runs commands in it by ssh, and ends it.

The machine is fully emulated (TCG): it runs where there is no KVM, ten times slower than the processor. Writes to its
disk are lost when it ends.
"""

import shlex
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.kernel.building import HOST_ALIAS, PROJECT, VENV, Image
from tests.kernel.recipe import CHECKOUT

QEMU = "qemu-system-x86_64"
PATIENCE = 300.0
"""Seconds in which the machine must answer; on an idle processor it takes about fifteen."""

ENVIRONMENT = {"PATH": f"{VENV}/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8"}


class MachineError(Exception):
    """The virtual machine did not come up, or is gone; the message says why."""


class Machine:
    """A guest that answers ssh, on a port of the host's loopback interface."""

    def __init__(self, image: Image, port: int) -> None:
        self.image = image
        self.port = port

    def command(self, command: Sequence[str], *, terminal: bool = False) -> list[str]:
        """The ssh command line that runs a command in the guest, as root in the checkout's folder."""
        settings = [f"{name}={value}" for name, value in ENVIRONMENT.items()]
        line = f"mkdir -p {PROJECT} && cd {PROJECT} && exec env {shlex.join([*settings, *command])}"
        return [*self.ssh(), *(["-t"] if terminal else []), HOST_ALIAS, line]

    def ssh(self) -> list[str]:
        """The beginning of an ssh command line to the guest."""
        options = {
            "User": "root",
            "HostName": "127.0.0.1",
            "Port": str(self.port),
            "HostKeyAlias": HOST_ALIAS,
            "UserKnownHostsFile": str(self.image.known_hosts),
            "IdentityFile": str(self.image.key),
            "IdentitiesOnly": "yes",
            "BatchMode": "yes",
            "ConnectTimeout": "20",
            "LogLevel": "ERROR",
        }
        return ["ssh", "-F", "none", *(word for key, value in options.items() for word in ("-o", f"{key}={value}"))]

    def run(self, command: Sequence[str], *, terminal: bool = False) -> int:
        """Run a command in the guest with this process's own streams; returns its exit status."""
        return subprocess.run(self.command(command, terminal=terminal), check=False).returncode

    def answers(self) -> bool:
        """Whether the guest runs a command."""
        asked = subprocess.run(self.command(["true"]), stdin=subprocess.DEVNULL, capture_output=True, check=False)
        return asked.returncode == 0

    def copy_checkout(self) -> None:
        """Copy this checkout, as it is, into the guest, in place of an earlier one; raises MachineError."""
        listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
        names = subprocess.run(listed, cwd=CHECKOUT, capture_output=True, check=True).stdout
        packed = ["tar", "--create", "--gzip", "--null", "--files-from=-", "--ignore-failed-read"]
        archive = subprocess.run(packed, cwd=CHECKOUT, input=names, stdout=subprocess.PIPE, check=True).stdout
        unpacking = f"rm -rf {PROJECT} && mkdir {PROJECT} && tar --extract --gzip --no-same-owner --directory={PROJECT}"
        done = subprocess.run([*self.ssh(), HOST_ALIAS, unpacking], input=archive, check=False)
        if done.returncode != 0:
            raise MachineError("the checkout could not be copied into the virtual machine")


@contextmanager
def booted(image: Image, port: int | None = None) -> Iterator[Machine]:
    """A machine that runs while the context lasts; raises MachineError where it does not answer in time, or has ended.

    The log of its kernel's serial console is kept where an error ends the context.
    """
    if not shutil.which(QEMU):
        raise MachineError(f"{QEMU} is not installed; on Debian: apt-get install qemu-system-x86")
    machine = Machine(image, port or _free_port())
    with tempfile.NamedTemporaryFile(prefix="ovsnp-console-", suffix=".log", delete=False) as log:
        console = Path(log.name)
    qemu = subprocess.Popen(
        _qemu(image, machine.port, console), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    try:
        _wait(machine, qemu, console)
        yield machine
    finally:
        ended = qemu.poll()
        qemu.terminate()
        said = qemu.communicate()[0].decode(errors="replace").strip()
        # Without this error, a command that was cut off would only have an exit status of ssh.
        if ended is not None:
            raise MachineError(f"{QEMU} has ended with status {ended}: {said or 'silently'}; {_last_words(console)}")
    console.unlink(missing_ok=True)


def _wait(machine: Machine, qemu: subprocess.Popen[bytes], console: Path) -> None:
    deadline = time.monotonic() + PATIENCE
    while not machine.answers():
        if qemu.poll() is not None:
            raise MachineError("the virtual machine did not come up")
        if time.monotonic() > deadline:
            raise MachineError(f"the virtual machine does not answer in {PATIENCE:.0f} seconds; {_last_words(console)}")
        time.sleep(0.5)


def _last_words(console: Path) -> str:
    lines = console.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    return "\n".join([f"its console ({console}) ends with:", *lines[-20:]])


def _free_port() -> int:
    with socket.socket() as tried:
        tried.bind(("127.0.0.1", 0))
        port: int = tried.getsockname()[1]
        return port


def _qemu(image: Image, port: int, console: Path) -> list[str]:
    return [
        QEMU,
        *("-accel", "tcg,thread=multi,tb-size=1024", "-cpu", "max", "-smp", "2", "-m", "4096"),
        *("-display", "none", "-monitor", "none", "-no-reboot", "-serial", f"file:{console}"),
        *("-kernel", str(image.kernel), "-initrd", str(image.initrd)),
        "-append",
        "console=ttyS0 root=/dev/vda rw init=/sbin/vm-init panic=-1 net.ifnames=0 mitigations=off nokaslr quiet",
        *("-drive", f"file={image.disk},format=raw,if=virtio,cache=unsafe,snapshot=on"),
        # The guest reaches no network; only ssh reaches the guest.
        *("-netdev", f"user,id=n0,restrict=on,hostfwd=tcp:127.0.0.1:{port}-:22"),
        *("-device", "virtio-net-pci,netdev=n0,romfile=", "-device", "virtio-rng-pci"),
    ]
