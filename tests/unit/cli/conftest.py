"""A working directory for each test, without an Open vSwitch."""

from pathlib import Path

import pytest

from tests.support.applying import CLUSTER, policy


@pytest.fixture
def workdir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two nodes, their pods and one policy in the folder manifests."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OVS_RUNDIR", str(tmp_path / "no-ovs"))
    (tmp_path / "manifests").mkdir()
    (tmp_path / "manifests" / "cluster.yaml").write_text(CLUSTER)
    (tmp_path / "manifests" / "policy.yaml").write_text(policy("to-db", 80))
    return tmp_path
