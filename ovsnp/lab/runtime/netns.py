"""The topology from network namespaces of this machine: no Docker, root needed.

Every node is a namespace; a link is a veth pair between two of them; the nodes that are Nodes of the cluster have
an Open vSwitch of their own. Nothing is made in the namespace that the command runs in.
"""

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from ovsnp.errors import SwitchError, UsageError
from ovsnp.lab import daemons
from ovsnp.lab.journal import Entry, LabDirectory, Process, end, start_time
from ovsnp.lab.runtime import namespace
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


def check_root() -> None:
    """Raise UsageError where the command does not run as root."""
    if os.geteuid() != 0:
        raise UsageError("a lab of network namespaces needs root; run it with sudo")


def check_machine() -> None:
    """Raise UsageError or SwitchError where this machine cannot carry a lab, saying what it lacks."""
    check_root()
    if missing := [program for program in PROGRAMS if not shutil.which(program)]:
        packages = " ".join(sorted({PROGRAMS[program] for program in missing}))
        raise SwitchError(f"not installed: {', '.join(missing)}; on Debian: apt-get install {packages}")
    if not Path("/dev/net/tun").exists():
        raise SwitchError("/dev/net/tun is missing, and Open vSwitch's userspace datapath needs it; modprobe tun")


class NetnsRuntime:
    """One lab's namespaces, named LAB-NODE."""

    def __init__(self, directory: LabDirectory) -> None:
        self.directory = directory

    def namespace(self, node: str) -> str:
        """The name of a node's namespace."""
        return f"{self.directory.name}-{node}"

    def build(self, topology: Topology) -> None:
        """See ``Runtime``; raises UsageError where a namespace of that name is there already."""
        self._check_free(topology)
        for node in topology.nodes:
            self._make_namespace(node)
        for link in topology.links:
            self._make_link(link)
        # Hosts and pods come first: a node's commands put their ends of the links on its bridges.
        for node in sorted(topology.nodes, key=lambda node: node.cluster_node is not None):
            if node.cluster_node is not None:
                directory = self.directory.ovs_directory(node.name)
                daemons.launch(directory, partial(self._start, node.name), partial(self.run, node.name))
            for command in node.commands:
                self.run(node.name, command)

    def destroy(self) -> None:
        """See ``Runtime``."""
        entries = self.directory.entries()
        names = [entry.namespace for entry in entries if entry.namespace is not None]
        end([entry.process for entry in entries if entry.process is not None])
        # What else runs in the lab's namespaces (a probe, somebody's shell) would keep them alive without a name.
        end([Process(pid, start) for pid in namespace.processes(names) if (start := start_time(pid)) is not None])
        for name in names:
            if namespace.handle(name).exists():
                _output(["ip", "netns", "del", name], f"ip netns del {name}")

    def run(self, node: str, command: Sequence[str]) -> str:
        """See ``Runtime``."""
        # Away from the user's working directory, whose ovsnp.yaml is not the lab's.
        return _output(self.command(node, command), f"{node}: {shlex.join(command)}", self.directory.root)

    def command(self, node: str, command: Sequence[str]) -> list[str]:
        """See ``Runtime``."""
        entry = ["ip", "netns", "exec", self.namespace(node)]
        if (directory := self.directory.ovs_directory(node)).is_dir():
            entry += ["env", *(f"{key}={value}" for key, value in daemons.environment(directory).items())]
        return [*entry, *command]

    def python(self, node: str) -> str:
        """See ``Runtime``."""
        return sys.executable

    def database(self, node: str) -> str:
        """See ``Runtime``."""
        return daemons.database_socket(self.directory.ovs_directory(node))

    def _check_free(self, topology: Topology) -> None:
        """The journal must never name a namespace that somebody else made: `destroy` would take it away."""
        taken = [name for node in topology.nodes if namespace.handle(name := self.namespace(node.name)).exists()]
        if taken:
            raise UsageError(
                f"network namespaces that are not this lab's: {', '.join(taken)}; give another --name, or remove them"
            )

    def _make_namespace(self, node: TopologyNode) -> None:
        name = self.namespace(node.name)
        self.directory.record(Entry(namespace=name))
        _output(["ip", "netns", "add", name], f"{node.name}: ip netns add")
        try:
            namespace.set_sysctls(name, node.sysctls)
        except OSError as error:
            raise SwitchError(f"{node.name}: sysctls {dict(node.sysctls)}: {error}") from None
        self.run(node.name, ["ip", "link", "set", "lo", "up"])

    def _make_link(self, link: Link) -> None:
        one, other = link.ends
        # Made in its namespaces at once, so that no end of it is ever among the host's interfaces.
        names = [["name", end.interface, "netns", self.namespace(end.node)] for end in link.ends]
        what = f"link {one.node}:{one.interface} {other.node}:{other.interface}"
        _output(["ip", "link", "add", *names[0], "type", "veth", "peer", *names[1]], what)
        for end_ in link.ends:
            mac = ["address", end_.mac] if end_.mac else []
            settings = [end_.interface, *mac, "mtu", str(link.mtu), "up"]
            _output(["ip", "-n", self.namespace(end_.node), "link", "set", "dev", *settings], what)
            namespace.disable_checksum_offload(self.namespace(end_.node), end_.interface)

    def _start(self, node: str, command: Sequence[str], output: Path) -> subprocess.Popen[bytes]:
        """Start a daemon; it waits until the journal names it, and ends where that never happens."""
        with output.open("wb") as sink:
            daemon = subprocess.Popen(
                ["/bin/sh", "-c", 'read -r go && exec "$@" </dev/null', "sh", *self.command(node, command)],
                stdin=subprocess.PIPE,
                stdout=sink,
                stderr=subprocess.STDOUT,
                # The terminal's Ctrl-C is for the command, not for the lab's daemons.
                start_new_session=True,
            )
        started = start_time(daemon.pid)
        if started is None or daemon.stdin is None:
            raise SwitchError(f"{node}: {command[0]} ended at once")
        self.directory.record(Entry(process=Process(daemon.pid, started)))
        with daemon.stdin as go:
            go.write(b"go\n")
        return daemon


def _output(command: Sequence[str], what: str, directory: Path | None = None) -> str:
    """Run a command to its end; what it printed. Raises SwitchError, ``what`` first, where it fails."""
    done = subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL, cwd=directory)
    if done.returncode != 0:
        raise SwitchError(f"{what}: {done.stderr.strip() or done.stdout.strip() or f'status {done.returncode}'}")
    return done.stdout
