"""Builds the topology from network namespaces of this machine: no Docker, root needed.

Every node is a namespace, and a link is a veth pair between two namespaces. A node that is a Node of the cluster has
an Open vSwitch of its own. Nothing is made in the namespace that the command runs in.
"""

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path

from ovsnp.errors import SwitchError, UsageError
from ovsnp.lab import daemons
from ovsnp.lab.datapath import DatapathType
from ovsnp.lab.interrupts import held_back
from ovsnp.lab.journal import JournalEntry, LabDirectory, Process, end, start_time
from ovsnp.lab.runtime import namespace
from ovsnp.lab.runtime.children import begin, output
from ovsnp.lab.topology import Link, Topology, TopologyNode

PROGRAMS = {
    "ip": "iproute2",
    "ovs-vswitchd": "openvswitch-switch",
    "ovsdb-server": "openvswitch-switch",
    "ovsdb-tool": "openvswitch-common",
    "ovs-vsctl": "openvswitch-common",
    "ovs-ofctl": "openvswitch-common",
    "ovs-appctl": "openvswitch-common",
}

MODULE = "openvswitch"


class NetnsRuntime:
    """The namespaces of one lab, named LAB-NODE."""

    def __init__(self, directory: LabDirectory, datapath: DatapathType) -> None:
        self.directory = directory
        self.datapath = datapath

    @staticmethod
    def check_machine(datapath: DatapathType) -> None:
        """See ``Runtime``."""
        NetnsRuntime.check_access()
        if missing := [program for program in PROGRAMS if not shutil.which(program)]:
            packages = " ".join(sorted({PROGRAMS[program] for program in missing}))
            raise SwitchError(f"not installed: {', '.join(missing)}; on Debian: apt-get install {packages}")
        if datapath is DatapathType.SYSTEM:
            _check_module()
        elif not Path("/dev/net/tun").exists():
            raise SwitchError("/dev/net/tun is missing, and Open vSwitch's userspace datapath needs it; modprobe tun")

    @staticmethod
    def check_access() -> None:
        """See ``Runtime``."""
        if os.geteuid() != 0:
            raise UsageError("a lab of network namespaces needs root; run it with sudo")

    def namespace(self, node: str) -> str:
        """See ``Runtime``."""
        return f"{self.directory.name}-{node}"

    def build(self, topology: Topology) -> None:
        """See ``Runtime``; raises UsageError where a namespace of the same name exists already."""
        self._check_free(topology)
        for node in topology.nodes:
            self._make_namespace(node)
        for link in topology.links:
            self._make_link(link)
        # Hosts and pods come first: the commands of a Node then attach the links to its bridges.
        for node in sorted(topology.nodes, key=lambda node: node.cluster_node is not None):
            if node.cluster_node is not None:
                directory = self.directory.ovs_directory(node.name)
                daemons.launch(directory, self.datapath, partial(self._start, node.name), partial(self.run, node.name))
            for command in node.commands:
                self.run(node.name, command)

    def destroy(self) -> None:
        """See ``Runtime``."""
        entries = self.directory.entries()
        names = [entry.namespace for entry in entries if entry.namespace is not None]
        end([entry.process for entry in entries if entry.process is not None])
        # Any other process in the lab's namespaces (a probe, a user's shell) would keep them alive without a name.
        end([Process(pid, start) for pid in namespace.processes(names) if (start := start_time(pid)) is not None])
        for name in names:
            if namespace.handle(name).exists():
                output(["ip", "netns", "del", name], f"ip netns del {name}")

    def run(self, node: str, command: Sequence[str]) -> str:
        """See ``Runtime``."""
        # Not in the user's working directory: the ovsnp.yaml there is not for the lab.
        return output(self.command(node, command), f"{node}: {shlex.join(command)}", self.directory.root)

    def command(self, node: str, command: Sequence[str]) -> list[str]:
        """See ``Runtime``."""
        entry = ["ip", "netns", "exec", self.namespace(node)]
        if (directory := self.directory.ovs_directory(node)).is_dir():
            entry += ["env", *(f"{key}={value}" for key, value in daemons.environment(directory).items())]
        return [*entry, *command]

    def shell(self, node: str) -> str:
        """See ``Runtime``."""
        return shlex.join(self.command(node, ["bash"]))

    def files(self, node: str, paths: Sequence[str]) -> list[str]:
        """See ``Runtime``; a namespace has this machine's files."""
        return [*paths]

    def python(self, node: str) -> str:
        """See ``Runtime``."""
        return sys.executable

    def database(self, node: str) -> str:
        """See ``Runtime``."""
        return daemons.database_socket(self.directory.ovs_directory(node))

    def restart_switch(self, node: str) -> None:
        """See ``Runtime``."""
        directory = self.directory.ovs_directory(node)
        with suppress(FileNotFoundError):
            pid = int((directory / "ovs-vswitchd.pid").read_text(encoding="ascii"))
            # If ovs-vswitchd was killed, another process may have its id: only a process of the journal is ended.
            end([entry.process for entry in self.directory.entries() if entry.process and entry.process.pid == pid])
        daemons.start_switch(directory, self.datapath, partial(self._start, node), partial(self.run, node))

    def _check_free(self, topology: Topology) -> None:
        """Raise UsageError where a namespace exists: once the journal names it, `destroy` would remove it."""
        taken = [name for node in topology.nodes if namespace.handle(name := self.namespace(node.name)).exists()]
        if taken:
            raise UsageError(
                f"network namespaces that are not this lab's: {', '.join(taken)}; give another --name, or remove them"
            )

    def _make_namespace(self, node: TopologyNode) -> None:
        name = self.namespace(node.name)
        self.directory.record(JournalEntry(namespace=name))
        # An interrupt at the start of the child would leave the child alone, and it would make the namespace later.
        with held_back():
            output(["ip", "netns", "add", name], f"{node.name}: ip netns add")
        try:
            namespace.set_sysctls(name, node.sysctls)
        except OSError as error:
            raise SwitchError(f"{node.name}: sysctls {dict(node.sysctls)}: {error}") from None
        self.run(node.name, ["ip", "link", "set", "lo", "up"])

    def _make_link(self, link: Link) -> None:
        one, other = link.ends
        # The link is made directly in its namespaces, so that no end is ever among the host's interfaces.
        names = [["name", end.interface, "netns", self.namespace(end.node)] for end in link.ends]
        what = f"link {one.node}:{one.interface} {other.node}:{other.interface}"
        output(["ip", "link", "add", *names[0], "type", "veth", "peer", *names[1]], what)
        for end_ in link.ends:
            mac = ["address", end_.mac] if end_.mac else []
            settings = [end_.interface, *mac, "mtu", str(link.mtu), "up"]
            output(["ip", "-n", self.namespace(end_.node), "link", "set", "dev", *settings], what)
            if self.datapath is DatapathType.NETDEV:
                namespace.disable_checksum_offload(self.namespace(end_.node), end_.interface)

    def _start(self, node: str, command: Sequence[str], sink: Path) -> subprocess.Popen[bytes]:
        return begin(self.command(node, command), f"{node}: {command[0]}", sink, self.directory)


def _check_module() -> None:
    """Load the kernel module of Open vSwitch; raises SwitchError where this kernel has none."""
    with suppress(FileNotFoundError):
        subprocess.run(["modprobe", "--quiet", MODULE], capture_output=True, check=False)
    if not Path("/sys/module", MODULE).exists():
        raise SwitchError(
            f"the kernel has no module {MODULE}, and Open vSwitch's kernel datapath is in it; modprobe {MODULE}, or "
            "leave out --datapath system"
        )
