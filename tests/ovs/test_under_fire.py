"""`ovsnp apply` under traffic: it goes back and forth between two policy sets, and is killed.

At any time the bridge has exactly one of the two sets, and no packet passes that neither set allows. The sets share
names and rule numbers, so the clauses of one set with those of the other would admit more than both.
"""

import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from ovsnp.switch.lock import exclusive
from tests.ovs import moments
from tests.support.applying import ApplyScene
from tests.support.dummy_traffic import DeliveredPackets, RoundsOfPackets
from tests.support.instance import DummySwitch

PATIENCE = 60.0
COMPUTING = 4  # the number of kills while ovsnp computes
BLOCKS = 700  # enough that the bundle does not fit into a pipe
SERVER, FIRST, SECOND = "10.20.1.10", "10.20.1.11", "10.20.1.12"
INTERFACES = {SERVER: "server", FIRST: "first", SECOND: "second"}
ALLOWED = {"a": (FIRST, 80), "b": (SECOND, 443)}
PROBES = [(client, port) for client in (FIRST, SECOND) for port in (80, 443, 8080)]

NODE = """
apiVersion: v1
kind: Node
metadata: {name: node-1}
spec: {podCIDRs: ["10.20.1.0/24"]}
status: {addresses: [{type: InternalIP, address: "192.168.50.1"}]}
"""
POD = """
---
apiVersion: v1
kind: Pod
metadata: {name: NAME, labels: {app: NAME}}
spec: {nodeName: node-1, containers: [{name: main}]}
status: {phase: Running, podIPs: [{ip: "ADDRESS"}]}
"""
POLICIES = """
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: to-server}
spec:
  podSelector: {matchLabels: {app: server}}
  ingress:
    - ports: [{port: PORT}]
      from:
        - podSelector: {matchLabels: {app: CLIENT}}
BLOCKS
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: from-clients}
spec:
  podSelector: {matchExpressions: [{key: app, operator: NotIn, values: [server]}]}
  policyTypes: [Egress]
  egress:
    - to: [{podSelector: {matchLabels: {app: server}}}]
      ports: [{port: PORT}]
"""


def _targets(opened: Path) -> set[Path]:
    """The files that a process has open; one that it closes meanwhile does not count."""
    found = set()
    for each in opened.iterdir():
        with contextlib.suppress(FileNotFoundError):
            found.add(each.readlink())
    return found


def policies(name: str) -> str:
    """The policies of set a or b."""
    client, port = ALLOWED[name]
    second = {"a": 30, "b": 40}[name]
    blocks = [f"10.{second + index // 250}.{index % 250}.7/32" for index in range(BLOCKS)]
    text = "\n".join(f"        - ipBlock: {{cidr: {block}}}" for block in blocks)
    return POLICIES.replace("PORT", str(port)).replace("CLIENT", INTERFACES[client]).replace("BLOCKS", text)


