"""Requests other than of flows and groups are, byte for byte, what ``ovs-ofctl`` sends."""

import shutil
import struct
from collections.abc import Callable

import pytest

from ovsnp.flows.action import Commit, SetField, ToController
from ovsnp.model.address import parse_address
from ovsnp.model.options import Carrier
from ovsnp.pipeline.carrier import option_map
from ovsnp.pipeline.registers import ADMITTED, ANSWERED
from ovsnp.switch.openflow.actions import encode_instructions
from ovsnp.switch.openflow.connection import OpenFlow
from ovsnp.switch.openflow.ct_flush import ConnectionTuple, encode_flush, flush_zone
from ovsnp.switch.openflow.message import Message, MessageType
from ovsnp.switch.openflow.meter import Meter, MeterCommand, delete_meter, encode_meter, meter_statistics
from ovsnp.switch.openflow.monitor import watch_flows
from ovsnp.switch.openflow.packet_out import encode_packet_out
from ovsnp.switch.openflow.tables import count_flows, read_flows, read_groups
from ovsnp.switch.openflow.tlv_table import encode_options, read_options
from tests.support.stand_in_switch import bundled, sent

pytestmark = pytest.mark.skipif(not shutil.which("ovs-ofctl"), reason="ovs-ofctl is not installed")


class Sent(Exception):  # noqa: N818
    """What a request would have sent."""


class Keeping(OpenFlow):
    """Raises what is sent instead of sending it."""

    def __init__(self) -> None:
        pass

    def tell(self, *messages: Message) -> None:
        raise Sent([message.packed for message in messages])

    def request(self, message: Message) -> Message:
        raise Sent([message.packed])

    def multipart(self, kind: int, body: bytes = b"") -> bytes:
        raise Sent([Message(MessageType.MULTIPART_REQUEST, bytes((0, kind)) + bytes(6) + body).packed])


def asked(request: Callable[[OpenFlow], object]) -> list[bytes]:
    with pytest.raises(Sent) as kept:
        request(Keeping())
    messages = kept.value.args[0]
    assert isinstance(messages, list)
    return messages


@pytest.mark.parametrize("frame", [bytes(14), bytes(range(98))])
def test_packet_out(frame: bytes) -> None:
    actions = Commit(2654, (SetField(ADMITTED, 0), SetField(ANSWERED, 1)))
    out = encode_packet_out(frame, (actions,))
    assert [out.packed] == sent("packet-out", f"in_port=controller,packet={frame.hex()},actions={actions}")


def test_option_map() -> None:
    mappings = option_map(Carrier(0x1234, 3, 4))
    assert [encode_options(mappings).packed] == sent("add-tlv-map", ",".join(map(str, mappings)))
    assert asked(read_options) == sent("dump-tlv-map")


@pytest.mark.parametrize(("command", "name"), [(MeterCommand.ADD, "add-meter"), (MeterCommand.MODIFY, "mod-meter")])
def test_meter(command: MeterCommand, name: str) -> None:
    text = "meter=7,pktps,burst,stats,band=type=drop,rate=500,burst_size=1000"
    assert [encode_meter(command, Meter(7, 500, 1000)).packed] == sent(name, text)


def test_meter_goes_and_is_counted() -> None:
    assert asked(lambda connection: delete_meter(connection, 7)) == sent("del-meter", "meter=7")
    assert asked(lambda connection: meter_statistics(connection, 7)) == sent("meter-stats", "meter=7")


@pytest.mark.parametrize(
    ("tuple_", "text"),
    [
        (
            ConnectionTuple(6, parse_address("10.0.0.1"), parse_address("10.0.0.2"), (50000, 80)),
            "ct_nw_src=10.0.0.1,ct_nw_dst=10.0.0.2,ct_nw_proto=6,ct_tp_src=50000,ct_tp_dst=80",
        ),
        (
            ConnectionTuple(17, parse_address("fd00::1"), parse_address("fd00::2"), (50000, 53)),
            "ct_ipv6_src=fd00::1,ct_ipv6_dst=fd00::2,ct_nw_proto=17,ct_tp_src=50000,ct_tp_dst=53",
        ),
        (
            ConnectionTuple(132, parse_address("10.0.0.1"), parse_address("10.0.0.2")),
            "ct_nw_src=10.0.0.1,ct_nw_dst=10.0.0.2,ct_nw_proto=132",
        ),
    ],
)
def test_connections_are_forgotten(tuple_: ConnectionTuple, text: str) -> None:
    assert [encode_flush(2654, tuple_).packed] == sent("ct-flush", "zone=2654", text)


def test_zone_is_forgotten() -> None:
    assert asked(lambda connection: flush_zone(connection, 2654)) == sent("ct-flush-zone", "2654")


def test_flows_and_groups_are_read() -> None:
    flows = asked(lambda connection: read_flows(connection, 90, 0x0A5E << 48, 0xFFFF << 48))
    assert flows == sent("dump-flows", f"table=90,cookie={0x0A5E << 48:#x}/{0xFFFF << 48:#x}")
    assert asked(count_flows) == sent("dump-aggregate")
    assert asked(read_groups) == sent("dump-groups")


def test_all_changes_by_others_are_watched() -> None:
    """``struct ofp14_flow_monitor_request``: ovs-ofctl asks for more than changes, so its bytes are no example."""
    add, removed, modify = 1 << 1, 1 << 2, 1 << 3
    any_port = any_group = 0xFFFFFFFF
    wanted = struct.pack("!IIIHBB", 1, any_port, any_group, add | removed | modify, 0xFF, 0)
    assert [message[16:40] for message in asked(watch_flows)] == [wanted + struct.pack("!HH4x", 1, 4)]


@pytest.mark.parametrize(
    "action",
    [ToController(b"\x01\x02\x03", 128, 9), ToController(bytes(range(8)), 64, 1), ToController(b"a", 65534, 9)],
)
def test_packets_go_to_the_controller(action: ToController) -> None:
    (message,) = bundled(f"flow add table=0 actions={action}")
    assert message.endswith(encode_instructions((action,)))
