"""A lab of the user's own cluster, measured with real packets."""

import json
from pathlib import Path

import pytest

from tests.support.lab_commands import left_behind, run

pytestmark = pytest.mark.lab

GOLDEN = Path(__file__).parents[1] / "golden"
CLUSTER = str(GOLDEN / "cluster.yaml")
CASES = {
    "blocks": ["egress-ip-block/policies.yaml", "ingress-ip-block/policies.yaml"],
    "selectors": ["and-or-peers/policies.yaml", "ingress-pod-selector/policies.yaml"],
}


@pytest.mark.parametrize("case", CASES)
def test_own_cluster_does_what_its_policies_say(name: str, base: Path, case: str) -> None:
    files = [word for file in CASES[case] for word in ("-f", str(GOLDEN / file))]
    built = run("up", "--name", name, "-f", CLUSTER, *files)
    assert (built.returncode, built.stderr) == (0, "")
    assert built.stdout.startswith(f"lab {name}: 2 nodes, 7 pods, ")
    measured = run("test", "--name", name, "-o", "json")
    document = json.loads(measured.stdout)
    assert (measured.returncode, document["failed"]) == (0, 0), [c for c in document["cells"] if not c["passed"]]
    verdicts = {(cell["allowed"], cell["outcome"]) for cell in document["cells"]}
    assert {allowed for allowed, _ in verdicts} == {True, False}
    assert run("down", "--name", name).returncode == 0
    assert left_behind(name, base, ["pod1", "br-phy"]) == []


def test_dual_stack_with_few_pods_says_what_is_left_out(name: str) -> None:
    case = GOLDEN / "dual-stack"
    built = run("up", "--name", name, "--most-pods", "2", "-f", str(case))
    assert built.returncode == 0, built.stderr
    assert "pods; --most-pods takes more\n" in built.stderr
    measured = run("test", "--name", name, "-o", "json")
    document = json.loads(measured.stdout)
    assert (measured.returncode, document["failed"]) == (0, 0)
    assert any(":" in cell["sourceAddress"] for cell in document["cells"])


def test_policies_of_the_whole_cluster_may_be_applied(name: str) -> None:
    first = GOLDEN / "ingress-pod-selector" / "policies.yaml"
    assert run("up", "--name", name, "-f", CLUSTER, "-f", str(first)).returncode == 0
    applied = run("apply", "--name", name, "-f", CLUSTER, "-f", str(GOLDEN / "default-deny" / "policies.yaml"))
    assert (applied.returncode, applied.stderr) == (0, "")
    assert run("test", "--name", name).returncode == 0
    assert run("apply", "--name", name).stdout == f"lab {name}: 0 policies on 2 nodes\n"
