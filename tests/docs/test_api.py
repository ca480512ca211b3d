"""The public API: names, doctests, and the programs of docs/api.md."""

import ast
import doctest
import importlib
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import ovsnp
from ovsnp.model.cluster import Cluster
from tests.support.checkout import ROOT

CASE = ROOT / "tests" / "golden" / "both-directions"
PROGRAMS = re.findall(r"^```python\n(.*?)^```$", (ROOT / "docs" / "api.md").read_text(), re.MULTILINE | re.DOTALL)
GOLDEN_TEST, GATE, LOOP = PROGRAMS


def imported_for_types() -> dict[str, str]:
    """The module from which type checkers import each name."""
    tree = ast.parse(Path(ovsnp.__file__).read_text())
    (block,) = (each for each in tree.body if isinstance(each, ast.If))
    return {
        alias.name: str(each.module) for each in block.body if isinstance(each, ast.ImportFrom) for alias in each.names
    }


def test_every_name_is_the_one_that_type_checkers_see() -> None:
    homes = imported_for_types()
    assert set(ovsnp.__all__) == {"__version__", *homes}
    for name, module in homes.items():
        assert getattr(ovsnp, name) is getattr(importlib.import_module(module), name)
    assert set(ovsnp.__all__) <= set(dir(ovsnp))


def test_a_name_that_is_not_there_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = ovsnp.nothing


def test_importing_the_package_loads_none_of_its_parts() -> None:
    program = "import sys, ovsnp; print([name for name in sys.modules if name.startswith('ovsnp.')])"
    run = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert run.stdout == "[]\n"


@pytest.mark.parametrize("name", [name for name in ovsnp.__all__ if name != "__version__"])
def test_every_name_says_what_it_is(name: str) -> None:
    thing = getattr(ovsnp, name)
    assert thing.__doc__
    runner = doctest.DocTestRunner()
    for test in doctest.DocTestFinder().find(thing, name, globs={}):
        runner.run(test)
    assert not runner.summarize(verbose=False).failed


def test_some_name_has_a_doctest() -> None:
    found = [test for name in ovsnp.__all__ for test in doctest.DocTestFinder().find(getattr(ovsnp, name), name)]
    assert any(test.examples for test in found)


def test_golden_test_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(CASE)
    program: dict[str, Any] = {}
    exec(GOLDEN_TEST, program)
    program["test_flows_of_node_1"]()


@pytest.mark.parametrize(("manifests", "code"), [(["../cluster.yaml", "policies.yaml"], 0), (["../cluster.yaml"], 1)])
def test_gate_passes_with_the_policy_and_fails_without(manifests: list[str], code: int) -> None:
    run = subprocess.run(
        [sys.executable, "-c", GATE, *manifests],
        cwd=CASE,
        env={"PYTHONPATH": str(ROOT)},
        check=False,
        text=True,
        capture_output=True,
    )
    assert run.returncode == code, run.stderr
    assert ("may connect to default/db" in run.stderr) is (code == 1)


def test_loop_follows_and_survives_a_mistake(capsys: pytest.CaptureFixture[str]) -> None:
    program: dict[str, Any] = {}
    exec(LOOP, program)
    pod = {"kind": "Pod", "apiVersion": "v1", "metadata": {"namespace": "default", "name": "db-0"}}
    pod |= {"spec": {"nodeName": "node-1"}, "status": {"phase": "Running", "podIP": "10.20.1.10"}}
    policy = {"kind": "NetworkPolicy", "apiVersion": "networking.k8s.io/v1", "metadata": pod["metadata"]}
    mistaken = {**policy, "spec": {"podSelektor": {}}}
    mended = {**policy, "spec": {"podSelector": {}}}

    def ports(cluster: Cluster) -> ovsnp.BridgePorts:
        return ovsnp.assume_ports(ovsnp.local_pods(cluster, "node-1"))

    events = [("ADDED", pod), ("ADDED", mistaken), ("MODIFIED", mended), ("DELETED", mended)]
    bundles: list[str] = []
    followed = program["follow"](events, ports, bundles.append)
    assert "podSelektor" in capsys.readouterr().out
    cluster = ovsnp.load_objects([pod])
    assert followed == ovsnp.compile_cluster(cluster, ports(cluster), ovsnp.Options(node="node-1"))
    assert len(bundles) == 3
    assert "flow delete_strict" in bundles[2]
