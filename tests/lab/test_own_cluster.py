"""A lab of the user's own cluster, measured with real packets."""

import json
from pathlib import Path

import pytest
import yaml

from ovsnp.errors import Exit
from ovsnp.kubernetes.resources import NETWORK_POLICIES
from tests.support.lab_commands import SMALL, left_behind, run
from tests.support.scripted_api import scripted_api

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


def test_lab_of_a_live_cluster_has_its_objects_and_later_its_policies(name: str, tmp_path: Path) -> None:
    kubeconfig = tmp_path / "kubeconfig"
    live = ("--name", name, "--cluster", "--kubeconfig", str(kubeconfig))
    with scripted_api() as server:
        kubeconfig.write_text(server.kubeconfig())
        for file in (Path(CLUSTER), GOLDEN / "ingress-pod-selector" / "policies.yaml"):
            server.put_all(each for each in yaml.safe_load_all(file.read_text()) if each)
        built = run("up", *live)
        assert (built.returncode, built.stderr) == (0, "")
        assert built.stdout.startswith(f"lab {name}: 2 nodes, 7 pods, ")
        assert ", 1 policies\n" in built.stdout
        assert run("test", "--name", name).returncode == 0
        ((namespace, policy),) = server.objects[NETWORK_POLICIES.path]
        server.delete(NETWORK_POLICIES.path, namespace, policy)
        assert run("apply", *live).stdout == f"lab {name}: 0 policies on 2 nodes\n"
    refused = run("apply", *live)
    assert (refused.returncode, refused.stdout) == (Exit.REFUSED, "")


def test_lab_of_a_topology_takes_no_policies_of_a_live_cluster(name: str, tmp_path: Path) -> None:
    kubeconfig = tmp_path / "kubeconfig"
    live = ("--name", name, "--cluster", "--kubeconfig", str(kubeconfig))
    refused = run("up", "-t", str(SMALL), *live)
    assert refused.returncode == Exit.USAGE
    assert "leave out -t, or --cluster" in refused.stderr
    assert run("up", "--name", name, "-t", str(SMALL)).returncode == 0
    with scripted_api() as server:
        kubeconfig.write_text(server.kubeconfig())
        refused = run("apply", *live)
    assert refused.returncode == Exit.USAGE
    assert "ovsnp lab up --cluster" in refused.stderr
