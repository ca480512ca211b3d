"""The examples of docs/trace.md match the command; `pytest --update-golden` writes them."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from ovsnp.manifests import load
from ovsnp.model.address import format_address
from tests.ovs.wired import WiredCluster
from tests.support.applying import ovsnp
from tests.support.checkout import ROOT
from tests.support.instance import DummySwitch

PAGE = ROOT / "docs" / "trace.md"
EXAMPLE = re.compile(
    r"<!-- in (?P<folder>[a-z0-9-]+) -->\n```console\n(?P<commands>(?:\$ .*\n)+)(?P<output>(?:.*\n)*?)```\n"
)
EXAMPLES = list(range(len(EXAMPLE.findall(PAGE.read_text()))))


class Nodes:
    """Both nodes of the golden cases' cluster, with the flows of one case."""

    def __init__(self, switches: tuple[DummySwitch, DummySwitch], folder: Path, manifests: Path) -> None:
        self.folder = folder
        cluster = load([str(folder.parent / "cluster.yaml")])
        addresses = {name: format_address(node.addresses[0]) for name, node in cluster.nodes.items()}
        self.wired = WiredCluster(switches, addresses, manifests)
        for node in self.wired.nodes:
            node.add_pods({pod.key: pod.key for pod in cluster.pods if pod.node == node.name})
            answer = ovsnp("apply", "--node", node.name, "--db", node.switch.location.database)
            assert answer.code == 0, answer

    def run(self, command: str) -> str:
        """The output of a command in a shell, with these nodes' databases in place of those in /run/NODE."""
        for node in self.wired.nodes:
            command = command.replace(f"/run/{node.name}/db.sock", f"{node.switch.directory}/db.sock")
        program, *words = shlex.split(command)
        if program != "ovsnp":
            return self.wired.nodes[0].switch.run([program, *words])
        answer = ovsnp(*words)
        return answer.out + answer.err


@pytest.fixture
def example(request: pytest.FixtureRequest) -> re.Match[str]:
    return list(EXAMPLE.finditer(PAGE.read_text()))[request.param]


@pytest.fixture
def nodes(
    example: re.Match[str],
    dummy_switch: DummySwitch,
    other_switch: DummySwitch,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Nodes]:
    folder = ROOT / "tests" / "golden" / example["folder"]
    monkeypatch.chdir(folder)
    made = Nodes((dummy_switch, other_switch), folder, tmp_path)
    yield made
    made.wired.close()


@pytest.mark.parametrize("example", EXAMPLES, indirect=True)
def test_example_is_what_the_command_prints(
    example: re.Match[str], nodes: Nodes, request: pytest.FixtureRequest
) -> None:
    commands = [line.removeprefix("$ ") for line in example["commands"].splitlines()]
    shown = "".join(map(nodes.run, commands))
    if request.config.getoption("--update-golden"):
        page = PAGE.read_text()
        PAGE.write_text(page[: example.start("output")] + shown + page[example.end("output") :])
        return
    assert shown == example["output"], "it prints something else now; if that is right: pytest --update-golden"


def test_page_has_examples() -> None:
    assert len(EXAMPLES) == PAGE.read_text().count("```console") == 5
