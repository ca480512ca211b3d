"""One configuration for all commands: options at the top, and in the sections."""

import json
from pathlib import Path
from typing import Any

import click
import pytest

from ovsnp.cli import ovsnp as program
from ovsnp.cli.configuration import read_configuration
from ovsnp.errors import ConfigurationError
from tests.support.applying import ovsnp

pytestmark = pytest.mark.usefixtures("workdir")

FILE = Path("ovsnp.yaml")
COMMON = "manifests: manifests\nnode: node-1\n"


def defaults(text: str, *command: str) -> dict[str, Any]:
    """The values of the configuration for a command, by the names of its parameters."""
    FILE.write_text(text)
    context = click.Context(program, info_name="ovsnp")
    for name in command:
        assert isinstance(context.command, click.Group)
        inner = context.command.get_command(context, name)
        assert inner is not None
        context = click.Context(inner, info_name=name, parent=context)
    return read_configuration(FILE, context)


def mistakes(text: str, *command: str) -> list[str]:
    """The mistakes of the configuration for a command, without the list of valid options."""
    with pytest.raises(ConfigurationError) as caught:
        defaults(text, *command)
    return [line.partition("; there are ")[0] for line in str(caught.value).splitlines()]


ALL = """
manifests: manifests
node: node-1
encap: vxlan
lint: {ignore: [dns-egress], fail: no-matter}
matrix: {by: pod, output: csv}
mtu: {underlay: 1500}
lab:
  name: mine
  up: {datapath: system, encap: geneve}
  test: {rate: 2.5, sample: 10}
compile: {geneve-types: [3, 4], output: json}
"""


@pytest.mark.parametrize(
    ("command", "found"),
    [
        (("apply",), {"filename": ("manifests",), "node": "node-1", "encap": "vxlan"}),
        (("matrix",), {"filename": ("manifests",), "node": "node-1", "encap": "vxlan", "by": "pod", "output": "csv"}),
        (("mtu",), {"encap": "vxlan", "underlay": 1500}),
        (("lab", "test"), {"name": "mine", "rate": 2.5, "sample": 10}),
        (("lab", "down"), {"name": "mine"}),
        (("lab", "up"), {"filename": ("manifests",), "name": "mine", "datapath": "system", "encap": "geneve"}),
        (("trace",), {"filename": ("manifests",), "node": "node-1", "encap": "vxlan"}),
    ],
)
def test_each_command_takes_the_top_and_its_own_section(command: tuple[str, ...], found: dict[str, Any]) -> None:
    assert defaults(ALL, *command) == found


def test_list_of_two_numbers_is_taken() -> None:
    FILE.write_text(f"{COMMON}compile: {{geneve-types: [3, 4], output: json}}\n")
    answer = ovsnp("compile")
    assert (answer.code, answer.err) == (0, "")
    assert json.loads(answer.out)["node"] == "node-1"


def test_mistake_in_a_section_is_its_commands_alone() -> None:
    assert mistakes(ALL, "lint") == ["ovsnp.yaml:5: lint.fail: there is no such option"]


def test_command_without_options_in_the_file_takes_none() -> None:
    assert defaults("lint:\nlab:\n", "lint") == defaults("lint:\nlab:\n", "lab", "up") == {}


@pytest.mark.parametrize("key", ["by: pod", "expect: denied", "underlay: 9000", "datapath: system", "lab: true"])
def test_option_of_another_command_at_the_top_is_passed_over(key: str) -> None:
    assert defaults(f"{COMMON}{key}\n", "compile") == defaults(COMMON, "compile")


def test_options_of_this_command_at_the_top_are_taken_and_its_section_goes_before() -> None:
    assert defaults("expect: denied\n", "explain") == {"expect": "denied"}
    assert defaults("explain: {expect: allowed}\nexpect: denied\n", "explain") == {"expect": "allowed"}


def test_option_with_a_commands_name_is_no_section() -> None:
    assert defaults("lab: true\n", "trace") == {"lab": True}
    assert defaults("lab: true\n", "lab", "up") == {}
    assert defaults("lab: {name: mine}\n", "trace") == {}


def test_all_mistakes_are_told_at_once_with_their_lines() -> None:
    text = f"{COMMON}encup: geneve\noutput: csv\nexplain:\n  expct: denied\n  expect: perhaps\n  quiet: sometimes\n"
    FILE.write_text(text)
    answer = ovsnp("explain", "frontend", "db")
    assert (answer.code, answer.out) == (2, "")
    assert [line.partition(": ")[0] for line in answer.err.splitlines()] == [
        f"ovsnp.yaml:{line}" for line in (3, 4, 6, 7, 8)
    ]
    assert "write it in the section of that command, not for explain\n" in answer.err
    assert "explain.expect: 'perhaps' is not one of 'allowed', 'denied'\n" in answer.err


@pytest.mark.parametrize(
    ("text", "command", "said"),
    [
        ("lint: 3\n", ("lint",), "ovsnp.yaml:1: lint: is a section; write the options of this command below it"),
        ("lab: {up: 3}\n", ("lab", "up"), "ovsnp.yaml:1: lab.up: is a section; write the options of this command"),
        ("lab: {upp: {}}\n", ("lab", "up"), "ovsnp.yaml:1: lab.upp: there is no such option"),
        ("a: 1\na: 2\nb: 1\nb: 2\n", ("lint",), "ovsnp.yaml:2: a: written twice in one mapping"),
        ("node: yes\n", ("compile",), "ovsnp.yaml:1: node: YAML reads this as true or false; write the word in quotes"),
        ("geneve-class: 70000\n", ("compile",), "ovsnp.yaml:1: geneve-class: 70000 is not in the range 0<=x<=65535"),
        ("geneve-types: 1\n", ("compile",), "ovsnp.yaml:1: geneve-types: "),
    ],
)
def test_mistake_is_told_with_its_key(text: str, command: tuple[str, ...], said: str) -> None:
    assert mistakes(text, *command)[0].startswith(said)


def test_lab_and_mtu_read_the_file() -> None:
    FILE.write_text("encap: vxlan\nmtu: {underlay: 1500}\nlab: {name: nobody-has-this-lab}\n")
    assert ovsnp("mtu").out == "1450\n"
    assert ovsnp("mtu", "--encap", "geneve").out == "1430\n"
    assert ovsnp("lab", "down").out == "there is no lab nobody-has-this-lab; nothing to take away\n"
    FILE.write_text("lab: {down: {nam: x}}\n")
    answer = ovsnp("lab", "down")
    assert (answer.code, answer.out) == (2, "")
    assert answer.err.startswith("ovsnp.yaml:1: lab.down.nam: there is no such option; there are name\n")


def test_paths_are_looked_for_beside_the_file_in_sections_too() -> None:
    assert defaults("lab: {up: {manifests: [a, /b], topo: manifests/cluster.yaml}}\n", "lab", "up") == {
        "filename": ("a", "/b"),
        "topo": "manifests/cluster.yaml",
    }
    folder = Path("elsewhere")
    folder.mkdir()
    (folder / "ovsnp.yaml").write_text("matrix: {manifests: ../manifests, db: 'unix:x'}\n")
    assert ovsnp("matrix", "--config", folder / "ovsnp.yaml").code == 0
