"""``--log-drops``: the bridge reports the packets that policies drop, and otherwise does the same as without."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from ovsnp.pipeline.drop_log import METER
from tests.support.applying import ApplyScene, policy
from tests.support.instance import DummySwitch

MADE = "br-logged: meter of the drop log made"


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
