"""Reports of dropped packets, joined with names: what is read, and that no report raises."""

import random
import struct
from unittest import mock

import msgspec
import pytest

from ovsnp.agent.traffic import object_names
from ovsnp.agent.traffic.drop_document import DroppedTraffic, OpenedTo, TrafficEnd
from ovsnp.agent.traffic.dropped_packets import DroppedPackets
from ovsnp.agent.traffic.flow_names import FlowNames
from ovsnp.agent.traffic.object_names import ObjectNames
from ovsnp.compiler import Compilation, local_pods
from ovsnp.model.address import parse_address
from ovsnp.model.changes import Changes, Objects, all_objects
from ovsnp.model.cluster import Pod
from ovsnp.model.options import Options
from ovsnp.model.ports import Protocol
from ovsnp.oracle.isolation import isolates
from ovsnp.pipeline import fields as f
from ovsnp.pipeline import registers as r
from ovsnp.pipeline.cookies import BASE
from ovsnp.pipeline.drop_log import DropReason
from ovsnp.pipeline.fields import Field
from ovsnp.pipeline.registers import PACKED
from ovsnp.switch.openflow.packet_in import PacketIn
from tests.ovs.frames import End, Flag, Packet, frame
from tests.support.golden_cases import cluster_of
from tests.support.traced import offline_ports

CLUSTER = cluster_of("both-directions")
NODE = "node-1"
DB, FRONTEND, OTHER = (
    next(pod for pod in CLUSTER.pods if pod.key == key)
    for key in ("default/db-0", "default/frontend-0", "other/client-0")
)


class Scene:
    """The names of node-1, and reports with the subject numbers of its pods."""

    def __init__(self) -> None:
        self.objects, self.names = ObjectNames(), FlowNames()
        compilation = Compilation(Options(node=NODE, log_drops=True))
        changes = Changes(all_objects(CLUSTER), ports=offline_ports(local_pods(CLUSTER, NODE)))
        self.objects.update(changes)
        self.names.update(compilation.update(changes))
        self.packets = DroppedPackets(self.objects, self.names)

    def subject(self, pod: Pod, field: Field) -> int:
        section = "egress" if field is r.EGRESS_SUBJECT else "ingress"
        found = (each.number for each, keys in self.names.subjects().items() if pod.key in keys
                 and each.direction.section == section)  # fmt: skip
        return next(found)


@pytest.fixture(scope="module")
def scene() -> Scene:
    return Scene()


def text(pod: Pod) -> str:
    return ".".join(map(str, pod.addresses[0]))


def report(reason: bytes, source: str, destination: str, values: dict[Field, int], cookie: int = BASE) -> PacketIn:
    packet = Packet(Protocol.TCP, End(source, 40000), End(destination, 6379), Flag.SYN)
    metadata: dict[bytes, int] = {}
    for field, value in values.items():
        for oxm, left in PACKED.get(field.base, ((field.oxm, 0),)):
            key = oxm.exact[:3]
            whole = value << field.lsb
            metadata[key] = metadata.get(key, 0) | (whole << left if left >= 0 else whole >> -left)
    data = bytes.fromhex(frame(packet, 1, 2))
    return PacketIn(150, cookie, reason, data, len(data), metadata)


INGRESS, EGRESS = bytes([DropReason.INGRESS]), bytes([DropReason.EGRESS])


def read(scene: Scene, packet_in: PacketIn) -> DroppedTraffic:
    traffic = scene.packets.read(packet_in)
    assert traffic
    return traffic


def test_ingress_drop(scene: Scene) -> None:
    number = scene.subject(DB, r.INGRESS_SUBJECT)
    traffic = read(scene, report(INGRESS, text(OTHER), text(DB), {r.INGRESS_SUBJECT: number}))
    assert traffic == DroppedTraffic(
        "ingress",
        TrafficEnd(text(OTHER), OTHER.key),
        TrafficEnd(text(DB), DB.key),
        "tcp",
        6379,
        None,
        None,
        DB.key,
        tuple(policy.key for policy in CLUSTER.policies),
    )


