"""Runs `check` on a file of expectations."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tests.support.applying import CLUSTER, Answer, ovsnp, policy
from tests.support.checkout import ROOT

Checked = Callable[..., Answer]

DOCS = ROOT / "docs"
SERVICE = """---
apiVersion: v1
kind: Service
metadata: {name: db}
spec:
  clusterIP: 10.96.0.1
  selector: {role: db}
  ports: [{name: redis, port: 6379, targetPort: 80}, {name: web, port: 81}]
"""


@pytest.fixture
def checked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Checked:
    """Run `check` on expectations about two nodes, three pods, a Service, and a policy that admits frontends on 80."""
    monkeypatch.chdir(tmp_path)
    Path("manifests").mkdir()
    Path("manifests/cluster.yaml").write_text(CLUSTER + SERVICE)
    Path("manifests/policy.yaml").write_text(policy("to-db", 80))

    def check(text: str, *arguments: object) -> Answer:
        Path("expected.yaml").write_text(text)
        answer = ovsnp("check", "expected.yaml", "-f", "manifests", *arguments)
        assert "Traceback" not in answer.err
        return answer

    return check


def validate(document: Any) -> None:
    """Validate the output of `check -o json` against its schema."""
    jsonschema.Draft202012Validator(json.loads((DOCS / "check.schema.json").read_text())).validate(document)
