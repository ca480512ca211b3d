"""The manifests with which the agent is deployed."""

from pathlib import Path
from typing import Any

import yaml

from tests.support.checkout import ROOT

DEPLOY = ROOT / "deploy"


def manifest(name: str) -> dict[str, Any]:
    """One object of deploy/."""
    return dict(yaml.safe_load(Path(DEPLOY, name).read_text(encoding="utf-8")))
