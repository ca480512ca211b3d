"""Dropped packets, live connections and counters of a real bridge, as `drops`, `connections` and `top` show them."""

import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest

from ovsnp.agent.serving.http_server import json_answer, serving_socket
from ovsnp.agent.serving.routes import drop_routes
from ovsnp.agent.traffic.drop_document import Drop, DropLine, Unreported
from ovsnp.agent.traffic.drop_log import DropLog
from ovsnp.agent.traffic.dropped_packets import DroppedPackets
from ovsnp.agent.traffic.flow_counts import FlowCounts
from ovsnp.agent.traffic.flow_names import FlowNames
from ovsnp.agent.traffic.live_connections import LiveConnections
from ovsnp.agent.traffic.object_names import ObjectNames
from ovsnp.agent.traffic.policy_counts import PolicyCounts
from ovsnp.compiler import Compilation, load, local_pods
from ovsnp.model.changes import Changes, all_objects
from ovsnp.model.options import Options
from ovsnp.model.ports import Protocol
from ovsnp.pipeline.drop_log import METER
from ovsnp.switch.openflow.connection import OpenFlow
from ovsnp.switch.openflow.meter import meter_statistics
from ovsnp.switch.ovsdb import Database
from ovsnp.switch.ports import read_ports
from tests.ovs.frames import End, Packet
from tests.ovs.service_scene import ServiceScene, address_of, first, policy
from tests.ovs.wired import BRIDGE
from tests.support.applying import Answer, ovsnp
from tests.support.unix_http import request

POLICY = policy("ingress", "web", "{podSelector: {matchLabels: {app: client}}}", "{port: 8080}")
ISOLATED = "default/web-0 is isolated by default/only"


class Observed:
    """node-1 of a scene, with what an agent would know of it, behind a control socket."""

    def __init__(self, scene: ServiceScene, directory: Path, stop: threading.Event) -> None:
        node = scene.nodes[0]
        self.location, self.socket = node.switch.location, directory / "agent.sock"
        objects, names = ObjectNames(), FlowNames()
        cluster, options = load([str(scene.manifests)]), Options(BRIDGE, "node-1", log_drops=True)
        with Database(self.location) as database:
            ports = read_ports(database.interfaces(BRIDGE), local_pods(cluster, "node-1"))
        changes = Changes(all_objects(cluster), ports=ports)
        objects.update(changes)
        names.update(Compilation(options).update(changes))
        self.drops = DropLog(self.location, BRIDGE, DroppedPackets(objects, names))
        self.connections = LiveConnections(self.location, BRIDGE, objects, names)
        self.counts = FlowCounts(self.location, BRIDGE, names)
        self.policies = PolicyCounts(self.counts, names, objects)
        self.drops.start(stop)
        self.routes = {
            **drop_routes(self.drops),
            "/connections": {"GET": lambda _: json_answer(self.connections.read())},
            "/counts": {"GET": lambda _: json_answer(self.counts.read())},
        }

    def run(self, command: str, *more: str) -> Answer:
        """Run a command that asks the agent."""
        answer = ovsnp(command, "--socket", self.socket, *more)
        assert answer.code == 0, answer
        return answer

    def dropped(self) -> list[Drop]:
        return [line for line in self.drops.lines() if isinstance(line, Drop)]

    def unreported(self) -> int:
        return sum(line.count for line in self.drops.lines() if isinstance(line, Unreported))


@pytest.fixture
def there(scene: ServiceScene, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Observed]:
    scene.write("policies", POLICY)
    scene.serve(["web-0"])
    scene.apply("--log-drops")
    stop = threading.Event()
    found = Observed(scene, tmp_path_factory.mktemp("s"), stop)
    with serving_socket(found.socket, found.routes):
        assert found.drops.connected.wait(30)
        yield found
    stop.set()


def wait_for(reached: Callable[[], bool]) -> None:
    until = time.monotonic() + 30
    while not reached():
        assert time.monotonic() < until
        time.sleep(0.05)


def to_web(sender: str, port: int, version: int = 4) -> Packet:
    return first(address_of(sender, version), 40000, address_of("web-0", version), port)


@pytest.mark.parametrize("version", [4, 6])
def test_dropped_packet_names_both_pods_and_the_policy(scene: ServiceScene, there: Observed, version: int) -> None:
    assert scene.send("stranger", to_web("stranger", 8080, version)) == []
    wait_for(lambda: bool(there.dropped()))
    (line,) = there.run("drops").out.splitlines()
    assert line.endswith(f"  default/stranger to default/web-0, 8080/tcp: ingress, {ISOLATED}")
    (document,) = map(json.loads, there.run("drops", "-o", "json", "default/web-0").out.splitlines())
    assert document["traffic"]["policies"] == ["default/only"]
    assert there.run("drops", "client").out == ""


def test_service_by_which_a_dropped_packet_came_is_named(scene: ServiceScene, there: Observed) -> None:
    assert scene.ask("stranger", 40001) == []
    wait_for(lambda: bool(there.dropped()))
    assert f"8080/tcp (by default/web:80): ingress, {ISOLATED}" in there.run("drops").out


