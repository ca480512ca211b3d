"""The output of ``lab test`` for a standing lab, and two labs at the same time."""

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from ovsnp.lab import standing
from ovsnp.lab.journal import LabDirectory
from tests.support.lab_commands import SHIPPED, SMALL, run

pytestmark = pytest.mark.lab

DENY = """\
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: deny, namespace: default}
spec:
  podSelector: {matchLabels: {app: b}}
  policyTypes: [Ingress]
"""


def up(name: str) -> None:
    done = run("up", "-t", str(SMALL), "--name", name)
    assert done.returncode == 0, done.stderr


def flows(base: Path, name: str, *words: str) -> None:
    environment = {**os.environ, "OVS_RUNDIR": str(LabDirectory(name, base).ovs_directory("node-1"))}
    subprocess.run(["ovs-ofctl", "-O", "OpenFlow15", *words], env=environment, check=True)


def test_a_lab_without_policy_passes_and_says_how_many(name: str) -> None:
    up(name)
    done = run("test", "--name", name)
    assert (done.returncode, done.stderr) == (0, "")
    grid, last = done.stdout.splitlines()[:6], done.stdout.splitlines()[-1]
    assert grid == [
        "80/tcp, 53/udp, icmp",
        "               12 3 4",
        " 1 default/a    + + +",
        " 2 default/b   +  + +",
        " 3 node/node-1 ++",
        " 4 away        ++",
    ]
    assert last == "42 passed, 0 failed"
    assert "\x1b" not in done.stdout


def test_policies_are_applied_and_measured(name: str, tmp_path: Path) -> None:
    policy = tmp_path / "deny.yaml"
    policy.write_text(DENY)
    up(name)
    assert run("apply", "--name", name, "-f", str(policy)).returncode == 0
    done = run("test", "--name", name)
    assert done.returncode == 0
    assert done.stdout.splitlines()[2:6] == [
        " 1 default/a    . + +",
        " 2 default/b   +  + +",
        " 3 node/node-1 ++",
        " 4 away        +.",
    ]


def test_flows_that_drop_what_is_allowed_are_found(name: str, base: Path) -> None:
    up(name)
    flows(base, name, "add-flow", "br-int", "table=0,priority=65535,tcp,nw_dst=10.20.1.12,tp_dst=80,actions=drop")
    done = run("test", "--name", name)
    assert done.returncode == 1
    assert "FAILED default/a (10.20.1.11) to default/b (10.20.1.12) 80/tcp: must connect, but: silence" in done.stdout
    assert done.stdout.endswith("\n38 passed, 4 failed\n")


def test_flows_that_let_pass_what_is_denied_are_found_in_json_too(name: str, base: Path, tmp_path: Path) -> None:
    policy = tmp_path / "deny.yaml"
    policy.write_text(DENY)
    up(name)
    lab = standing.find(name)
    lab.settings = msgspec.structs.replace(lab.settings, manifests=(str(policy),))
    lab.directory.save(lab.settings)
    done = run("test", "--name", name, "-o", "json")
    assert done.returncode == 1
    answer = json.loads(done.stdout)
    wrong = [cell for cell in answer["cells"] if not cell["passed"]]
    assert (answer["lab"], answer["failed"], len(wrong)) == (name, 6, 6)
    assert {cell["source"] for cell in wrong} == {"default/a", "away"}
    assert {(cell["destination"], cell["allowed"], cell["outcome"]) for cell in wrong} == {
        ("default/b", False, "connected")
    }


@pytest.fixture
def other(name: str, base: Path) -> Iterator[str]:
    made = f"{name}-two"
    yield made
    if LabDirectory(made, base).exists:
        standing.down(made)


def test_two_labs_stand_side_by_side(name: str, other: str) -> None:
    up(name)
    up(other)
    assert run("test", "--name", name).returncode == 0
    assert run("test", "--name", other).returncode == 0
    assert run("down", "--name", name).returncode == 0
    assert run("test", "--name", other).returncode == 0


def test_a_lab_that_is_not_there_cannot_be_tested(name: str) -> None:
    done = run("test", "--name", name)
    assert done.returncode == 2
    assert f"there is no lab {name}; build it with: ovsnp lab up --name {name}" in done.stderr


def test_the_demo_shows_what_each_policy_changes_and_leaves_nothing(name: str, base: Path) -> None:
    demo = [*run("demo", "-t", str(SHIPPED), "--name", name).stdout.splitlines()]
    databases = "default/db-1, default/db-2"
    assert [line for line in demo if line.startswith("  ") and " reach " in line] == [
        f"  6379/tcp: all but default/frontend-1, default/frontend-2, the nodes no longer reach {databases}",
        f"  80/tcp: all but the nodes no longer reach {databases}",
        f"  6379/tcp: myproject/* now reach {databases}",
        f"  6379/tcp, 80/tcp over IPv4: {databases} no longer reach anyone but the nodes, host-39",
        f"  6379/tcp, 80/tcp over IPv6: {databases} no longer reach anyone but the nodes",
        f"  6379/tcp, 80/tcp: {databases} now reach default/web-1, default/web-2",
    ]
    assert sum(line.endswith(" passed, 0 failed") for line in demo) == 5
    assert demo[-1] == f"lab {name} is gone"
    assert not (base / name).exists()