class Battlefield:
    """A bridge with interfaces that separate threads serve, and the two policy sets."""

    def __init__(self, scene: ApplyScene, directory: Path) -> None:
        self.scene, self.directory = scene, directory
        self.capture = directory / "server.pcap"
        self._delivered = DeliveredPackets(self.capture)
        scene.write("cluster", NODE + "".join(map(_pod, INTERFACES)))
        for address, interface in INTERFACES.items():
            scene.add_pod(f"default/{interface}", interface, "dummy-pmd")
            (mac,) = [f"0a:58:{bytes(map(int, address.split('.'))).hex(':')}"]
            scene.vsctl("set", "Interface", interface, f'external_ids:attached-mac="{mac}"')
        scene.vsctl("set", "Interface", "server", f"options:tx_pcap={self.capture}")
        for name in ALLOWED:
            (directory / f"{name}.yaml").write_text(policies(name))
        self.scene.apply("-f", directory / "a.yaml")
        self.flows = {name: scene.compiled("-f", directory / f"{name}.yaml") for name in ALLOWED}

    def start(self, name: str, **environment: str) -> subprocess.Popen[str]:
        """Start to apply a set in a separate process."""
        arguments = self.scene.arguments("apply", "-f", self.directory / f"{name}.yaml")
        return subprocess.Popen(
            [sys.executable, "-m", "ovsnp", *map(str, arguments)],
            env={**os.environ, **environment},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )

    def moments(self) -> list[str]:
        """The common moments of both changes between the sets, in order; leaves set a on the bridge."""
        ways = [self._moments(name) for name in ("b", "a")]
        return [moment for moment in ways[0] if moment in set(ways[1])]

    def _moments(self, name: str) -> list[str]:
        assert self.kill_at("none", name) == 0
        return (self.directory / "moments").read_text().splitlines()

    def kill_at(self, moment: str, name: str) -> int:
        """Apply a set up to a moment of the run; returns the exit status of the process."""
        arguments = self.scene.arguments("apply", "-f", self.directory / f"{name}.yaml")
        command = [sys.executable, moments.__file__, self.directory / "moments", moment, *arguments]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
        done = subprocess.run(
            list(map(str, command)), env=environment, stdout=subprocess.DEVNULL, check=False, timeout=PATIENCE
        )
        return done.returncode

    def wait_until_asks_for_the_lock(self, process: subprocess.Popen[str]) -> None:
        """Wait until a process that applies has opened the lock of the bridge."""
        deadline = time.monotonic() + PATIENCE
        lock = Path(self.scene.switch.location.rundir, f"ovsnp-{self.scene.bridge}.lock")
        opened = Path(f"/proc/{process.pid}/fd")
        while process.poll() is None and lock not in _targets(opened):
            assert time.monotonic() < deadline

    def standing(self) -> str:
        """The set that the bridge has as a whole."""
        seen = self.scene.seen()
        (name,) = [name for name, flows in self.flows.items() if flows == seen] or ["a mixture"]
        return name

    def settle(self) -> str:
        """Wait until an ``ovs-ofctl`` that is still running has ended; returns the set that is there then."""
        with exclusive(self.scene.switch.location, self.scene.bridge):
            return self.standing()

    def wait_until_delivers(self, name: str, traffic: RoundsOfPackets) -> None:
        """Wait until new packets that an applied set allows come out at the server."""
        before, deadline = self.delivered()[ALLOWED[name]], time.monotonic() + PATIENCE
        while self.delivered()[ALLOWED[name]] == before:
            assert not traffic.failure
            assert time.monotonic() < deadline, f"no packet passes that set {name} allows"
            time.sleep(0.01)

    def delivered(self) -> Counter[tuple[str, int]]:
        """The number of packets that came out at the server so far, by source and destination port."""
        return self._delivered.count()


def _pod(address: str) -> str:
    return POD.replace("NAME", INTERFACES[address]).replace("ADDRESS", address)


class Traffic(RoundsOfPackets):
    """Opens connections from both clients to every port, each from a new source port, until it is stopped."""

    def __init__(self, switch: DummySwitch) -> None:
        super().__init__(switch, 0.005)

    def send_round(self) -> None:
        """A new connection from each client to each port."""
        for client in (FIRST, SECOND):
            ports = [port for address, port in PROBES if address == client]
            self.send(INTERFACES[client], *(_syn(client, port, self.source_port()) for port in ports))


def _syn(client: str, port: int, source_port: int) -> str:
    mac = f"0a:58:{bytes(map(int, client.split('.'))).hex(':')}"
    return (
        f"in_port(1),eth(src={mac},dst=0a:58:00:00:00:01),eth_type(0x0800),"
        f"ipv4(src={client},dst={SERVER},proto=6,tos=0,ttl=64,frag=no),tcp(src={source_port},dst={port}),tcp_flags(syn)"
    )


@pytest.fixture
def battlefield(dummy_switch: DummySwitch, tmp_path: Path) -> Iterator[Battlefield]:
    (tmp_path / "cluster").mkdir()
    scene = ApplyScene(dummy_switch, "br-fire", tmp_path / "cluster")
    try:
        yield Battlefield(scene, tmp_path)
    finally:
        scene.close()


