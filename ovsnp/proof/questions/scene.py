"""What all questions about one bridge and one family need."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence

import msgspec

from ovsnp.explain.ends import name_of
from ovsnp.model.address import Address, family, format_address, host_prefix
from ovsnp.model.cluster import Node
from ovsnp.model.options import Encap
from ovsnp.pipeline.conntrack import ZONE
from ovsnp.pipeline.ports import ROUTER_MAC
from ovsnp.proof.questions.addresses import Far
from ovsnp.proof.questions.expectation import Expectation
from ovsnp.proof.questions.traffic import Cells
from ovsnp.proof.questions.verdicts import Row
from ovsnp.proof.questions.ways import Way
from ovsnp.proof.simulator.places import OPTION_BITS
from ovsnp.proof.simulator.reading import ReadFlow
from ovsnp.proof.simulator.space import Element, Space, Value
from ovsnp.verify import NodeEnd, OutsideEnd, PodEnd
from ovsnp.verify.classes import Classes

ETH_TYPE = {4: 0x800, 6: 0x86DD}
SOURCE = {4: "nw_src", 6: "ipv6_src"}
DESTINATION = {4: "nw_dst", 6: "ipv6_dst"}
_TTL = 64
_VARIED = {"dl_dst", "tp_src", "nw_tos", "nw_frag", "tcp_flags", "icmp_code"}
_GROUP_MAC = 1 << 40
_FIXED = {"tp_src": 40000, "dl_dst": ROUTER_MAC}


Judge = Callable[[Far, Far, bool], int]
"""The traffic that may pass from one end to another, through a Service or not."""


class Scene(msgspec.Struct):
    """One family's address classes ``far``, traffic and expectations, and the flows that are asked."""

    expect: Expectation
    far: Sequence[Far]
    flows: Sequence[ReadFlow]
    classes: Classes

    @property
    def version(self) -> int:
        """The family: 4 or 6."""
        return self.expect.version

    @property
    def cells(self) -> Cells:
        """All traffic."""
        return self.expect.cells

    @property
    def zone(self) -> int:
        """The conntrack zone of the family."""
        return ZONE[self.version]

    def locals(self) -> list[Far]:
        """The local pods' addresses."""
        by_address = {each.address: each for each in self.far}
        return [by_address[each.address] for each in self.expect.locals]

    def space(self, *dimensions: Sequence[Element]) -> Space:
        """Dimensions, and one for each field besides that flows test, with the values that they tell apart."""
        return Space(*dimensions, *([{base: each} for each in values] for base, values in self._varied().items()))

    def _varied(self) -> dict[str, list[int]]:
        tested: dict[str, set[int]] = defaultdict(set)
        for flow in self.flows:
            for base in _VARIED & flow.terms.keys():
                value, mask = flow.terms[base]
                number = _FIXED.get(base, 0) & ~mask | value
                if base != "dl_dst" or not number & _GROUP_MAC:
                    tested[base].add(number)
        return {base: sorted({_FIXED.get(base, 0), *tested[base]}) for base in sorted(tested)}

    def common(self) -> dict[str, int]:
        """Fields that all IP packets have, but those that `space` varies."""
        fixed = {base: value for base, value in _FIXED.items() if base not in self._varied()}
        return {"eth_type": ETH_TYPE[self.version], "nw_ttl": _TTL, **fixed}

    def to(self, ends: Iterable[Far]) -> list[Element]:
        """Elements of destinations."""
        return [{DESTINATION[self.version]: each.value} for each in ends]

    def from_pods(self, pods: Iterable[Far]) -> list[Element]:
        """Elements of local pods that send what is their own."""
        found: list[Element] = []
        for each in pods:
            assert isinstance(each.end, PodEnd)
            port = self.expect.ports.pods[each.end.pod.key]
            found.append({"in_port": port.ofport, "dl_src": port.mac, SOURCE[self.version]: each.value})
        return found

    def ways(self, ends: Iterable[Far], origin: str) -> list[Way | None]:
        """Where packets to these ends go: never back into the gateway or the tunnel they came from."""
        ways = [self.expect.way(each.address, ROUTER_MAC) for each in ends]
        back = {"gateway": self.expect.ports.gateway.ofport, "tunnel": self.expect.ports.tunnel}.get(origin)
        return [None if way and way.port == back else way for way in ways]

    def leaving(self, space: Space, dimension: int, ways: Sequence[Way | None]) -> dict[str, Value]:
        """How packets leave that only pass through: their addresses as they were, one hop less to live."""
        start = space.fields()
        return {**self.leaving_to(space, dimension, ways), DESTINATION[self.version]: start[DESTINATION[self.version]]}

    def leaving_to(self, space: Space, dimension: int, ways: Sequence[Way | None]) -> dict[str, Value]:
        """How packets leave whose destination is translated."""
        known = [way or Way(0, 0) for way in ways]
        start = space.fields()
        return {
            "port": space.column(dimension, tuple(way.port for way in known)),
            "dl_src": ROUTER_MAC,
            "dl_dst": space.column(dimension, tuple(way.mac for way in known)),
            **self.tunnel(space, dimension, known),
            "nw_ttl": _TTL - 1,
            SOURCE[self.version]: start[SOURCE[self.version]],
            "tp_dst": start.get("tp_dst", 0),
        }

    def leaving_by(self, way: Way | None) -> dict[str, Value]:
        """How packets leave that all go one way, whatever their addresses."""
        assert way is not None
        return {
            "port": way.port,
            "dl_src": ROUTER_MAC,
            "dl_dst": way.mac,
            "tun_dst": 0,
            "tun_ipv6_dst": 0,
            "nw_ttl": _TTL - 1,
        }

    def ends(self, space: Space) -> tuple[Value, Value]:
        """The addresses that packets have."""
        start = space.fields()
        return start[SOURCE[self.version]], start[DESTINATION[self.version]]

    def tunnel(self, space: Space, dimension: int, ways: Sequence[Way]) -> dict[str, Value]:
        """The ends of tunnels."""
        ends = [way.tunnel for way in ways]
        return {
            name: space.column(
                dimension, tuple(int.from_bytes(end, "big") if end and family(end) == version else 0 for end in ends)
            )
            for version, name in ((4, "tun_dst"), (6, "tun_ipv6_dst"))
        }

    def no_carrier(self) -> dict[str, Value]:
        """The fields of the carrier, as they are where there is none."""
        return {"tun_id": 0, "tun_metadata0": 0, "tun_metadata1": 0}

    def carrier_field(self) -> str:
        """The tunnel header's field that carries a source pod's address."""
        if self.expect.options.encap is Encap.VXLAN:
            return "tun_id"
        return "tun_metadata0" if self.version == 4 else "tun_metadata1"

    def carrying(self, address: int) -> int:
        """A Geneve option with an address."""
        return address | 1 << OPTION_BITS

    def rows(
        self, judge: Judge, sources: Sequence[Far], destinations: Sequence[Far], ways: Sequence[Way | None]
    ) -> list[Row]:
        """For each local source what it may send to each destination; ``ways`` None: nothing."""
        places: dict[tuple[object, bool], tuple[Far, bool, int]] = {}
        for index, (far, way) in enumerate(zip(destinations, ways, strict=True)):
            place = self.alike(far), way is not None
            before = places[place][2] if place in places else 0
            places[place] = far, way is not None, before | 1 << index
        vacant = sum(1 << index for index, far in enumerate(destinations) if far.vacant and ways[index])
        own: dict[str, int] = defaultdict(int)
        for index, far in enumerate(destinations):
            if isinstance(far.end, PodEnd):
                own[far.end.pod.key] |= 1 << index
        kept: dict[object, int] = {}
        rows = []
        for index, source in enumerate(sources):
            subject = self._subject(source)
            columns: dict[int, int] = defaultdict(int)
            for (alike, _), (far, reached, bits) in places.items():
                key = subject, alike, _itself(source, far)
                if reached and key not in kept:
                    kept[key] = judge(source, far, False)
                columns[kept[key] if reached else 0] |= bits
            # What a pod sends to itself never comes to the bridge.
            assert isinstance(source.end, PodEnd)
            rows.append(Row(1 << index, columns, own[source.end.pod.key] | vacant))
        return rows

    def arriving(
        self, judge: Judge, sources: Sequence[Far | None], destinations: Sequence[Far], via: Sequence[bool]
    ) -> list[Row]:
        """For each local destination what it may get from each source; None: nothing. ``via`` a Service."""
        alike: dict[tuple[object, bool], tuple[Far | None, bool, int]] = {}
        for index, (far, through) in enumerate(zip(sources, via, strict=True)):
            kind = far and self.alike(far), through
            alike[kind] = far, through, (alike[kind][2] if kind in alike else 0) | 1 << index
        vacant = sum(1 << index for index, far in enumerate(sources) if far and far.vacant)
        kept: dict[object, int] = {}
        rows = []
        for index, destination in enumerate(destinations):
            columns: dict[int, int] = defaultdict(int)
            subject = self._subject(destination)
            for place, (far, through, bits) in alike.items():
                whole = place, subject, far and _itself(far, destination)
                if whole not in kept:
                    kept[whole] = judge(far, destination, through) if far else 0
                columns[kept[whole]] |= bits
            rows.append(Row(1 << index, columns, vacant))
        return rows

    def _subject(self, far: Far) -> object:
        assert isinstance(far.end, PodEnd)
        return self.expect.prepared.workloads.of_pod[far.end.pod.key], far.end.pod.ports

    def alike(self, far: Far) -> object:
        """Equal for far ends to which all local pods of a kind may send the same, and from which they may get it."""
        match far.end:
            case PodEnd(pod=pod) if pod.key in self.expect.local:
                return pod.key
            case NodeEnd(node=node):
                return far.number, node.name
            case _:
                return far.number, far.vacant, isinstance(far.end, PodEnd)

    def client(self, far: Far) -> object:
        """Equal for those to whose connections policies say the same: local pods, or who comes in by the gateway."""
        local = isinstance(far.end, PodEnd) and far.end.pod.key in self.expect.local
        return self._subject(far) if local else self.alike(far)

    def far_of(self, address: Address) -> Far:
        """An address, whether it stands for a class or not."""
        end = self.classes.of(address)
        return Far(address, self.expect.prepared.who(address), end.number, end.vacant)

    def in_pods(self, address: Address) -> bool:
        """Whether it is in a pod CIDR; without Node objects, whether it is a local pod's."""
        if not self.expect.prepared.cluster.nodes:
            return any(each.address == address for each in self.expect.locals)
        prefix = host_prefix(address)
        here = self.expect.node.pod_cidrs if self.expect.node else ()
        return any(cidr.contains(prefix) for cidr in here) or self.expect.behind(prefix) is not None

    def ours(self, address: Address) -> bool:
        """Whether it is one of this node's, or in its pod CIDRs."""
        node = self.expect.node
        return node is not None and (
            address in node.addresses or any(cidr.contains(host_prefix(address)) for cidr in node.pod_cidrs)
        )


def _itself(one: Far, other: Far) -> bool:
    return isinstance(one.end, PodEnd) and isinstance(other.end, PodEnd) and one.end.pod.key == other.end.pod.key


def named(far: Far) -> str:
    """Who an end is, in words."""
    address = format_address(far.address)
    return address if isinstance(far.end, OutsideEnd) else f"{name_of(far.end)} ({address})"


def tunnel_field(node: Node) -> dict[str, int]:
    """Where a tunnel's packet comes from."""
    address = node.tunnel_address
    if address is None:
        return {"tun_src": 0}
    return {"tun_src" if len(address) == 4 else "tun_ipv6_src": int.from_bytes(address, "big")}
