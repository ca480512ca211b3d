"""``--log-drops``: the bridge reports the packets that policies drop, and otherwise does the same as without."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ovsnp.model.ports import Protocol
from ovsnp.pipeline.drop_log import METER
from ovsnp.pipeline.ports import ROUTER_MAC
from ovsnp.switch.openflow.connection import OpenFlow
from ovsnp.switch.openflow.meter import meter_statistics
from tests.agent.prober import Party
from tests.ovs.frames import End, Flag, Packet, frame
from tests.support.applying import ApplyScene, policy
from tests.support.instance import DummySwitch

MADE = "br-logged: meter of the drop log made"
SAVE = "/usr/share/openvswitch/scripts/ovs-save"


@pytest.fixture
def scene(dummy_switch: DummySwitch, tmp_path: Path) -> Iterator[ApplyScene]:
    """A bridge with the ports of both local pods, and one policy that is not applied yet: frontends to port 80."""
    found = ApplyScene(dummy_switch, "br-logged", tmp_path)
    found.add_pod("default/db", "db0")
    found.add_pod("default/frontend", "fe0")
    found.write("policy", policy("to-db", 80))
    yield found
    found.close()


def meters(scene: ApplyScene) -> str:
    return scene.ofctl("dump-meters")


def test_apply_makes_the_meter_before_the_flows_that_need_it(scene: ApplyScene) -> None:
    assert MADE in scene.run("apply", "--log-drops").out
    assert f"meter={METER} pktps burst stats" in meters(scene)
    assert f"meter_id={METER}" in scene.ofctl("dump-flows")
    assert scene.run("apply", "--log-drops").out == "br-logged: flows: nothing to change\n"


def test_meter_of_another_rate_is_changed(scene: ApplyScene) -> None:
    scene.run("apply", "--log-drops")
    scene.ofctl("mod-meter", f"meter={METER},pktps,burst,stats,band=type=drop,rate=1,burst_size=1")
    assert "meter of the drop log made" in scene.run("diff", "--log-drops").out
    assert MADE in scene.run("apply", "--log-drops").out
    assert "rate=100 burst_size=200" in meters(scene)


def test_without_the_option_there_is_no_meter_and_no_report(scene: ApplyScene) -> None:
    scene.run("apply")
    assert f"meter={METER}" not in meters(scene)
    assert "controller" not in scene.ofctl("dump-flows")


def test_option_can_be_turned_off_again(scene: ApplyScene) -> None:
    scene.run("apply", "--log-drops")
    assert "flows: 0 added, 3 changed, 0 deleted" in scene.run("apply").out
    assert "controller" not in scene.ofctl("dump-flows")


def test_flows_with_reports_are_proved(scene: ApplyScene) -> None:
    scene.run("apply", "--log-drops")
    answer = scene.run("verify", "--live", "--log-drops")
    assert (answer.code, answer.err) == (0, ""), answer.out
    assert answer.out.startswith("PROVED")


def test_trace_says_that_a_drop_is_reported(scene: ApplyScene) -> None:
    scene.run("apply", "--log-drops")
    answer = scene.run("trace", "default/frontend", "default/db", "81", "--log-drops")
    assert "dropped: no rule admits it, reported to the drop log" in answer.out
    assert "the policies say the same" in answer.out


def restart(scene: ApplyScene) -> str:
    """Restart ovs-vswitchd in the steps of ``ovs-ctl restart``; returns what the script of saved flows prints."""
    switch = scene.switch
    saved = switch.run([SAVE, "save-flows", scene.bridge])
    switch.run(["ovs-vsctl", "set", "open_vswitch", ".", "other_config:flow-restore-wait=true"])
    switch.kill("ovs-vswitchd")
    switch.start_switch()
    said = switch.run(["sh", "-c", saved])
    switch.run(["ovs-vsctl", "remove", "open_vswitch", ".", "other_config", "flow-restore-wait=true"])
    return said


def refused(scene: ApplyScene, count: int) -> None:
    """Send packets that the policy refuses, each of a connection of its own."""
    client, server = Party("fe0", "10.20.1.11"), Party("db0", "10.20.1.10")
    for number in range(count):
        asked = Packet(Protocol.TCP, End(client.address, 5000 + number), End(server.address, 81), Flag.SYN)
        scene.switch.appctl("netdev-dummy/receive", client.interface, frame(asked, client.mac, ROUTER_MAC))


def test_after_a_restart_that_saves_flows_apply_makes_the_meter_count_again(scene: ApplyScene) -> None:
    """`ovs-save` saves no meters, and Open vSwitch takes flows that name a meter which is not there."""
    scene.run("apply", "--log-drops")
    before = scene.seen()
    assert "OFPT_ERROR" not in restart(scene)
    assert scene.seen() == before
    assert f"meter={METER}" not in meters(scene)
    assert MADE in scene.run("apply", "--log-drops").out
    assert scene.seen() == before
    with OpenFlow(scene.switch.location, scene.bridge) as connection:
        refused(scene, 5)
        until = time.monotonic() + 10
        while meter_statistics(connection, METER).packets < 5:
            assert time.monotonic() < until
            time.sleep(0.05)