def test_carried_source_is_the_source(scene: Scene) -> None:
    values = {r.CARRIED: 1, r.CARRIED_SOURCE[4]: int.from_bytes(OTHER.addresses[0], "big")}
    traffic = read(scene, report(INGRESS, "10.20.2.1", text(DB), values))
    assert traffic.source == TrafficEnd(text(OTHER), OTHER.key)


def test_cluster_ip_of_the_connection(scene: Scene) -> None:
    opened = {f.CT_DST[4]: int.from_bytes(parse_address("10.96.0.1"), "big"), f.CT_TP_DST: 80}
    assert read(scene, report(EGRESS, text(DB), text(OTHER), opened)).via == OpenedTo("10.96.0.1", 80)
    same = {f.CT_DST[4]: int.from_bytes(OTHER.addresses[0], "big"), f.CT_TP_DST: 6379}
    assert read(scene, report(EGRESS, text(DB), text(OTHER), same)).via is None


def test_subject_tells_the_last_holder_of_an_address_from_the_new_one() -> None:
    scene = Scene()
    number = scene.subject(DB, r.INGRESS_SUBJECT)
    heir = Pod("other", "heir", {}, NODE, DB.addresses, (), DB.place)
    scene.objects.update(Changes(Objects(pods=[heir]), Objects(pods=[DB])))
    assert read(scene, report(INGRESS, text(OTHER), text(DB), {r.INGRESS_SUBJECT: number})).isolated == DB.key
    assert read(scene, report(INGRESS, text(OTHER), text(DB), {r.INGRESS_SUBJECT: 5})).isolated == heir.key


def test_a_flood_does_not_ask_each_policy_again() -> None:
    scene, only = Scene(), CLUSTER.policies[0]
    many = [msgspec.structs.replace(only, name=f"only-{number}") for number in range(50)]
    scene.objects.update(Changes(Objects(policies=many)))
    dropped = report(INGRESS, text(OTHER), text(DB), {})
    with mock.patch.object(object_names, "isolates", wraps=isolates) as asked:
        for _ in range(100):
            assert set(read(scene, dropped).policies) >= {policy.key for policy in many}
        assert asked.call_count == len(CLUSTER.policies) + len(many)
        scene.objects.update(Changes(Objects(), Objects(policies=many)))
        assert read(scene, dropped).policies == tuple(policy.key for policy in CLUSTER.policies)


def test_reports_of_others_are_passed_over(scene: Scene) -> None:
    for packet_in in (
        report(INGRESS, text(OTHER), text(DB), {}, cookie=5),
        report(b"\x09", text(OTHER), text(DB), {}),
        report(b"", text(OTHER), text(DB), {}),
        report(bytes(100), text(OTHER), text(DB), {}),
    ):
        assert scene.packets.read(packet_in) is None


def test_arbitrary_packets_never_raise(scene: Scene) -> None:
    chance = random.Random(11)
    whole = report(INGRESS, text(OTHER), text(DB), {})
    values = {field.oxm.exact[:3]: (1 << field.bits) - 1 for field in (*f.CT_DST.values(), f.CT_TP_DST)}
    for _ in range(3000):
        data = bytearray(whole.packet)
        for _ in range(chance.randrange(8)):
            data[chance.randrange(len(data))] = chance.randrange(256)
        cut = bytes(data[: chance.randrange(len(data) + 1)])
        reason = bytes([chance.choice(list(DropReason))])
        for packet in (cut, chance.randbytes(60), struct.pack("!12xH", 0x86DD) + b"\x60" + chance.randbytes(50)):
            found = scene.packets.read(whole._replace(packet=packet, userdata=reason, metadata=values))
            assert found is None or str(found)
