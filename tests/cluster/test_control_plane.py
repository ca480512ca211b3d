"""The control plane that other tests use: it is a real one, and can be ended and started again."""

import http.client
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.cluster.building import ASSETS_VARIABLE, HERE
from tests.cluster.client import ApiError, Client
from tests.cluster.control_plane import ControlPlane, KubectlError
from tests.cluster.daemon import LOOPBACK, PATIENCE
from tests.support.checkout import ROOT

CONFIG_MAPS = "/api/v1/namespaces/default/configmaps"
READS_PODS = {"apiGroups": [""], "resources": ["pods"], "verbs": ["list", "watch"]}


def config_map(name: str) -> dict[str, object]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}}


def names(control_plane: ControlPlane) -> list[str]:
    return [each["metadata"]["name"] for each in control_plane.client.get(CONFIG_MAPS)["items"]]


def test_server_and_client_have_the_version_of_go_mod(control_plane: ControlPlane) -> None:
    versions = json.loads(control_plane.kubectl("version", "--output=json"))
    server, client = (versions[end]["gitVersion"] for end in ("serverVersion", "clientVersion"))
    assert server == client
    if not os.environ.get(ASSETS_VARIABLE):
        assert re.search(rf"^\s*k8s\.io/kubernetes {server} ", (HERE / "go.mod").read_text(), re.MULTILINE)


def test_a_watch_sees_a_new_object(control_plane: ControlPlane) -> None:
    command = control_plane.kubectl_command("get", "configmaps", "--watch", "--output=name")
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as watch:
        try:
            control_plane.client.post(CONFIG_MAPS, config_map("new"))
            assert watch.stdout
            assert watch.stdout.readline() == "configmap/new\n"
        finally:
            watch.kill()


@pytest.mark.parametrize("part", ["api_server", "etcd"])
@pytest.mark.parametrize("way", ["kill", "stop"])
def test_a_restart_keeps_data_and_access(control_plane: ControlPlane, part: str, way: str) -> None:
    control_plane.client.post(CONFIG_MAPS, config_map("kept"))
    access = (control_plane.url, control_plane.kubeconfig.read_text())
    daemon = getattr(control_plane, part)
    getattr(daemon, way)()
    assert daemon.pid is None
    control_plane.start()
    assert (control_plane.url, control_plane.kubeconfig.read_text()) == access
    assert control_plane.kubectl("get", "configmaps", "--output=name") == "configmap/kept\n"


def test_nobody_gets_the_port_of_a_killed_api_server(control_plane: ControlPlane) -> None:
    control_plane.api_server.kill()
    with pytest.raises(ConnectionRefusedError):
        control_plane.client.get("/readyz")
    with socket.socket() as other, pytest.raises(OSError, match="in use"):
        other.bind((LOOPBACK, control_plane.port))


def test_a_paused_api_server_does_not_answer(control_plane: ControlPlane) -> None:
    control_plane.api_server.pause()
    with socket.create_connection((LOOPBACK, control_plane.port)) as connection:
        connection.settimeout(0.2)
        connection.sendall(b"GET / HTTP/1.1\r\n\r\n")
        with pytest.raises(TimeoutError):
            connection.recv(1)
        control_plane.api_server.resume()
        connection.settimeout(PATIENCE)
        assert connection.recv(1)


def test_rbac_forbids_what_no_rule_allows(control_plane: ControlPlane) -> None:
    kubeconfig = control_plane.service_account("reader", [READS_PODS])
    as_reader = ("--kubeconfig", str(kubeconfig))
    assert control_plane.kubectl("get", "pods", *as_reader) == ""
    with pytest.raises(KubectlError, match="nodes is forbidden"):
        control_plane.kubectl("get", "nodes", *as_reader)


def test_a_stranger_is_refused(control_plane: ControlPlane) -> None:
    stranger = Client(control_plane.port, control_plane.authority, "stranger")
    with pytest.raises(ApiError) as refused:
        stranger.get("/api/v1/pods")
    assert refused.value.code == http.client.UNAUTHORIZED


def test_after_compaction_a_new_api_server_has_forgotten(control_plane: ControlPlane) -> None:
    old = control_plane.client.get(CONFIG_MAPS)["metadata"]["resourceVersion"]
    control_plane.client.post(CONFIG_MAPS, config_map("newer"))
    control_plane.compact()
    control_plane.api_server.kill()
    control_plane.api_server.start()
    with pytest.raises(ApiError) as refused:
        control_plane.client.get(f"{CONFIG_MAPS}?resourceVersion={old}&resourceVersionMatch=Exact")
    assert refused.value.code == http.client.GONE


def test_data_can_be_restored(control_plane: ControlPlane, tmp_path: Path) -> None:
    control_plane.client.post(CONFIG_MAPS, config_map("saved"))
    control_plane.save_data(tmp_path / "data")
    control_plane.client.post(CONFIG_MAPS, config_map("later"))
    assert names(control_plane) == ["later", "saved"]
    control_plane.restore_data(tmp_path / "data")
    assert names(control_plane) == ["saved"]


def test_processes_end_with_a_killed_test_process(control_plane: ControlPlane) -> None:
    del control_plane  # the fixture skips the test if the programs are missing
    started = [sys.executable, "-m", "tests.cluster", "run"]
    with subprocess.Popen(started, cwd=ROOT, stdout=subprocess.PIPE, text=True) as owner:
        assert owner.stdout
        kubeconfig = Path(owner.stdout.readline().partition("=")[2].strip())
        children = [int(pid) for pid in Path(f"/proc/{owner.pid}/task/{owner.pid}/children").read_text().split()]
        owner.send_signal(signal.SIGKILL)
    assert kubeconfig.is_file()
    assert len(children) == 2
    deadline = time.monotonic() + PATIENCE
    while any(Path(f"/proc/{pid}/cmdline").exists() and Path(f"/proc/{pid}/cmdline").read_bytes() for pid in children):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    shutil.rmtree(kubeconfig.parent)
