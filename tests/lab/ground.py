"""A standing lab with hosts by name, and sockets inside the hosts."""

import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from ovsnp.lab import standing
from ovsnp.lab.hosts import Host, hosts
from ovsnp.lab.journal import Settings
from ovsnp.lab.runtime import NETNS
from ovsnp.lab.runtime.namespace import inside
from ovsnp.lab.standing import BRIDGE, Lab
from ovsnp.model.address import family, format_address
from ovsnp.model.options import Encap
from tests.support.lab_commands import SHIPPED
from tests.support.lab_datapath import DATAPATH

SOCKET_FAMILY = {4: socket.AF_INET, 6: socket.AF_INET6}


class Ground:
    """A standing lab, with hosts by name."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        self.hosts: dict[str, Host] = {host.name: host for host in hosts(lab.topology, lab.cluster, lab.runtime)}

    def addresses(self, name: str, version: int) -> list[str]:
        """The addresses of a host; of a node, the underlay address, then the gateway address."""
        return [format_address(one) for one in self.hosts[name].addresses if family(one) == version]

    def address(self, name: str, version: int) -> str:
        """The first address of a host."""
        return self.addresses(name, version)[0]

    def gateway(self, node: str, version: int) -> str:
        """The gateway address of a node."""
        return self.addresses(f"node/{node}", version)[1]

    def cluster_ip(self, service: str, version: int) -> str:
        """The cluster IP of a Service."""
        ips = next(one.cluster_ips for one in self.lab.cluster.services if one.key == service)
        return next(format_address(ip) for ip in ips if family(ip) == version)

    def mac(self, name: str) -> bytes:
        """The MAC address of a host's interface."""
        with self.socket(name, socket.AF_PACKET, socket.SOCK_RAW) as asked:
            asked.bind(("eth1", 0))
            found: bytes = asked.getsockname()[4]
            return found

    def mtu(self, name: str) -> int:
        """The MTU of a host's link."""
        container = self.hosts[name].container
        return next(link.mtu for link in self.lab.topology.links if container in {end.node for end in link.ends})

    def ovsnp(self, node: str, command: str, *more: str) -> str:
        """The output of a command for a node and the policies applied there; raises SwitchError where it fails."""
        settings, container = self.lab.settings, dict(self.lab.nodes)[node]
        options = ["--bridge", BRIDGE, "--node", node, "--encap", settings.encap]
        options += ["--masquerade"] if settings.masquerade else []
        files = [str(self.lab.topology.cluster_directory), *settings.manifests]
        what = [word for file in files for word in ("-f", file)]
        return self.lab.runtime.run(container, [sys.executable, "-m", "ovsnp", command, *options, *what, *more])

    def socket(self, name: str, family_: int, kind: int, protocol: int = 0) -> socket.socket:
        """A socket inside that host; it stays in the host's namespace."""
        with inside(self.lab.runtime.namespace(self.hosts[name].container)):
            return socket.socket(family_, kind, protocol)


@contextmanager
def standing_ground(name: str, encap: Encap) -> Iterator[Ground]:
    """The shipped lab, for the time of the context."""
    settings = Settings(name, NETNS, str(SHIPPED), encap, datapath=DATAPATH)
    with standing.temporary(settings, lambda _: None) as lab:
        yield Ground(lab)
