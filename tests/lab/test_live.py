"""A lab whose nodes follow an API server: what is applied and deleted, connections show.

A machine without a real API server, as the one with the kernel datapath, has at least the stand-in.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import pytest
import yaml

from bench.api_history import Change
from bench.api_server import ApiServer
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
DEFAULT_NAMESPACE = """\
apiVersion: v1
kind: Namespace
metadata: {name: default, labels: {kubernetes.io/metadata.name: default}}
"""
"""Every real API server has this namespace."""

CLUSTER = SMALL.parent / "cluster"


class LiveCluster(Protocol):
    """An API server with the objects of the small lab, and a kubeconfig for it."""

    kubeconfig: Path

    def apply(self, text: str) -> None:
        """Add an object."""

    def delete(self, text: str) -> None:
        """Delete the object."""


class RealCluster:
    """kube-apiserver, and kubectl."""

    def __init__(self, control_plane: ControlPlane) -> None:
        control_plane.load(CLUSTER)
        self.kubeconfig = control_plane.kubeconfig
        self._kubectl = control_plane.kubectl

    def apply(self, text: str) -> None:
        self._kubectl("apply", "-f", "-", stdin=text)

    def delete(self, text: str) -> None:
        self._kubectl("delete", "-f", "-", stdin=text)


class StandInCluster:
    """The stand-in for the API server."""

    def __init__(self, server: ApiServer, directory: Path) -> None:
        self.kubeconfig = server.write_kubeconfig(directory)
        self._server = server
        self._change("ADDED", DEFAULT_NAMESPACE)
        for file in sorted(CLUSTER.iterdir()):
            self._change("ADDED", file.read_text(encoding="utf-8"))

    def apply(self, text: str) -> None:
        self._change("ADDED", text)

    def delete(self, text: str) -> None:
        self._change("DELETED", text)

    def _change(self, change: str, text: str) -> None:
        for item in yaml.safe_load_all(text):
            self._server.history.change(Change(change, item))


@pytest.fixture(params=["kube-apiserver", "stand-in"])
def live_cluster(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[LiveCluster]:
    if request.param == "stand-in":
        with ApiServer({}) as server:
            yield StandInCluster(server, tmp_path)
    else:
        yield RealCluster(request.getfixturevalue("control_plane"))


def measured(name: str) -> str:
    standing.find(name).settle()
    tested = run("test", "--name", name)
    assert tested.returncode == 0, tested.stdout
    return tested.stdout


def test_agents_enforce_what_the_api_server_has(live_cluster: LiveCluster, name: str, base: Path) -> None:
    kubeconfig = str(live_cluster.kubeconfig)
    built = run("up", "--name", name, "-t", str(SMALL), "--agents", kubeconfig)
    assert built.returncode == 0, built.stderr
    assert "agents, " in built.stdout
    everyone = measured(name)
    live_cluster.apply(DENY)
    assert measured(name) != everyone
    refused = run("apply", "--name", name)
    assert refused.returncode == Exit.USAGE
    assert f"kubectl --kubeconfig {kubeconfig} apply -f FILE" in refused.stderr
    live_cluster.delete(DENY)
    assert measured(name) == everyone
    assert run("down", "--name", name).returncode == 0
    assert left_behind(name, base, ()) == []


def test_agents_take_no_manifests(name: str, tmp_path: Path) -> None:
    file = tmp_path / "policy.yaml"
    file.write_text(DENY)
    refused = run("up", "--name", name, "--agents", str(file), "-f", str(file))
    assert refused.returncode == Exit.USAGE
    assert "leave out -f" in refused.stderr