def test_egress_and_the_guard(scene: ServiceScene, there: Observed) -> None:
    scene.write("policies", policy("egress", "client", "{podSelector: {matchLabels: {app: web}}}", "{port: 8080}"))
    scene.apply("--log-drops")
    tunneled = Packet(Protocol.UDP, End(address_of("client", 4), 5), End("192.168.50.2", 6081))
    assert scene.send("client", tunneled) == []
    wait_for(lambda: bool(there.dropped()))
    assert "default/client to node node-2 (192.168.50.2), 6081/udp: a pod may not" in there.run("drops").out


def test_allowed_packet_gives_no_line(scene: ServiceScene, there: Observed) -> None:
    assert scene.send("client", to_web("client", 8080))
    assert scene.send("stranger", to_web("stranger", 8080)) == []
    wait_for(lambda: bool(there.dropped()))
    (drop,) = there.dropped()
    assert drop.traffic.source.pod == "default/stranger"


def test_lines_and_losses_are_all_that_was_dropped(scene: ServiceScene, there: Observed) -> None:
    rounds, each = 20, 100
    for number in range(rounds):
        scene.nodes[0].send("stranger", *(to_web("stranger", 1 + number * each + port) for port in range(each)))
    sent = rounds * each
    wait_for(lambda: sum(drop.count for drop in there.dropped()) + there.unreported() >= sent)
    reported = sum(drop.count for drop in there.dropped())
    assert reported + there.unreported() == sent
    with OpenFlow(there.location, BRIDGE) as connection:
        counted = meter_statistics(connection, METER)
    assert counted.packets == sent
    assert there.unreported() >= counted.dropped
    assert reported > 0


def test_follower_gets_the_lines_that_come(scene: ServiceScene, there: Observed) -> None:
    scene.send("stranger", to_web("stranger", 8080))
    wait_for(lambda: bool(there.dropped()))
    answer = request(there.socket, "/drops/follow")
    assert answer.readline() == b"\n"
    scene.send("stranger", to_web("stranger", 8081))
    line = msgspec.json.decode(answer.readline(), type=DropLine)
    assert isinstance(line, Drop)
    assert line.traffic.port == 8081
    answer.close()


def test_connections_have_the_rules_that_admitted_them(scene: ServiceScene, there: Observed) -> None:
    scene.converse("client", 40002)
    found = there.connections.read().connections
    (connection,) = (each for each in found if each.source_port == 40002)
    assert (connection.source.pod, connection.destination.pod) == ("default/client", "default/web-0")
    assert (connection.port, str(connection.via)) == (8080, "default/web:80")
    assert (connection.admitted, connection.answered) == (True, True)
    assert (connection.egress, connection.ingress) == (None, ("default/only ingress[0]",))
    explained = scene.nodes[0].run("explain", scene.manifests, "default/client", "default/web-0", "8080")
    assert "default/only ingress[0]" in explained.out
    assert connection.expires
    text = there.run("connections", "default/web-0").out
    begin = r"default/client to default/web-0, 8080/tcp \(by default/web:80\): established, ends after \d+ s"
    assert re.search(begin + " without a packet; ingress by", text)
    assert there.run("connections", "default/stranger").out == ""


def test_top_counts_what_was_sent(scene: ServiceScene, there: Observed) -> None:
    before = there.counts.read()
    for port in range(3):
        scene.send("client", first(address_of("client", 4), 41000 + port, address_of("web-0", 4), 8080))
    scene.nodes[0].send("stranger", *(to_web("stranger", 1 + port) for port in range(5)))
    scene.nodes[0].switch.appctl("revalidator/purge")
    after = there.counts.read()
    assert {each.rule: each.packets for each in before.admitted} == {"default/only ingress[0]": 0}
    assert {each.rule: each.packets for each in after.admitted} == {"default/only ingress[0]": 3}
    (dropped,) = after.dropped
    assert (dropped.direction, dropped.pods, dropped.packets) == ("ingress", ("default/web-0", "default/web-1"), 5)
    assert "DROPPED" in there.run("top", "--interval", "0.2").out


def test_packets_by_policy_go_on_after_the_counters_of_the_flows_began_again(
    scene: ServiceScene, there: Observed
) -> None:
    def sent_and_counted(admitted: int, dropped: int) -> dict[tuple[str, ...], int]:
        for port in range(admitted):
            scene.send("client", first(address_of("client", 4), 42000 + port, address_of("web-0", 4), 8080))
        scene.nodes[0].send("stranger", *(to_web("stranger", 1 + port) for port in range(dropped)))
        scene.nodes[0].switch.appctl("revalidator/purge")
        return {each[1:]: packets for each, packets in there.policies.read().packets.items()}

    admitted, dropped = ("only", "ingress", "admitted"), ("only", "ingress", "dropped")
    assert sent_and_counted(2, 2) == {admitted: 0, dropped: 0}
    assert sent_and_counted(3, 5) == {admitted: 3, dropped: 5}
    scene.nodes[0].switch.run(["ovs-ofctl", "-O", "OpenFlow15", "del-flows", BRIDGE])
    scene.apply("--log-drops")
    assert sent_and_counted(1, 2) == {admitted: 4, dropped: 7}


def test_without_an_agent_there_is_one_sentence(tmp_path: Path) -> None:
    for command in ("drops", "connections", "top"):
        answer = ovsnp(command, "--socket", tmp_path / "no.sock")
        assert answer.code == 4
        assert answer.err.startswith(f"ovsnp: no agent answers at {tmp_path / 'no.sock'}: No such file or directory; ")
        assert answer.err.count("\n") == 1
