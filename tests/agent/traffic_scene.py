"""Packets to a pod all the time, under policies that change between two sets."""

from pathlib import Path
from types import TracebackType
from typing import Self

from tests.agent.agent_scene import AgentScene
from tests.agent.prober import Party, Prober

SERVER, FIRST, SECOND = Party("db0", "10.20.1.10"), Party("fe0", "10.20.1.11"), Party("se0", "10.20.1.12")
ALLOWED = {"a": (FIRST, 80), "b": (SECOND, 443)}
"""The client and the port that each set of policies allows; both allow the first client ``KEPT_PORT``."""

KEPT_PORT = 22
PROBED = (80, 443, 8080)
SECOND_POD = """
apiVersion: v1
kind: Pod
metadata: {name: second, labels: {role: second}}
spec: {nodeName: node-1, containers: [{name: main}]}
status: {phase: Running, podIPs: [{ip: "10.20.1.12"}]}
"""
POLICIES = """
kind: NetworkPolicy
apiVersion: networking.k8s.io/v1
metadata: {name: changing}
spec:
  podSelector: {matchLabels: {role: db}}
  ingress: [{from: [{podSelector: {matchLabels: {role: ROLE}}}, BLOCKS], ports: [{port: PORT}]}]
---
kind: NetworkPolicy
apiVersion: networking.k8s.io/v1
metadata: {name: kept}
spec:
  podSelector: {matchLabels: {role: db}}
  ingress: [{from: [{podSelector: {matchLabels: {role: frontend}}}], ports: [{port: 22}]}]
"""
ROLES = {"a": "frontend", "b": "second"}


class TrafficScene:
    """An agent's scene with a second client; `open` begins the packets, the end of the context ends them."""

    def __init__(self, scene: AgentScene) -> None:
        self.scene = scene
        self.current = "a"
        self.capture: Path = scene.directory / "db0.pcap"
        self._report_packets()
        scene.bridge.add_pod("default/second", "se0")
        file = scene.directory / "second.yaml"
        file.write_text(SECOND_POD)
        scene.control_plane.load(file)
        scene.kubectl("apply", "-f", "-", stdin=policies(self.current))
        self.prober = Prober(scene.switch, SERVER, self.capture, (FIRST, SECOND))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.prober.stop()

    def open(self) -> None:
        """Open the connection that must go on, and begin to send; the agent has settled."""
        self.prober.open(KEPT_PORT)
        self.prober.probe(PROBED)
        self.prober.start()

    def change(self) -> None:
        """Apply the other set of policies."""
        self.current = {"a": "b", "b": "a"}[self.current]
        self.scene.kubectl("apply", "-f", "-", stdin=policies(self.current))

    def remake(self) -> None:
        """Delete the bridge, and make it anew with the ports of the pods; without flows it passes nothing."""
        bridge = self.scene.bridge.bridge
        made = ["add-br", bridge, "--", "set", "Bridge", bridge, "datapath_type=dummy", "fail_mode=secure"]
        for name, pod in (("db0", "default/db"), ("fe0", "default/frontend"), ("se0", "default/second")):
            made += ["--", "add-port", bridge, name, "--", "set", "Interface", name, "type=dummy"]
            made += [f"external_ids:iface-id={pod}"]
        self.scene.bridge.vsctl("del-br", bridge, "--", *made)
        self._report_packets()

    def settle(self) -> None:
        """Wait until the bridge is as compiled, and then for packets; asserts that exactly the allowed ones pass.

        All packets that have passed before must have been allowed by one of the two sets.
        """
        self.scene.settled()
        self._rounds(2)  # packets of the last state may be on their way
        before, (client, port) = self.prober.delivered.copy(), ALLOWED[self.current]
        self._rounds(2)
        allowed, kept = (client.address, port), (FIRST.address, KEPT_PORT)
        self.scene.wait(lambda: bool(self.prober.failure) or self.prober.delivered[allowed] > before[allowed])
        assert not self.prober.failure
        assert (self.prober.delivered - before).keys() == {allowed, kept}
        assert self.prober.delivered.keys() <= {(each.address, of) for each, of in ALLOWED.values()} | {kept}

    def _rounds(self, count: int) -> None:
        """Wait for whole rounds of packets."""
        last = self.prober.rounds + count + 1
        self.scene.wait(lambda: bool(self.prober.failure) or self.prober.rounds >= last)

    def _report_packets(self) -> None:
        self.scene.bridge.vsctl("set", "Interface", "db0", f"options:tx_pcap={self.capture}")


def policies(name: str) -> str:
    """The policies of set a or b, with some hundred blocks so that a change takes a while."""
    blocks = ", ".join(f"{{ipBlock: {{cidr: 10.{30 + ord(name)}.{index}.7/32}}}}" for index in range(250))
    text = POLICIES.replace("ROLE", ROLES[name]).replace("PORT", str(ALLOWED[name][1]))
    return text.replace("BLOCKS", blocks)
