"""Builds the topology from Docker containers, with the command ``containerlab`` (https://containerlab.dev).

The image has ovsnp and Python: policies are applied, and probes sent, inside the containers.
"""

import hashlib
import io
import os
import shutil
import subprocess
import tarfile
import time
from collections.abc import Sequence
from contextlib import suppress
from functools import cached_property
from pathlib import Path

from ovsnp.errors import SwitchError, UsageError
from ovsnp.lab.datapath import DatapathType
from ovsnp.lab.journal import JournalEntry, LabDirectory, end, start_time
from ovsnp.lab.runtime import docker, namespace
from ovsnp.lab.runtime.children import begin, output
from ovsnp.lab.runtime.clab_file import standalone
from ovsnp.lab.topology import Topology
from ovsnp.yaml_reader.sources import files_of, read_again

PATIENCE = 300.0
"""Seconds that containerlab may take; it takes about ten."""

MANIFESTS = Path("/run/ovsnp-lab")
"""The directory for manifests in a node's container."""

INSTALL = {
    "docker": "Docker (Debian: apt-get install docker.io; https://docs.docker.com/engine/install)",
    "containerlab": "containerlab (https://containerlab.dev/install)",
}


def pack(paths: Sequence[str]) -> tuple[bytes, list[str]]:
    """An archive of manifests for the root of a container, and the path in the container for each of ``paths``.

    A directory stays a directory, since files that are no manifests are skipped only in directories. Other contents get
    another directory, so that no earlier manifest is read again.
    """
    contents = {
        os.path.normpath(os.path.join(str(index), _name(path), os.path.relpath(file, path))): read_again(file)
        for index, path in enumerate(paths)
        for file in files_of([path])
    }
    place = MANIFESTS / hashlib.sha256(repr(contents).encode()).hexdigest()
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        for name, data in contents.items():
            member = tarfile.TarInfo(str(place.relative_to("/") / name))
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return archive.getvalue(), [str(place / str(index) / _name(path)) for index, path in enumerate(paths)]


def _name(path: str) -> str:
    return os.path.basename(os.path.abspath(path))


