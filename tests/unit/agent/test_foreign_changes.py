"""Messages about changed flows: what the switch does itself counts for nothing, and no message breaks the reader."""

import struct

import pytest

from ovsnp.agent.bridge.foreign_changes import ForeignChanges
from ovsnp.errors import SwitchError
from ovsnp.pipeline import priorities as p
from ovsnp.pipeline.drop_log import METER
from ovsnp.pipeline.tables import BY_NAME
from ovsnp.switch.openflow.group_mod import delete_group
from ovsnp.switch.openflow.message import Message, MessageType
from ovsnp.switch.openflow.meter import Meter, MeterCommand, encode_meter
from ovsnp.switch.openflow.monitor import FlowEventKind

FLOW_MONITOR, ALL = 16, 0xFFFFFFFF
LEARNED = BY_NAME["SessionAffinity"].id, p.KEPT_ENDPOINT
OURS = BY_NAME["Forward"].id, 100


def told(*entries: bytes, kind: int = FLOW_MONITOR) -> Message:
    return Message(MessageType.MULTIPART_REPLY, struct.pack("!HH4x", kind, 0) + b"".join(entries))


def forwarded(request: Message) -> Message:
    return Message(MessageType.REQUESTFORWARD, request.packed)


def changed(kind: FlowEventKind, place: tuple[int, int]) -> bytes:
    """``struct ofp_flow_update_full`` without instructions, with an empty match."""
    table, priority = place
    return struct.pack("!HHBx4xH4xQHH4x", 32, kind, table, priority, 0, 1, 4)


def sentences(*messages: Message) -> list[str]:
    said: list[SwitchError] = []
    watch = ForeignChanges(said.append)
    for message in messages:
        watch.take(message)
    return list(map(str, said))


@pytest.mark.parametrize("kind", [FlowEventKind.ADDED, FlowEventKind.REMOVED, FlowEventKind.MODIFIED])
def test_flow_of_another_program_is_told_once(kind: FlowEventKind) -> None:
    message = told(changed(kind, LEARNED), changed(kind, OURS))
    (said,) = sentences(message, message)
    assert said == f"another program has {kind.name.lower()} a flow of table Forward; ovsnp reads the bridge again"


def test_other_flow_in_the_table_of_learned_flows_is_told() -> None:
    table, priority = LEARNED
    assert sentences(told(changed(FlowEventKind.ADDED, (table, priority + 1))))


def test_too_many_changes_are_told() -> None:
    assert sentences(told(struct.pack("!HH4x", 8, FlowEventKind.PAUSED)))


@pytest.mark.parametrize(
    ("request_", "what"),
    [
        (delete_group(7), "groups"),
        (encode_meter(MeterCommand.MODIFY, Meter(METER, 1, 1)), "the meter of the drop log"),
        (encode_meter(MeterCommand.DELETE, Meter(ALL, 1, 1)), "the meter of the drop log"),
    ],
)
def test_groups_and_meter_that_others_change_are_told_once(request_: Message, what: str) -> None:
    message = forwarded(request_)
    assert sentences(message, message) == [f"another program has changed {what}; ovsnp reads the bridge again"]


def test_meters_of_other_programs_count_for_nothing() -> None:
    assert sentences(forwarded(encode_meter(MeterCommand.ADD, Meter(1, 1, 1)))) == []


def test_learned_flows_and_other_messages_count_for_nothing() -> None:
    learned = told(changed(FlowEventKind.ADDED, LEARNED), changed(FlowEventKind.REMOVED, LEARNED))
    own = told(struct.pack("!HHI", 8, 4, 7))
    assert sentences(learned, own, told(b"", kind=1), Message(MessageType.PACKET_IN, b"\0" * 8)) == []


@pytest.mark.parametrize("message", [told(b"\0\0\0\0"), Message(MessageType.REQUESTFORWARD, b"\0\0")])
def test_message_that_cannot_be_read_is_told(message: Message) -> None:
    (said,) = sentences(message)
    assert "unknown way" in said
