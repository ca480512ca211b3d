"""The CI job of the README works as described, in a repository as the README describes it."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.support.checkout import ROOT

SECTION = (ROOT / "README.md").read_text().partition("\n## In CI\n")[2].partition("\n## ")[0]
FILES = dict(re.findall(r"```[a-z]+\n# (\S+)\n(.*?)```", SECTION, re.DOTALL))
JUNIT = "--junit-xml=network.xml"
JOB = ".github/workflows/network.yaml"
GOLDEN = ROOT / "tests" / "golden"
CASE = GOLDEN / "service-cluster-ip"


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """The repository that the README describes, with a golden case as the policies and as the test case."""
    for path, text in FILES.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    case = tmp_path / "tests" / "cases" / "database"
    case.mkdir(parents=True)
    (case / "ovsnp.yaml").write_text("node: node-1\n")
    shutil.copy(CASE / "flows.txt", case)
    for file in (GOLDEN / "cluster.yaml", CASE / "services.yaml", CASE / "policies.yaml"):
        shutil.copy(file, case)
        shutil.copy(file, tmp_path / "policies")
    (tmp_path / "ovsnp.yaml").write_text("manifests: policies\n")
    (tmp_path / "bin").mkdir()
    for tool in ("ovsnp", "pytest"):
        (tmp_path / "bin" / tool).write_text(f'#!/bin/sh\nexec {sys.executable} -m {tool} "$@"\n')
        (tmp_path / "bin" / tool).chmod(0o755)
    return tmp_path


def run(repository: Path, command: str) -> int:
    environment = {"PATH": f"{repository}/bin:/usr/bin:/bin", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(["/bin/sh", "-c", command], cwd=repository, env=environment, check=False, timeout=120)
    return done.returncode


def commands() -> list[str]:
    """The commands of the job, without the installation."""
    steps = yaml.safe_load(FILES[JOB])["jobs"]["policies"]["steps"]
    return [step["run"] for step in steps if "run" in step and not step["run"].startswith("pip ")]


def test_job_has_three_commands() -> None:
    assert [command.split()[:2] for command in commands()] == [["ovsnp", "lint"], ["ovsnp", "check"], ["pytest", JUNIT]]


def test_every_step_runs(repository: Path) -> None:
    lint, check, pytest_command = commands()
    assert run(repository, lint) in (0, 1)  # the golden case has findings
    assert run(repository, check) == 0
    assert run(repository, pytest_command) == 0
    assert 'tests="1"' in (repository / "network.xml").read_text()


def test_a_wider_policy_fails_the_job(repository: Path) -> None:
    _, check, pytest_command = commands()
    for folder in ("policies", "tests/cases/database"):
        policies = repository / folder / "policies.yaml"
        policies.write_text(policies.read_text().replace("matchLabels: {role: frontend}", ""))
    assert run(repository, check) == 1
    assert run(repository, pytest_command) == 1