class ContainerlabRuntime:
    """One lab's containers."""

    def __init__(self, directory: LabDirectory, datapath: DatapathType) -> None:
        self.directory = directory
        self._file = directory.root / f"{directory.name}.clab.yml"
        self._log = directory.root / "containerlab.log"

    @staticmethod
    def check_machine(datapath: DatapathType) -> None:
        """See ``Runtime``; the image's Open vSwitch has the userspace datapath only."""
        if datapath is not DatapathType.NETDEV:
            raise UsageError(
                f"a lab of containers has no datapath {datapath}; leave --datapath out, or give --runtime netns"
            )
        ContainerlabRuntime.check_access()

    @staticmethod
    def check_access() -> None:
        """See ``Runtime``."""
        if missing := [what for program, what in INSTALL.items() if not shutil.which(program)]:
            raise SwitchError(f"a lab of containers needs {' and '.join(missing)}; without them: --runtime netns")
        docker.check_daemon()

    def build(self, topology: Topology) -> None:
        """See ``Runtime``; raises UsageError where containerlab has a lab of that name already."""
        name = self.directory.name
        if docker.containers(name):
            raise UsageError(f"containerlab has a lab {name} already; give another --name, or remove it")
        if any(node.image == docker.IMAGE for node in topology.nodes):
            docker.have_image()
        self._file.write_text(standalone(topology.file, name), encoding="utf-8")
        self.directory.record(JournalEntry(networks=tuple(sorted(docker.networks()))))
        self._wait(begin(self._containerlab("deploy"), "containerlab deploy", self._log, self.directory))

    def destroy(self) -> None:
        """See ``Runtime``."""
        entries = self.directory.entries()
        before = [set(entry.networks) for entry in entries if entry.networks is not None]
        if not before:
            return
        deploying = [entry.process for entry in entries if entry.process is not None]
        cut_short = any(start_time(process.pid) == process.start for process in deploying)
        end(deploying)
        names = docker.containers(self.directory.name)
        if names and self._file.exists():
            # Whatever containerlab leaves is removed below.
            with suppress(SwitchError):
                output([*self._containerlab("destroy"), "--cleanup"], "containerlab destroy")
        if cut_short:
            # Docker still makes a container that it was asked for, although no client waits for it any more.
            time.sleep(0.5)
        while left := docker.containers(self.directory.name):
            names |= left
            output(["docker", "rm", "--force", "--volumes", *left.values()], "docker rm")
        for name in names.values():
            if namespace.handle(name).is_symlink() and not namespace.handle(name).exists():
                namespace.handle(name).unlink()
        if not docker.in_use():
            for network in docker.networks() - before[0]:
                output(["docker", "network", "rm", network], f"docker network rm {network}")

    def run(self, node: str, command: Sequence[str]) -> str:
        """See ``Runtime``."""
        return output(self.command(node, command), f"{node}: {' '.join(command)}")

    def command(self, node: str, command: Sequence[str]) -> list[str]:
        """See ``Runtime``."""
        return ["docker", "exec", "--interactive", self.namespace(node), *command]

    def shell(self, node: str) -> str:
        """See ``Runtime``."""
        return f"docker exec -it {self.namespace(node)} bash"

    def namespace(self, node: str) -> str:
        """See ``Runtime``; the namespace has the container's name."""
        try:
            return self._containers[node]
        except KeyError:
            raise SwitchError(f"{node}: its container is gone; take the lab away and build it again") from None

    @cached_property
    def _containers(self) -> dict[str, str]:
        return docker.containers(self.directory.name)

    def files(self, node: str, paths: Sequence[str]) -> list[str]:
        """See ``Runtime``."""
        archive, there = pack(paths)
        output(["docker", "cp", "-", f"{self.namespace(node)}:/"], f"{node}: docker cp", given=archive)
        return there

    def python(self, node: str) -> str:
        """See ``Runtime``."""
        return "python3"

    def database(self, node: str) -> str:
        """See ``Runtime``."""
        return "unix:/var/run/openvswitch/db.sock"

    def restart_switch(self, node: str) -> None:
        """See ``Runtime``; always raises UsageError: a container ends with ovs-vswitchd, and then loses its links."""
        raise UsageError(f"{node}: its container would lose its links with ovs-vswitchd; --runtime netns can do it")

    def _containerlab(self, command: str) -> list[str]:
        settings = [f"CLAB_LABDIR_BASE={self.directory.root}", "CLAB_VERSION_CHECK=disable"]
        return ["env", *settings, "containerlab", command, "--topo", str(self._file)]

    def _wait(self, deploying: subprocess.Popen[bytes]) -> None:
        """Wait for a deploy to end; raises SwitchError where anything in it failed.

        containerlab itself waits for ever for a node that never gets healthy, and reports success although commands of
        the deploy failed.
        """
        deadline = time.monotonic() + PATIENCE
        while deploying.poll() is None:
            with suppress(subprocess.TimeoutExpired):
                deploying.wait(2.0)
            if sick := docker.unhealthy(self.directory.name):
                raise SwitchError(
                    f"not healthy: {', '.join(sick)}; docker inspect {sick[0]} has its health check's log"
                )
            if time.monotonic() > deadline:
                raise SwitchError(f"containerlab deploy has not ended in {PATIENCE:.0f} seconds")
        wrong = complaints(self._log.read_text(encoding="utf-8", errors="replace"), deploying.returncode)
        if wrong:
            raise SwitchError("containerlab deploy: " + "\n".join(wrong))


def complaints(log: str, status: int) -> list[str]:
    """The errors in containerlab's log of a deploy that ended with that status; empty where nothing failed."""
    lines = log.splitlines()
    wrong = [line for line in lines if "ERRO" in line]
    if status == 0:
        return [line for line in wrong if "Failed to execute command" in line]
    return wrong or lines[-5:] or [f"status {status}"]
