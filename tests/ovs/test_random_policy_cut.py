"""Random clusters with open connections: exactly those end that the policies forbid to new packets."""

import os
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import NamedTuple

import pytest

from ovsnp.model.address import family, format_address
from ovsnp.model.ports import Protocol
from ovsnp.oracle import PodEnd, ServingBackend, Traffic, judge
from tests.ovs.frames import Flag, Packet
from tests.ovs.random_scene import Question, RandomScene, wired_objects
from tests.ovs.wired import Arrival
from tests.support.instance import DummySwitch

CLUSTERS = int(os.environ.get("OVSNP_CUT_CLUSTERS", "12"))
_SAMPLE = 12
_PORTS = (53, 80, 443, 8080, 33000)


class Opened(NamedTuple):
    """A connection that is open, and the backend that a Service chose for it; None: it has no Service."""

    question: Question
    arrival: Arrival
    backend: ServingBackend | None

    def next_packet(self) -> Packet:
        """The next packet of the client."""
        packet = self.question.packet()
        return packet._replace(flags=Flag.ACK) if packet.protocol is Protocol.TCP else packet


def direct_questions(scene: RandomScene, random: Random) -> Iterator[Question]:
    """Connections between pods, without a Service."""
    for sender in scene.cluster.pods:
        for receiver in scene.cluster.pods:
            for address in receiver.addresses if receiver is not sender else ():
                for source in (each for each in sender.addresses if family(each) == family(address)):
                    traffic = Traffic(random.choice((Protocol.TCP, Protocol.UDP)), random.choice(_PORTS))
                    yield Question(PodEnd(sender, source), format_address(address), traffic, 31000)


def some(random: Random, questions: Iterator[Question]) -> list[Question]:
    """Some of the questions."""
    found = list(questions)
    return random.sample(found, min(_SAMPLE, len(found)))


def open_one(scene: RandomScene, question: Question, *, service: bool) -> Opened | None:
    """Open a connection; None if its first packet reaches no pod."""
    arrived = [each for each in scene.ask(question) if each.at != "gateway"]
    if not arrived:
        return None
    tcp = question.traffic.protocol is Protocol.TCP
    answer = arrived[0].packet.answer(Flag.SYN | Flag.ACK if tcp else Flag.NONE)
    (back,) = scene.wired.send(arrived[0].at, answer)
    assert back.at == question.sender.pod.key
    return Opened(question, arrived[0], scene.chosen(question) if service else None)


def is_allowed(scene: RandomScene, it: Opened, *, strict_nodes: bool, service_blocks: bool) -> bool:
    """The verdict of the oracle."""
    question = it.question
    if it.backend:
        return scene.expected(question, strict_nodes=strict_nodes, service_blocks=service_blocks)[it.backend].allowed
    (receiver,) = (pod for pod in scene.cluster.pods if pod.key == it.arrival.at)
    (address,) = (each for each in receiver.addresses if format_address(each) == question.address)
    return judge(
        scene.cluster, question.sender, PodEnd(receiver, address), question.traffic, strict_nodes=strict_nodes
    ).allowed


@pytest.mark.parametrize("seed", range(CLUSTERS))
def test_exactly_those_end_that_new_packets_could_not_open(
    dummy_switch: DummySwitch, other_switch: DummySwitch, tmp_path: Path, seed: int
) -> None:
    random = Random(seed)
    objects = wired_objects(random)
    scene = RandomScene((dummy_switch, other_switch), objects, tmp_path)
    terms = {"strict_nodes": seed % 3 == 0, "service_blocks": seed % 5 < 2}
    words = ["--strict-nodes"] * terms["strict_nodes"] + ["--service-blocks"] * terms["service_blocks"]
    words += ["--masquerade"] * (seed % 2) + ["--encap", ("geneve", "vxlan")[seed // 2 % 2]]
    try:
        scene.write([each for each in objects if each["kind"] != "NetworkPolicy"])
        scene.wired.apply(*words)
        # A UDP connection may expire before the test is done, and get another endpoint.
        by_service = (each for each in scene.questions() if each.traffic.protocol is Protocol.TCP)
        sampled = [(each, True) for each in some(random, by_service)]
        sampled += [(each, False) for each in some(random, direct_questions(scene, random))]
        tried = [open_one(scene, question, service=service) for question, service in sampled]
        scene.write(objects)
        scene.wired.apply(*words, "--established", "cut")
        for it in (each for each in tried if each):
            allowed = is_allowed(scene, it, **terms)
            goes_on = [each.at for each in scene.wired.send(it.question.sender.pod.key, it.next_packet())]
            assert goes_on == [it.arrival.at] * allowed, it
            another = it.question._replace(port=it.question.port + 7)
            arrived = [each.at for each in scene.ask(another)]
            if scene.chosen(another) == it.backend or not it.backend:
                assert arrived == [it.arrival.at] * allowed, it
    finally:
        scene.close()