def other(name: str) -> str:
    return "b" if name == "a" else "a"


def few(moments: list[str]) -> list[str]:
    """Some moments: ends of programs of Open vSwitch, functions since the bundle once, and a part of the computing."""
    ends = [moment for moment in moments if moment.startswith("return subprocess.Popen.communicate")]
    late = moments[moments.index("call ofctl.bundle 1") :]
    ends += [moment for moment in late if re.fullmatch(r"return [^<]+ 1", moment) and moment not in ends]
    return ends + moments[:: len(moments) // COMPUTING]


def test_killed_at_any_moment_the_bridge_is_one_set_and_no_packet_passes_that_neither_allows(
    battlefield: Battlefield,
) -> None:
    moments = battlefield.moments()
    before_bundle = set(moments[: moments.index("call ofctl.bundle 1") + 1])
    after_bundle = set(moments[moments.index("return ofctl.bundle 1") :])
    with Traffic(battlefield.scene.switch) as traffic:
        for moment in few(moments):
            before = battlefield.settle()
            battlefield.wait_until_delivers(before, traffic)
            assert battlefield.kill_at(moment, other(before)) == -signal.SIGKILL, moment
            at_once, after = battlefield.standing(), battlefield.settle()
            assert {at_once, after} <= {"a", "b"}, moment
            assert moment not in before_bundle or after == before, moment
            assert moment not in after_bundle or at_once == other(before), moment
    delivered = battlefield.delivered()
    assert delivered.keys() == set(ALLOWED.values()), delivered


def interposed(directory: Path) -> tuple[dict[str, str], Path]:
    """An environment in which ``ovs-ofctl bundle`` kills ovsnp before it reads, and works when a file exists.

    Returns the environment and the file.
    """
    directory.mkdir()
    script, go = directory / "ovs-ofctl", directory / "go"
    real = shutil.which("ovs-ofctl")
    held = f"kill -9 $PPID; until [ -e {go} ]; do sleep 0.01; done"
    script.write_text(f'#!/bin/sh\ncase "$*" in *" bundle "*) {held};; esac\nexec {real} "$@"\n')
    script.chmod(0o755)
    return {"PATH": f"{directory}:{os.environ['PATH']}"}, go


def killed_while_ovs_ofctl_waits(battlefield: Battlefield, name: str, directory: Path) -> Path:
    """Apply a set until ovsnp is killed; its ``ovs-ofctl`` waits for the file that is returned."""
    environment, go = interposed(directory)
    process = battlefield.start(name, **environment)
    process.wait(timeout=PATIENCE)
    assert process.returncode == -signal.SIGKILL
    return go


def test_killed_while_ovs_ofctl_reads_leaves_a_whole_bundle(battlefield: Battlefield, tmp_path: Path) -> None:
    killed_while_ovs_ofctl_waits(battlefield, "b", tmp_path / "bin").touch()
    assert battlefield.settle() == "b"


def test_apply_after_a_killed_one_waits_for_what_it_left_running(battlefield: Battlefield, tmp_path: Path) -> None:
    go = killed_while_ovs_ofctl_waits(battlefield, "b", tmp_path / "bin")
    assert battlefield.standing() == "a"
    with battlefield.start("a") as process:
        battlefield.wait_until_asks_for_the_lock(process)
        assert process.poll() is None
        go.touch()
        _, said = process.communicate(timeout=PATIENCE)
    assert (process.returncode, said) == (0, "")
    assert battlefield.settle() == "a"


def test_two_applies_at_once_leave_one_set(battlefield: Battlefield) -> None:
    for _ in range(2):
        processes = [battlefield.start(name) for name in ("a", "b", "a", "b")]
        assert {(process.communicate(timeout=30)[1], process.returncode) for process in processes} == {("", 0)}
        assert battlefield.standing() in ("a", "b")
