"""The wheel contains everything that ovsnp needs, and works without the repository."""

import shutil
import subprocess
import sys
import sysconfig
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from tests.docs.test_ci_job import CASE, FILES, GOLDEN, JOB
from tests.support.checkout import ROOT

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheels")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True, timeout=120)
    (made,) = folder.glob("*.whl")
    return made


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory, wheel: Path) -> Path:
    """A virtual environment with the wheel and the libraries of the tests' own environment."""
    folder = tmp_path_factory.mktemp("installed")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True, timeout=120)
    python = folder / "bin" / "python"
    offline = ["--no-index", "--no-deps", "--quiet", "--disable-pip-version-check"]
    subprocess.run(
        [sys.executable, "-m", "pip", "--python", python, "install", *offline, wheel], check=True, timeout=120
    )
    (packages,) = folder.glob("lib/python3*/site-packages")
    # This does not make the editable ovsnp of that folder importable: Python does not read .pth files there.
    (packages / "libraries.pth").write_text(f"{sysconfig.get_path('purelib')}\n")
    return folder


@pytest.fixture
def run(environment: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs the installed ovsnp in an empty folder."""
    monkeypatch.delenv("PYTHONPATH", raising=False)
    monkeypatch.setenv("OVS_RUNDIR", str(tmp_path / "no-ovs"))

    def run(*arguments: object) -> "subprocess.CompletedProcess[str]":
        command = [environment / "bin" / "ovsnp", *map(str, arguments)]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=120)
        assert "internal error" not in done.stderr
        return done

    return run


def test_wheel_has_templates_the_lab_schemas_and_manual_pages(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    listed = subprocess.run(
        ["git", "ls-files", "templates", "containerlab", "man", "docs/*.schema.json"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    for file in listed.stdout.splitlines():
        folder, _, rest = file.partition("/")
        inside = {"docs": f"ovsnp/schemas/{rest}", "man": f"share/man/man1/{rest}"}.get(folder, f"ovsnp/{file}")
        assert any(name.endswith(inside) for name in names), file


def test_answers_come_from_an_empty_folder(run: Run, tmp_path: Path) -> None:
    for file in (GOLDEN / "cluster.yaml", CASE / "services.yaml", CASE / "policies.yaml"):
        shutil.copy(file, tmp_path)
    flows = run("compile", "-f", ".", "--node", "node-1")
    assert flows.stdout == (CASE / "flows.txt").read_text()
    page = run("matrix", "-f", ".", "-o", "html")
    assert page.returncode == 0
    assert page.stdout.startswith("<!DOCTYPE html>")
    assert run("explain", "-f", ".", "frontend-0", "svc/db", "6379").returncode == 0


def test_shipped_lab_is_found_from_an_empty_folder(run: Run) -> None:
    assert run("lab", "--help").returncode == 0
    assert "\n  -t, --topo" in run("lab", "up", "--help").stdout
    there = run("lab", "up", "--name", "no/name")
    assert "no/name" in there.stderr or "root" in there.stderr


def test_shipped_lab_of_the_wheel_is_whole(environment: Path, tmp_path: Path) -> None:
    code = (
        "from ovsnp.lab.demo import compiled; from ovsnp.lab.shipped import shipped_topology\n"
        "from ovsnp.lab.topology import read; import sys\n"
        "topology = read(shipped_topology()); print(topology.file); sys.stdout.write(compiled(topology))"
    )
    command = [environment / "bin" / "python", "-I", "-c", code]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True, timeout=120)
    file, _, flows = done.stdout.partition("\n")
    assert Path(file).is_relative_to(environment)
    assert flows.startswith("# Flows of bridge br-int, node node-1, geneve tunnel.\n")


def test_ci_job_installs_what_there_is(environment: Path, wheel: Path, tmp_path: Path) -> None:
    steps = yaml.safe_load(FILES[JOB])["jobs"]["policies"]["steps"]
    (install,) = (step["run"] for step in steps if step.get("run", "").startswith("pip "))
    program, verb, *wanted = install.split()
    assert (program, verb, wanted[1:]) == ("pip", "install", ["pytest"])
    shutil.copytree(wheel.parent, tmp_path / Path(wanted[0]).parent)
    (found,) = tmp_path.glob(wanted[0])
    assert found.name == wheel.name
