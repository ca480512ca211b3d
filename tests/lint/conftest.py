"""Runs `ovsnp lint` on one policy."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.applying import CLUSTER, Answer, ovsnp


@pytest.fixture
def lint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Answer]:
    """A function that lints a cluster and a policy in a directory of the test."""
    monkeypatch.chdir(tmp_path)

    def lint(text: str, *arguments: str) -> Answer:
        Path("cluster.yaml").write_text(CLUSTER)
        Path("policy.yaml").write_text(text)
        return ovsnp("lint", "-f", "cluster.yaml", "-f", "policy.yaml", *arguments)

    return lint
