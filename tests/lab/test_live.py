"""A lab whose nodes follow a real API server: what kubectl applies and deletes, connections show."""

from pathlib import Path

import pytest

from ovsnp.errors import Exit
from ovsnp.lab import standing
from tests.cluster.control_plane import ControlPlane
from tests.support.lab_commands import SMALL, left_behind, run

pytestmark = pytest.mark.lab

DENY = """\
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: closed, namespace: default}
spec: {podSelector: {}, policyTypes: [Ingress]}
"""


def measured(name: str) -> str:
    standing.find(name).settle()
    tested = run("test", "--name", name)
    assert tested.returncode == 0, tested.stdout
    return tested.stdout


def test_agents_enforce_what_kubectl_applies(control_plane: ControlPlane, name: str, base: Path) -> None:
    control_plane.load(SMALL.parent / "cluster")
    kubeconfig = str(control_plane.kubeconfig)
    built = run("up", "--name", name, "-t", str(SMALL), "--agents", kubeconfig)
    assert built.returncode == 0, built.stderr
    assert "agents, " in built.stdout
    everyone = measured(name)
    control_plane.kubectl("apply", "-f", "-", stdin=DENY)
    assert measured(name) != everyone
    refused = run("apply", "--name", name)
    assert refused.returncode == Exit.USAGE
    assert f"kubectl --kubeconfig {kubeconfig} apply -f FILE" in refused.stderr
    control_plane.kubectl("delete", "networkpolicy", "closed")
    assert measured(name) == everyone
    assert run("down", "--name", name).returncode == 0
    assert left_behind(name, base, ()) == []


def test_agents_take_no_manifests(name: str, tmp_path: Path) -> None:
    file = tmp_path / "policy.yaml"
    file.write_text(DENY)
    refused = run("up", "--name", name, "--agents", str(file), "-f", str(file))
    assert refused.returncode == Exit.USAGE
    assert "leave out -f" in refused.stderr
