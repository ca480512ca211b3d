"""The examples of docs/diff.md on a bridge match the command; `pytest --update-golden` writes them."""

import re
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.applying import ApplyScene, policy
from tests.support.checkout import ROOT
from tests.support.instance import DummySwitch
from tests.support.shell import printed_by_shell

PAGE = ROOT / "docs" / "diff.md"
EXAMPLE = re.compile(
    r"<!-- on the bridge: (?P<scene>[a-z-]+) -->\n```console\n\$ (?P<command>.*)\n(?P<output>(?:.*\n)*?)```\n"
)


def bare(scene: ApplyScene) -> None:
    scene.write("policy", policy("to-db", 80))


def another_port(scene: ApplyScene) -> None:
    bare(scene)
    scene.apply()
    scene.write("policy", policy("to-db", 81))


def by_hand(scene: ApplyScene) -> None:
    another_port(scene)
    scene.ofctl("add-flow", "cookie=0x0a5e000000000000,table=0,priority=40000,icmp,nw_dst=10.20.1.11 actions=drop")


SCENES: dict[str, Callable[[ApplyScene], None]] = {"bare": bare, "another-port": another_port, "by-hand": by_hand}


@pytest.mark.parametrize("name", SCENES)
def test_example_is_what_the_command_prints(
    name: str, dummy_switch: DummySwitch, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    (tmp_path / "manifests").mkdir()
    scene = ApplyScene(dummy_switch, "br-int", tmp_path / "manifests")
    scene.add_pod("default/db", "db0")
    scene.add_pod("default/frontend", "fe0")
    SCENES[name](scene)
    page = PAGE.read_text()
    match = next(each for each in EXAMPLE.finditer(page) if each["scene"] == name)
    shown = printed(scene, tmp_path, match["command"])
    scene.close()
    if request.config.getoption("--update-golden"):
        PAGE.write_text(page[: match.start("output")] + shown + page[match.end("output") :])
    match = next(each for each in EXAMPLE.finditer(PAGE.read_text()) if each["scene"] == name)
    assert shown == match["output"], "it prints something else now; if that is right: pytest --update-golden"


def printed(scene: ApplyScene, directory: Path, command: str) -> str:
    """The output of the command in a shell."""
    line = command.replace("ovsnp ", f"{sys.executable} -m ovsnp ", 1)
    return printed_by_shell(line, directory, {**scene.switch.environment, "PYTHONPATH": str(ROOT)})


def test_every_example_has_a_scene() -> None:
    assert sorted(each["scene"] for each in EXAMPLE.finditer(PAGE.read_text())) == sorted(SCENES)
