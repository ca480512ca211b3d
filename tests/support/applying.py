"""A bridge to apply to, the manifests of a small cluster, and the command line in this process."""

import contextlib
import io
import re
import sys
from pathlib import Path
from typing import NamedTuple
from unittest import mock

from ovsnp.cli import main
from ovsnp.switch.dump import InstalledFlow, parse_dump
from tests.support.instance import DummySwitch

CLUSTER = """
apiVersion: v1
kind: Node
metadata: {name: node-1}
spec: {podCIDRs: ["10.20.1.0/24"]}
status: {addresses: [{type: InternalIP, address: "192.168.50.1"}]}
---
apiVersion: v1
kind: Node
metadata: {name: node-2}
spec: {podCIDRs: ["10.20.2.0/24"]}
status: {addresses: [{type: InternalIP, address: "192.168.50.2"}]}
---
apiVersion: v1
kind: Pod
metadata: {name: db, labels: {role: db}}
spec: {nodeName: node-1, containers: [{name: main}]}
status: {phase: Running, podIPs: [{ip: "10.20.1.10"}]}
---
apiVersion: v1
kind: Pod
metadata: {name: frontend, labels: {role: frontend}}
spec: {nodeName: node-1, containers: [{name: main}]}
status: {phase: Running, podIPs: [{ip: "10.20.1.11"}]}
---
apiVersion: v1
kind: Pod
metadata: {name: remote, labels: {role: frontend}}
spec: {nodeName: node-2, containers: [{name: main}]}
status: {phase: Running, podIPs: [{ip: "10.20.2.11"}]}
"""

POLICY = """
kind: NetworkPolicy
apiVersion: networking.k8s.io/v1
metadata: {name: NAME}
spec:
  podSelector: {matchLabels: {role: db}}
  ingress:
    - from: [{podSelector: {matchLabels: {role: frontend}}}]
      ports: [{port: PORT}]
"""

_STATISTICS = re.compile(r"duration=([\d.]+)s|n_packets=(\d+)|n_bytes=\d+|idle_age=\d+|hard_age=\d+")


def policy(name: str, port: int) -> str:
    """A policy: ingress to the database from frontends, at one TCP port."""
    return POLICY.replace("NAME", name).replace("PORT", str(port))


Stored = tuple[int, int, frozenset[str], int, str]
"""Table, priority, match, cookie and actions of a flow."""


class Answer(NamedTuple):
    """The exit code and output of a run of the command line."""

    code: int
    out: str
    err: str


def ovsnp(*arguments: object) -> Answer:
    """Run the command line in this process."""
    out, err, code = io.StringIO(), io.StringIO(), 0
    given = mock.patch.object(sys, "argv", ["ovsnp", *map(str, arguments)])
    with given, contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            main()
        except SystemExit as end:
            code = int(end.code or 0)
    return Answer(code, out.getvalue(), err.getvalue())


class Age(NamedTuple):
    """The age of a flow in seconds, and the number of packets that matched it."""

    duration: float
    packets: int


class ApplyScene:
    """A new bridge (`ovs-vsctl add-br`) with the ports of the local pods, and manifests in a directory."""

    def __init__(self, switch: DummySwitch, bridge: str, directory: Path) -> None:
        self.switch, self.bridge, self.directory = switch, bridge, directory
        self.vsctl("add-br", bridge, "--", "set", "Bridge", bridge, "datapath_type=dummy")
        self.write("cluster", CLUSTER)

    def vsctl(self, *arguments: str) -> str:
        """Change the database."""
        return self.switch.run(["ovs-vsctl", "--timeout=20", "--", *arguments])

    def ofctl(self, command: str, *arguments: str, text: str | None = None) -> str:
        """Run ovs-ofctl on the bridge."""
        return self.switch.run(["ovs-ofctl", "-O", "OpenFlow14,OpenFlow15", command, self.bridge, *arguments], text)

    def add_pod(self, pod: str, name: str, kind: str = "dummy", **external: str) -> None:
        """Give a pod (``NAMESPACE/NAME``) an interface on the bridge."""
        ids = [f'external_ids:{key.replace("_", "-")}="{value}"' for key, value in external.items()]
        ids.append(f"external_ids:iface-id={pod}")
        self.vsctl("add-port", self.bridge, name, "--", "set", "Interface", name, f"type={kind}", *ids)

    def write(self, name: str, text: str) -> None:
        """Write a file into the directory of the manifests."""
        (self.directory / f"{name}.yaml").write_text(text)

    def remove(self, name: str) -> None:
        """Remove a file from the directory of the manifests."""
        (self.directory / f"{name}.yaml").unlink()

    def arguments(self, command: str, *more: object) -> tuple[object, ...]:
        """The arguments of a command for the bridge."""
        there = ("--db", self.switch.location.database, "--bridge", self.bridge, "--node", "node-1")
        return command, *there, "-f", self.directory, *more

    def run(self, command: str, *more: object) -> Answer:
        """Run a command for the bridge."""
        return ovsnp(*self.arguments(command, *more))

    def apply(self, *more: object) -> Answer:
        """Apply the manifests; asserts success."""
        answer = self.run("apply", *more)
        assert answer.code == 0, answer
        return answer

    def flows(self) -> list[InstalledFlow]:
        """All flows of the bridge, sorted."""
        text = self.ofctl("dump-flows", "--no-stats", "--no-names")
        return sorted(map(parse_dump, (line.strip() for line in text.splitlines() if "actions=" in line)), key=str)

    def compiled(self, *more: object) -> set[Stored]:
        """The output of `compile` for the bridge, in the form of `seen`."""
        answer = self.run("compile", *more)
        assert answer.code == 0, answer
        lines = [line.removeprefix("flow add ") for line in answer.out.splitlines() if line.startswith("flow add ")]
        return {parse_dump(line)[:5] for line in lines}

    def seen(self) -> set[Stored]:
        """All flows of the bridge, in the form of `compiled`."""
        return {flow[:5] for flow in self.flows()}

    def groups(self) -> list[str]:
        """All groups of the bridge."""
        text = self.switch.run(["ovs-ofctl", "-O", "OpenFlow14", "dump-groups", self.bridge])
        return [line.strip() for line in text.splitlines() if "group_id=" in line]

    def state(self) -> tuple[str, list[str]]:
        """The state of the bridge, for tests in which it must not change."""
        bridge = self.vsctl("--columns=ports,protocols,fail_mode,flow_tables", "list", "Bridge", self.bridge)
        return bridge, [flow.text for flow in self.flows()]

    def ages(self) -> dict[str, Age]:
        """The age and packet count of each flow of the bridge, by the flow without counters."""
        self.switch.appctl("revalidator/purge")
        ages = {}
        for line in self.ofctl("dump-flows", "--no-names").splitlines():
            if "actions=" in line:
                numbers = [found for found in _STATISTICS.findall(line) if any(found)]
                ages[_STATISTICS.sub("", line)] = Age(float(numbers[0][0]), int(numbers[1][1]))
        return ages

    def close(self) -> None:
        """Delete the bridge."""
        self.switch.delete_bridge(self.bridge)
