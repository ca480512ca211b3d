"""The data that all questions about one bridge and one address family share."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import cached_property

import msgspec

from ovsnp.analysis.naming.ends import name_of
from ovsnp.analysis.verification.expectation.bridge_expectation import BridgeExpectation
from ovsnp.analysis.verification.expectation.next_hops import NextHop
from ovsnp.analysis.verification.packet_classes.addresses import PeerClass
from ovsnp.analysis.verification.packet_classes.representatives import representatives
from ovsnp.analysis.verification.packet_classes.traffic import Cells
from ovsnp.analysis.verification.simulator.places import OPTION_BITS, is_option, place_mask
from ovsnp.analysis.verification.simulator.reading import ReadFlow
from ovsnp.analysis.verification.simulator.space import Element, Space, Value
from ovsnp.model.address import Address, family, format_address, host_prefix
from ovsnp.model.cluster import Node
from ovsnp.oracle import NodeEnd, OutsideEnd, PodEnd
from ovsnp.oracle.classes import Classes
from ovsnp.pipeline.conntrack import ZONE
from ovsnp.pipeline.ports import ROUTER_MAC

ETH_TYPE = {4: 0x800, 6: 0x86DD}
SOURCE = {4: "nw_src", 6: "ipv6_src"}
DESTINATION = {4: "nw_dst", 6: "ipv6_dst"}
TTL = 64
STRANGE_MAC = 0x02AA00000001
_OF_ALL = {"dl_src", "dl_dst", "tp_src", "nw_tos", "nw_frag", "tcp_flags", "icmp_code"}
_OF_TUNNELS = {"tun_id", "tun_metadata0", "tun_metadata1"}
_GROUP_MAC = 1 << 40
_USUAL = {"tp_src": 40000, "dl_dst": ROUTER_MAC, "dl_src": STRANGE_MAC}


class ProofContext(msgspec.Struct, dict=True, eq=False):
    """The address classes ``far``, traffic and expectations of one family, and the flows of the bridge."""

    expect: BridgeExpectation
    far: Sequence[PeerClass]
    flows: Sequence[ReadFlow]
    classes: Classes

    @property
    def version(self) -> int:
        """The family: 4 or 6."""
        return self.expect.version

    @property
    def cells(self) -> Cells:
        """The cells of all traffic of the family."""
        return self.expect.cells

    @property
    def zone(self) -> int:
        """The conntrack zone of the family."""
        return ZONE[self.version]

    def locals(self) -> list[PeerClass]:
        """The local pods' addresses."""
        by_address = {each.address: each for each in self.far}
        return [by_address[each.address] for each in self.expect.locals]

    @cached_property
    def cluster_ips(self) -> frozenset[Address]:
        """The cluster IPs of the family."""
        found = (ip for service in self.expect.oracle.cluster.services for ip in service.cluster_ips)
        return frozenset(ip for ip in found if family(ip) == self.version)

    @cached_property
    def everyone(self) -> list[PeerClass]:
        """All address classes, and every cluster IP."""
        return [*self.far, *map(self.far_of, sorted(self.cluster_ips))]

    def space(self, *dimensions: Sequence[Element], fixed: Collection[str] = (), tunneled: bool = False) -> Space:
        """A space of these dimensions and one more for each further field that flows test: a value for each class.

        A field of ``fixed`` gets no dimension. Fields of the tunnel header get one only for packets that come by a
        tunnel (``tunneled``).
        """
        there = {base for elements in dimensions for element in elements for base in element}
        varied = (_OF_ALL | _OF_TUNNELS if tunneled else _OF_ALL) - there - set(fixed)
        others = ((base, self._usual_values(base)) for base in sorted(varied & self._tested.keys()))
        return Space(*dimensions, *([{base: each} for each in found] for base, found in others))

    def _usual_values(self, base: str) -> list[int]:
        if base not in self._kept_values:
            self._kept_values[base] = self._values_from_the_usual(base)
        return self._kept_values[base]

    @cached_property
    def _kept_values(self) -> dict[str, list[int]]:
        return {}

    def _values_from_the_usual(self, base: str) -> list[int]:
        usual = _USUAL.get(base, 0)
        found = [usual, *(each for each in self.values(base, {usual}) if each != usual)]
        # `guards` asks about the MAC addresses of groups.
        return [value for value in found if base != "dl_dst" or not value & _GROUP_MAC]

    def values(self, base: str, exact: Collection[int]) -> list[int]:
        """A value of a field for each class that flows tell apart; each of ``exact`` is a class of its own."""
        width = OPTION_BITS + 1 if is_option(base) else place_mask(base).bit_length()
        return representatives(self._tested.get(base, ()), width, exact)

    @cached_property
    def _tested(self) -> Mapping[str, set[tuple[int, int]]]:
        """The tests of each field, by all flows except those of the other family."""
        found: dict[str, set[tuple[int, int]]] = defaultdict(set)
        for flow in self.flows:
            if flow.terms.get("eth_type", (0, 0))[0] != ETH_TYPE[10 - self.version]:
                for base, term in flow.terms.items():
                    found[base].add(term)
        return found

    def common(self, space: Space) -> dict[str, Value]:
        """The fields that all IP packets have, except those that the space varies."""
        varied = space.fields()
        usual = {base: value for base, value in _USUAL.items() if base not in varied}
        return {"eth_type": ETH_TYPE[self.version], "nw_ttl": TTL, **usual}

    def to(self, ends: Iterable[PeerClass]) -> list[Element]:
        """Elements of packets to these destinations."""
        return [{DESTINATION[self.version]: each.value} for each in ends]

    def from_pods(self, pods: Iterable[PeerClass]) -> list[Element]:
        """Elements of packets that local pods send by their own port, with their own MAC and address."""
        found: list[Element] = []
        for each in pods:
            port = self.expect.ports.pods[each.pod.key]
            found.append({"in_port": port.ofport, "dl_src": port.mac, SOURCE[self.version]: each.value})
        return found

    def ways(self, ends: Iterable[PeerClass], origin: str) -> list[NextHop | None]:
        """The next hops to these ends; None: there is none, or it is the gateway or tunnel of ``origin`` itself."""
        ways = [self._way(each.address) for each in ends]
        tunnel = self.expect.ports.tunnel
        back = {"gateway": self.expect.ports.gateway.ofport, "tunnel": tunnel, "carrier": tunnel}.get(origin)
        return [None if way and way.port == back else way for way in ways]

    def _way(self, address: Address) -> NextHop | None:
        if address not in self._kept_ways:
            self._kept_ways[address] = self.expect.way(address, ROUTER_MAC)
        return self._kept_ways[address]

    @cached_property
    def _kept_ways(self) -> dict[Address, NextHop | None]:
        return {}

    def ends(self, space: Space) -> tuple[Value, Value]:
        """The source and destination addresses of the packets."""
        start = space.fields()
        return start[SOURCE[self.version]], start[DESTINATION[self.version]]

    def subject(self, far: PeerClass) -> object:
        """A key: equal for local pods that policies and port names do not tell apart."""
        return self.expect.oracle.workloads.of_pod[far.pod.key], far.pod.ports

    def alike(self, far: PeerClass) -> object:
        """A key: equal for far ends with which local pods of one `subject` may have the same traffic, either way."""
        match far.end:
            case PodEnd(pod=pod) if pod.key in self.expect.local:
                return pod.key
            case NodeEnd(node=node):
                return far.number, node.name
            case _:
                return far.number, far.vacant, isinstance(far.end, PodEnd)

    def client(self, far: PeerClass) -> object:
        """A key: equal for clients, local pods or senders by the gateway, about which policies say the same."""
        local = isinstance(far.end, PodEnd) and far.end.pod.key in self.expect.local
        return self.subject(far) if local else self.alike(far)

    def far_of(self, address: Address) -> PeerClass:
        """The class of an address, with the address to stand for it."""
        end = self.classes.of(address)
        return PeerClass(address, self.expect.oracle.who(address), end.number, end.vacant)

    def in_pods(self, address: Address) -> bool:
        """Whether an address is in a pod CIDR; without Node objects, whether a local pod has it."""
        if not self.expect.oracle.cluster.nodes:
            return any(each.address == address for each in self.expect.locals)
        prefix = host_prefix(address)
        here = self.expect.node.pod_cidrs if self.expect.node else ()
        return any(cidr.contains(prefix) for cidr in here) or self.expect.behind(prefix) is not None

    def ours(self, address: Address) -> bool:
        """Whether an address is one of this node's, or in its pod CIDRs."""
        node = self.expect.node
        return node is not None and (
            address in node.addresses or any(cidr.contains(host_prefix(address)) for cidr in node.pod_cidrs)
        )


def itself(one: PeerClass, other: PeerClass) -> bool:
    """Whether both ends are the same pod."""
    return isinstance(one.end, PodEnd) and isinstance(other.end, PodEnd) and one.end.pod.key == other.end.pod.key


def named(far: PeerClass) -> str:
    """An end in words: name and address, or the address of an outsider."""
    address = format_address(far.address)
    return address if isinstance(far.end, OutsideEnd) else f"{name_of(far.end)} ({address})"


def tunnel_field(node: Node) -> dict[str, int]:
    """The field of the tunnel header that says which node a packet comes from; 0: the node has no tunnel."""
    address = node.tunnel_address
    if address is None:
        return {"tun_src": 0}
    return {"tun_src" if len(address) == 4 else "tun_ipv6_src": int.from_bytes(address, "big")}
