"""`ovsnp apply` under fire: traffic runs while it goes back and forth between two policy sets, and is killed.

Whatever happens, the bridge is wholly one set or wholly the other, and no packet passes that neither allows. The
sets share names and rule numbers, so the clauses of one beside those of the other would admit more than both.
"""

import os
import shutil
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest
from ovs.unixctl.client import UnixctlClient

from ovsnp.switch.lock import exclusive
from tests.ovs.applying import ApplyScene
from tests.ovs.instance import DummySwitch

KILLS = 32
MOST_RUNS = 80
BLOCKS = 700  # so many that the bundle does not fit into a pipe
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


def policies(name: str) -> str:
    """The policies of set a or b."""
    client, port = ALLOWED[name]
    second = {"a": 30, "b": 40}[name]
    blocks = [f"10.{second + index // 250}.{index % 250}.7/32" for index in range(BLOCKS)]
    text = "\n".join(f"        - ipBlock: {{cidr: {block}}}" for block in blocks)
    return POLICIES.replace("PORT", str(port)).replace("CLIENT", INTERFACES[client]).replace("BLOCKS", text)


class Battlefield:
    """A bridge whose interfaces threads of their own serve, and the two policy sets."""

    def __init__(self, scene: ApplyScene, directory: Path) -> None:
        self.scene, self.directory = scene, directory
        self.capture = directory / "server.pcap"
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
        """Start to apply a set in a process of its own."""
        arguments = self.scene.arguments("apply", "-f", self.directory / f"{name}.yaml")
        return subprocess.Popen(
            [sys.executable, "-m", "ovsnp", *map(str, arguments)],
            env={**os.environ, **environment},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )

    def finish(self, name: str) -> float:
        """Apply a set; returns how long it took."""
        begun = time.monotonic()
        with self.start(name) as process:
            _, said = process.communicate(timeout=30)
        assert process.returncode == 0, said
        return time.monotonic() - begun

    def standing(self) -> str:
        """Which of the sets the bridge has, wholly."""
        seen = self.scene.seen()
        (name,) = [name for name, flows in self.flows.items() if flows == seen] or ["a mixture"]
        return name

    def settle(self) -> str:
        """Wait until an ``ovs-ofctl`` that was left behind is done; returns which set is there then."""
        with exclusive(self.scene.switch.location, self.scene.bridge):
            return self.standing()

    def delivered(self) -> Counter[tuple[str, int]]:
        """How many packets came out at the server, by source and destination port."""
        return Counter(_packets(self.capture.read_bytes()))


def _pod(address: str) -> str:
    return POD.replace("NAME", INTERFACES[address]).replace("ADDRESS", address)


def _packets(capture: bytes) -> Iterator[tuple[str, int]]:
    """Source and TCP destination port of each IPv4 packet without options in a pcap file of this machine."""
    at = 24
    while at + 16 <= len(capture):
        length = int.from_bytes(capture[at + 8 : at + 12], sys.byteorder)
        frame = capture[at + 16 : at + 16 + length]
        at += 16 + length
        if frame[12:14] == b"\x08\x00" and len(frame) >= 38:
            yield ".".join(map(str, frame[26:30])), int.from_bytes(frame[36:38], "big")


class Traffic:
    """Opens connections from both clients to every port, each from a fresh source port, until it is stopped."""

    def __init__(self, switch: DummySwitch) -> None:
        error, self._control = UnixctlClient.create(str(next(switch.directory.glob("ovs-vswitchd.*.ctl"))))
        assert not error
        self.rounds = 0
        self.failure = ""
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._send)

    def __enter__(self) -> "Traffic":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()
        self._control.close()

    def _send(self) -> None:
        while not self._ended.wait(0.002) and not self.failure:
            source_port = 1024 + self.rounds % 64000
            for client in (FIRST, SECOND):
                packets = [_syn(client, port, source_port) for address, port in PROBES if address == client]
                failed, error, _ = self._control.transact("netdev-dummy/receive", [INTERFACES[client], *packets])
                self.failure = self.failure or str(error or failed or "")
            self.rounds += 1


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


def test_killed_at_any_moment_the_bridge_is_one_set_and_no_packet_passes_that_neither_allows(
    battlefield: Battlefield,
) -> None:
    random, moved, killed = Random(1), 0, 0
    with Traffic(battlefield.scene.switch) as traffic:
        long = min(battlefield.finish(name) for name in ("b", "a", "b", "a"))
        for run in range(MOST_RUNS):
            before = battlefield.settle()
            process = battlefield.start(other(before))
            # Every other moment lies in the last part of the run, where it talks to Open vSwitch.
            time.sleep(random.uniform(0.5 * long * (run % 2), long))
            finished = process.poll() is not None
            process.kill()
            killed += not finished
            long *= 0.85 if finished else 1.03  # how long a run takes depends on what else the machine does
            process.communicate()
            at_once, after = battlefield.standing(), battlefield.settle()
            assert {at_once, after} <= {"a", "b"}
            moved += after != before
            if killed >= KILLS:
                break
    assert killed >= KILLS
    assert moved >= 3
    assert not traffic.failure
    delivered = battlefield.delivered()
    assert delivered.keys() == set(ALLOWED.values()), delivered
    assert min(delivered.values()) > 100


def interposed(directory: Path, pause: float) -> dict[str, str]:
    """An environment whose ``ovs-ofctl bundle`` kills ovsnp before it starts to read, then waits, then works."""
    directory.mkdir()
    script = directory / "ovs-ofctl"
    real = shutil.which("ovs-ofctl")
    script.write_text(
        f'#!/bin/sh\ncase "$*" in *" bundle "*) kill -9 $PPID; sleep {pause};; esac\nexec {real} "$@"\n',
    )
    script.chmod(0o755)
    return {"PATH": f"{directory}:{os.environ['PATH']}"}


def test_killed_while_ovs_ofctl_reads_leaves_a_whole_bundle(battlefield: Battlefield, tmp_path: Path) -> None:
    process = battlefield.start("b", **interposed(tmp_path / "bin", 0.1))
    process.communicate(timeout=30)
    assert process.returncode == -9
    assert battlefield.settle() == "b"


def test_apply_after_a_killed_one_waits_for_what_it_left_running(battlefield: Battlefield, tmp_path: Path) -> None:
    process = battlefield.start("b", **interposed(tmp_path / "bin", 0.5))
    process.wait(timeout=30)
    assert battlefield.standing() == "a"
    battlefield.finish("a")
    time.sleep(0.6)
    assert battlefield.settle() == "a"


def test_two_applies_at_once_leave_one_set(battlefield: Battlefield) -> None:
    for _ in range(2):
        processes = [battlefield.start(name) for name in ("a", "b", "a", "b")]
        assert {(process.communicate(timeout=30)[1], process.returncode) for process in processes} == {("", 0)}
        assert battlefield.standing() in ("a", "b")
