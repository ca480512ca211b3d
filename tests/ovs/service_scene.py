"""A wired cluster with a Service: pods on both nodes, and conversations between them."""

from collections.abc import Iterable
from pathlib import Path

from ovsnp.model.ports import Protocol
from tests.ovs.frames import End, Flag, Packet
from tests.ovs.wired import Arrival, WiredCluster
from tests.support.instance import DummySwitch

CLUSTER = """
kind: ServiceCIDR
apiVersion: networking.k8s.io/v1
metadata: {name: kubernetes}
spec: {cidrs: ["10.96.0.0/16", "fd00:96::/112"]}
---
kind: Node
apiVersion: v1
metadata: {name: node-1}
spec: {podCIDRs: ["10.20.1.0/24", "fd00:20:1::/64"]}
status: {addresses: [{type: InternalIP, address: "192.168.50.1"}]}
---
kind: Node
apiVersion: v1
metadata: {name: node-2}
spec: {podCIDRs: ["10.20.2.0/24", "fd00:20:2::/64"]}
status: {addresses: [{type: InternalIP, address: "192.168.50.2"}]}
---
kind: Service
apiVersion: v1
metadata: {name: idle}
spec: {clusterIPs: ["10.96.0.99", "fd00:96::99"], ports: [{port: 80}]}
"""
_POD = """
---
kind: Pod
apiVersion: v1
metadata: {name: NAME, labels: {app: APP}}
spec: {nodeName: node-NODE, containers: [{name: main}]}
status: {phase: Running, podIPs: [{ip: "10.20.NODE.HOST"}, {ip: "fd00:20:NODE::HOST"}]}
"""
_SERVICE = """
kind: Service
apiVersion: v1
metadata: {name: web}
spec:
  clusterIPs: ["10.96.0.10", "fd00:96::10"]
  sessionAffinity: AFFINITY
  sessionAffinityConfig: CONFIG
  ports: [{name: http, port: 80}, {name: dns, port: 53, protocol: UDP}]
"""
_SLICE = """
---
kind: EndpointSlice
apiVersion: discovery.k8s.io/v1
metadata: {name: web-NUMBER, labels: {kubernetes.io/service-name: web}}
addressType: IPvFAMILY
ports: [{name: http, port: 8080}, {name: dns, port: 5353, protocol: UDP}]
endpoints: [ENDPOINTS]
"""
PODS = {"client": (1, 9), "stranger": (1, 8), "web-0": (1, 10), "web-1": (1, 11), "web-2": (2, 12)}
BACKENDS = ("web-0", "web-1", "web-2")
CLUSTER_IP = {4: "10.96.0.10", 6: "fd00:96::10"}
IDLE_IP = {4: "10.96.0.99", 6: "fd00:96::99"}
UNKNOWN_IP = {4: "10.96.7.7", 6: "fd00:96::77"}
GATEWAYS = {4: ("10.20.1.1", "10.20.2.1"), 6: ("fd00:20:1::1", "fd00:20:2::1")}


def address_of(pod: str, version: int) -> str:
    """The address of a pod."""
    node, host = PODS[pod]
    return f"10.20.{node}.{host}" if version == 4 else f"fd00:20:{node}::{host}"


def policy(direction: str, subject: str, peers: str, ports: str) -> str:
    """A policy with one rule for pods of an app; it replaces the last one. ``peers`` and ``ports`` are YAML."""
    far = "from" if direction == "ingress" else "to"
    return f"""
kind: NetworkPolicy
apiVersion: networking.k8s.io/v1
metadata: {{name: only}}
spec:
  podSelector: {{matchLabels: {{app: {subject}}}}}
  policyTypes: [{direction.capitalize()}]
  {direction}: [{{{far}: [{peers}], ports: [{ports}]}}]
"""


class ServiceScene(WiredCluster):
    """The Service ``web`` (TCP 80 at 8080, UDP 53 at 5353), and ``idle``, which has no endpoints."""

    def __init__(self, switches: tuple[DummySwitch, DummySwitch], manifests: Path) -> None:
        super().__init__(switches, {"node-1": "192.168.50.1", "node-2": "192.168.50.2"}, manifests)
        text = CLUSTER
        for number, node in enumerate(self.nodes, start=1):
            node.add_pods({pod: f"default/{pod}" for pod, (at, _) in PODS.items() if at == number})
        for pod, (node, host) in PODS.items():
            named = _POD.replace("NAME", pod).replace("APP", pod.partition("-")[0])
            text += named.replace("NODE", str(node)).replace("HOST", str(host))
        self.write("cluster", text)

    def serve(
        self,
        pods: Iterable[str],
        affinity: int | None = None,
        others: Iterable[str] = (),
        leaving: Iterable[str] = (),
    ) -> None:
        """Set the endpoints: pods, other IPv4 addresses, and pods that are listed but not ready.

        ``affinity`` is in seconds.
        """
        pods, listed, unready = list(pods), list(others), list(leaving)
        text = _SERVICE.replace("AFFINITY", "ClientIP" if affinity else "None")
        text = text.replace("CONFIG", f"{{clientIP: {{timeoutSeconds: {affinity}}}}}" if affinity else "{}")
        for version in (4, 6):
            found = [(address_of(pod, version), "true") for pod in pods]
            found += [(address_of(pod, version), "false") for pod in unready]
            found += [(address, "true") for address in listed] if version == 4 else []
            # The API takes up to a thousand endpoints in a slice.
            for start in range(0, max(len(found), 1), 1000):
                each = ", ".join(
                    f'{{addresses: ["{address}"], conditions: {{ready: {ready}}}}}'
                    for address, ready in found[start : start + 1000]
                )
                piece = _SLICE.replace("NUMBER", f"{version}-{start}").replace("FAMILY", str(version))
                text += piece.replace("ENDPOINTS", each)
        self.write("services", text)

    def ask(self, sender: str, port: int, version: int = 4, protocol: Protocol = Protocol.TCP) -> list[Arrival]:
        """Send the first packet of a connection to the Service, from a port of a pod."""
        number = 80 if protocol is Protocol.TCP else 53
        return self.send(sender, first(address_of(sender, version), port, CLUSTER_IP[version], number, protocol))

    def converse(self, sender: str, port: int, version: int = 4) -> Arrival:
        """Open a TCP connection to the Service; returns how the first packet arrived at its endpoint."""
        (there,) = self.ask(sender, port, version)
        (back,) = self.send(there.at, there.packet.answer(Flag.SYN | Flag.ACK))
        assert back.at == sender
        assert back.packet.between() == (End(CLUSTER_IP[version], 80), End(address_of(sender, version), port))
        assert self.goes_on(sender, port, version) == there.at
        return there

    def goes_on(self, sender: str, port: int, version: int = 4) -> str | None:
        """The pod at which a packet of an open connection arrives; None if it does not arrive."""
        opened = first(address_of(sender, version), port, CLUSTER_IP[version], 80)
        arrived = self.send(sender, opened._replace(flags=Flag.ACK))
        return arrived[0].at if arrived else None


def first(source: str, port: int, destination: str, number: int, protocol: Protocol = Protocol.TCP) -> Packet:
    """The first packet of a connection."""
    flags = Flag.SYN if protocol is Protocol.TCP else Flag.NONE
    return Packet(protocol, End(source, port), End(destination, number), flags)
