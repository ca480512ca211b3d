"""``ovsnp verify --live``: the flows on a bridge, and changes that somebody made to them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.applying import Answer, ApplyScene, policy
from tests.support.instance import DummySwitch


@pytest.fixture
def scene(dummy_switch: DummySwitch, tmp_path: Path) -> Iterator[ApplyScene]:
    """A bridge with the ports of both local pods, and one applied policy: frontends to port 80."""
    found = ApplyScene(dummy_switch, "br-verify", tmp_path)
    found.add_pod("default/db", "db0")
    found.add_pod("default/frontend", "fe0")
    found.write("policy", policy("to-db", 80))
    found.apply()
    yield found
    found.close()


def verified(scene: ApplyScene) -> Answer:
    answer = scene.run("verify", "--live")
    assert "Traceback" not in answer.err
    return answer


def test_what_was_applied_is_proved(scene: ApplyScene) -> None:
    answer = verified(scene)
    assert (answer.code, answer.err) == (0, ""), answer.out
    assert answer.out.startswith("PROVED")


@pytest.mark.parametrize(
    "command",
    [
        ["del-flows", "table=150,reg4=0/0"],
        ["--strict", "del-flows", "table=110,priority=400,ip,nw_dst=10.20.1.10"],
        ["mod-flows", "table=50,ct_state=+new+trk,actions=drop"],
        ["add-flow", "table=0,priority=40000,tcp,tp_dst=80,actions=drop"],
        ["add-flow", "table=0,priority=300,tcp,tp_dst=80,actions=NORMAL"],
        ["del-flows"],
    ],
)
def test_what_somebody_did_is_found(scene: ApplyScene, command: list[str]) -> None:
    options, verb, *flow = command if command[0] == "--strict" else ["-O", *command]
    scene.switch.run(["ovs-ofctl", *(["--strict"] if options == "--strict" else []), "-O", "OpenFlow15", verb,
                      scene.bridge, *flow])  # fmt: skip
    answer = verified(scene)
    assert answer.code == 1
    assert "see it: ovs-appctl ofproto/trace br-verify" in answer.out


def test_what_others_do_elsewhere_is_nothing(scene: ApplyScene) -> None:
    for flow in ("table=200,actions=NORMAL", "table=0,priority=0,actions=NORMAL"):
        scene.switch.run(["ovs-ofctl", "-O", "OpenFlow15", "add-flow", scene.bridge, flow])
    assert verified(scene).code == 0
