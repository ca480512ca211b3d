"""Joins a packet that the bridge reported with what the agent knows of its ends."""

from ovsnp.agent.traffic.drop_document import DroppedTraffic, OpenedTo
from ovsnp.agent.traffic.flow_names import FlowNames, Numbered
from ovsnp.agent.traffic.object_names import ObjectNames
from ovsnp.agent.traffic.packet_head import PacketHead, read_head
from ovsnp.model.address import Address, family, format_address
from ovsnp.model.cluster import Pod
from ovsnp.model.policy import Direction
from ovsnp.pipeline import fields as f
from ovsnp.pipeline import registers as r
from ovsnp.pipeline.cookies import is_ours
from ovsnp.pipeline.drop_log import DropReason
from ovsnp.switch.openflow.packet_in import PacketIn

_PROTOCOLS = {number: protocol for protocol, number in f.IP_PROTO.items()}
_ICMP = {1: "icmp", 58: "icmpv6"}
_DIRECTIONS = {DropReason.EGRESS: Direction.EGRESS, DropReason.INGRESS: Direction.INGRESS}
_SUBJECTS = {Direction.EGRESS: r.EGRESS_SUBJECT, Direction.INGRESS: r.INGRESS_SUBJECT}


class DroppedPackets:
    """Reads reports of the drop log; may be called from any thread."""

    def __init__(self, objects: ObjectNames, names: FlowNames) -> None:
        self._objects, self._names = objects, names

    def read(self, report: PacketIn) -> DroppedTraffic | None:
        """The traffic of a report; None if the report is not of the drop log, or its packet no IP packet."""
        reason, head = _reason(report), read_head(report.packet)
        if reason is None or head is None:
            return None
        source = _carried(report, family(head.source)) or head.source
        direction, isolated, pods = _DIRECTIONS.get(reason), None, frozenset[str]()
        if direction:
            pods = self._names.subject(Numbered(direction, report.value(_SUBJECTS[direction])))
            isolated = self._objects.pod_at(source if direction is Direction.EGRESS else head.destination, pods)
        return DroppedTraffic(
            direction.section if direction else "tunnel-guard",
            self._objects.end_at(source, pods if direction is Direction.EGRESS else ()),
            self._objects.end_at(head.destination, pods if direction is Direction.INGRESS else ()),
            _protocol(head),
            head.ports[1] if head.ports else None,
            head.icmp_type,
            self._opened_to(report, head),
            isolated.key if isolated else None,
            self._policies(isolated, direction),
        )

    def _policies(self, isolated: Pod | None, direction: Direction | None) -> tuple[str, ...]:
        return self._objects.isolating(isolated, direction) if isolated and direction else ()

    def _opened_to(self, report: PacketIn, head: PacketHead) -> OpenedTo | None:
        """The destination of the connection before conntrack translated it."""
        field, protocol = f.CT_DST[family(head.source)], _PROTOCOLS.get(head.protocol)
        address = _address(report, field)
        port = report.value(f.CT_TP_DST)
        if protocol is None or head.ports is None or not port or (address, port) == (head.destination, head.ports[1]):
            return None
        return OpenedTo(format_address(address), port, self._names.service_at(protocol, address, port))


def _reason(report: PacketIn) -> DropReason | None:
    try:
        return DropReason(int.from_bytes(report.userdata, "big")) if is_ours(report.cookie) else None
    except ValueError:
        return None


def _carried(report: PacketIn, version: int) -> Address | None:
    """The address of the source pod that the tunnel header carried."""
    field = r.CARRIED_SOURCE[version]
    return _address(report, field) if report.value(r.CARRIED) else None


def _address(report: PacketIn, field: f.Field) -> Address:
    return Address(report.value(field).to_bytes(field.bits // 8, "big"))


def _protocol(head: PacketHead) -> str:
    known = _PROTOCOLS.get(head.protocol)
    return known.lower() if known else _ICMP.get(head.protocol, f"protocol {head.protocol}")
