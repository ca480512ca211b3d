"""The manifests with which the agent is deployed."""

from pathlib import Path
from typing import Any

import yaml

from tests.cluster.control_plane import ControlPlane
from tests.support.checkout import ROOT

DEPLOY = ROOT / "deploy"


def manifest(name: str) -> dict[str, Any]:
    """One object of deploy/."""
    return dict(yaml.safe_load(Path(DEPLOY, name).read_text(encoding="utf-8")))


def install_kind(control_plane: ControlPlane) -> None:
    """Have the API server know NodePolicyStatus, and no object of this kind."""
    control_plane.kubectl("apply", "-f", str(DEPLOY / "crd.yaml"))
    control_plane.kubectl("wait", "--for=condition=Established", "-f", str(DEPLOY / "crd.yaml"), "--timeout=60s")
    control_plane.kubectl("delete", "nodepolicystatuses", "--all")
