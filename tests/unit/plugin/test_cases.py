"""The pytest plugin in separate runs of pytest: the tests that pass or fail, and their messages.

These runs are separate processes: pytester would import compiled modules a second time into this one.
"""

import os
import re
import sys
from pathlib import Path
from unittest import mock

import pytest
import yaml  # noqa: F401 -- pytester forgets what a test imports, and yaml cannot be imported twice

from tests.support.applying import CLUSTER, ovsnp, policy

pytest_plugins = ["pytester"]

TESTS = """
from ovsnp.pytest_plugin import ovsnp_connectivity, ovsnp_golden

test_network = ovsnp_golden("cases")
"""
CONFIGURATION = "node: node-1\n"
MET = "- {from: [frontend, remote], to: db, port: 80, expect: allowed}\n"


@pytest.fixture
def project(pytester: pytest.Pytester) -> pytest.Pytester:
    """A test file, and beside it two cases without flows yet: one with expectations, one with another port."""
    pytester.makepyfile(test_network=TESTS)
    pytester.makeini("[pytest]\naddopts = -p no:hypothesispytest -p no:cacheprovider")
    for case, port in (("first", 80), ("second", 81)):
        folder = pytester.path / "cases" / case
        folder.mkdir(parents=True)
        (folder / "cluster.yaml").write_text(CLUSTER)
        (folder / "policy.yaml").write_text(policy("to-db", port))
        (folder / "ovsnp.yaml").write_text(CONFIGURATION)
    (pytester.path / "cases" / "first" / "connectivity.yaml").write_text(MET)
    return pytester


@pytest.fixture
def written(project: pytest.Pytester) -> pytest.Pytester:
    """The same, with the flows of the cases."""
    for name in ("first", "second"):
        (case(project, name) / "flows.txt").write_text(compiled(case(project, name)))
    return project


def compiled(folder: Path) -> str:
    """The output of the command line for a case."""
    given = ("-f", folder / "cluster.yaml", "-f", folder / "policy.yaml", "--node", "node-1")
    with mock.patch.dict(os.environ, {"OVS_RUNDIR": os.devnull}):
        answer = ovsnp("compile", *given)
    assert answer.code == 0, answer
    return answer.out


def case(project: pytest.Pytester, name: str) -> Path:
    return project.path / "cases" / name


def test_flows_that_are_missing_fail_until_they_are_written(project: pytest.Pytester) -> None:
    result = project.runpytest_subprocess()
    result.assert_outcomes(passed=1, failed=2)
    result.stdout.fnmatch_lines(["cases/first/flows.txt: is missing; write it with pytest --ovsnp-update, and read it"])
    assert not (case(project, "first") / "flows.txt").exists()
    update = project.runpytest_subprocess("--ovsnp-update")
    update.assert_outcomes(passed=3)
    update.stdout.fnmatch_lines(["written: cases/first/flows.txt", "written: cases/second/flows.txt"])
    assert (case(project, "first") / "flows.txt").read_text() == compiled(case(project, "first"))
    project.runpytest_subprocess().assert_outcomes(passed=3)


def test_tests_are_named_by_case_and_part(written: pytest.Pytester) -> None:
    result = written.runpytest_subprocess("-v", "-k", "first")
    result.assert_outcomes(passed=2, deselected=1)
    result.stdout.fnmatch_lines(
        [
            "test_network.py::test_network[[]first-flows[]] PASSED*",
            "test_network.py::test_network[[]first-connectivity[]] PASSED*",
        ]
    )


def test_other_flows_fail_with_the_difference(written: pytest.Pytester) -> None:
    (case(written, "second") / "policy.yaml").write_text(policy("to-db", 443))
    result = written.runpytest_subprocess()
    result.assert_outcomes(passed=2, failed=1)
    result.stdout.fnmatch_lines(
        [
            "cases/second/flows.txt: the compiled flows differ; if that is right: pytest --ovsnp-update",
            "--- flows.txt",
            "+++ compiled now",
            "-flow add *tp_dst=81 *",
            "+flow add *tp_dst=443 *",
        ]
    )
    again = written.runpytest_subprocess("--ovsnp-update")
    again.assert_outcomes(passed=3)
    assert [line for line in again.outlines if line.startswith("written: ")] == ["written: cases/second/flows.txt"]
    written.runpytest_subprocess().assert_outcomes(passed=3)


def test_long_difference_is_cut(written: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI", raising=False)  # in CI, pytest's summary repeats the difference
    flows = case(written, "first") / "flows.txt"
    flows.write_text("".join(f"line {number}\n" for number in range(500)))
    result = written.runpytest_subprocess()
    result.assert_outcomes(passed=2, failed=1)
    result.stdout.fnmatch_lines(["... and * more lines"])
    assert len(result.outlines) < 100


def test_expectation_that_is_not_met_fails_with_the_reasons(written: pytest.Pytester) -> None:
    (case(written, "first") / "connectivity.yaml").write_text(MET + MET.replace("80", "81"))
    result = written.runpytest_subprocess()
    result.assert_outcomes(passed=2, failed=1)
    result.stdout.fnmatch_lines(
        [
            "cases/first: not as connectivity.yaml expects",
            "connectivity.yaml:2: expected allowed, but it is denied",
            "  DENIED  default/frontend to default/db, 81/tcp",
            "        default/to-db ingress[[]0[]] matches all but the port  *policy.yaml:*",
            "4 expectations, 2 not met",
        ]
    )


def test_expectation_that_flows_do_not_meet_fails_where_there_are_flows(written: pytest.Pytester) -> None:
    nobody = "- {from: frontend, to: 10.20.1.77, port: 80, expect: allowed}\n"
    (case(written, "first") / "connectivity.yaml").write_text(nobody)
    result = written.runpytest_subprocess()
    result.assert_outcomes(passed=2, failed=1)
    result.stdout.fnmatch_lines(
        [
            "connectivity.yaml:1: expected allowed, but the flows drop it, in Forward",
            "  ALLOWED  default/frontend to 10.20.1.77, *",
        ]
    )
    written.makepyfile(test_network=TESTS.replace("= ovsnp_golden", "= ovsnp_connectivity"))
    written.runpytest_subprocess("-k", "first").assert_outcomes(passed=1, deselected=1)


@pytest.mark.parametrize("option", [(), ("--ovsnp-update",), ("-n", "2")])
def test_bad_manifest_is_told_without_a_traceback_and_nothing_written(
    written: pytest.Pytester, option: tuple[str, ...]
) -> None:
    before = (case(written, "second") / "flows.txt").read_text()
    (case(written, "second") / "policy.yaml").write_text(policy("to-db", 70000))
    result = written.runpytest_subprocess(*option)
    result.assert_outcomes(passed=2, failed=1)
    result.stdout.fnmatch_lines(
        [
            "cases/second: does not compile",
            "./policy.yaml:9: NetworkPolicy default/to-db: spec.ingress[[]0[]].ports[[]0[]].port: *",
        ]
    )
    result.stdout.no_fnmatch_line("*Traceback*")
    result.stdout.no_fnmatch_line("*pytest_plugin.py*")
    assert (case(written, "second") / "flows.txt").read_text() == before


@pytest.mark.parametrize(("name", "text", "said"), [
    ("ovsnp.yaml", "nod: node-1\n", "ovsnp.yaml:1: nod: there is no such option; there are *"),
    ("ovsnp.yaml", "", "ovsnp: ovsnp.yaml: holds no mapping of names to values; write NAME: VALUE lines"),
    ("connectivity.yaml", "- {from: db, to: dbb, expect: allowed}\n",
     "connectivity.yaml:1: [[]0[]].to: there is no pod default/dbb *"),
    ("connectivity.yaml", "", "connectivity.yaml: holds no expectations; *"),
])  # fmt: skip
def test_other_mistakes_are_told(written: pytest.Pytester, name: str, text: str, said: str) -> None:
    (case(written, "first") / name).write_text(text)
    result = written.runpytest_subprocess("-k", "first")
    assert result.ret == 1
    result.stdout.fnmatch_lines([said])
    result.stdout.no_fnmatch_line("*Traceback*")


def test_workers_share_the_cases(written: pytest.Pytester) -> None:
    (case(written, "second") / "policy.yaml").write_text(policy("to-db", 443))
    written.runpytest_subprocess("-n", "2").assert_outcomes(passed=2, failed=1)
    update = written.runpytest_subprocess("-n", "2", "--ovsnp-update")
    update.assert_outcomes(passed=3)
    update.stdout.fnmatch_lines(["written: cases/second/flows.txt"])
    written.runpytest_subprocess("-n", "2").assert_outcomes(passed=3)


def test_cases_are_found_beside_the_tests_wherever_pytest_runs(written: pytest.Pytester) -> None:
    below = written.mkdir("elsewhere")
    written.chdir()
    result = written.runpytest_subprocess("--rootdir", str(below), str(written.path / "test_network.py"))
    result.assert_outcomes(passed=3)


def test_configuration_may_name_manifests_that_cases_share(written: pytest.Pytester) -> None:
    (case(written, "first") / "cluster.yaml").rename(written.path / "cases" / "cluster.yaml")
    (case(written, "first") / "ovsnp.yaml").write_text("manifests: [../cluster.yaml, policy.yaml]\nnode: node-1\n")
    written.runpytest_subprocess().assert_outcomes(passed=3)


def test_configuration_of_the_working_directory_is_not_the_cases(written: pytest.Pytester) -> None:
    (written.path / "ovsnp.yaml").write_text("manifests: nowhere\nnode: node-7\nencap: vxlan\n")
    written.runpytest_subprocess().assert_outcomes(passed=3)


def test_open_vswitch_of_this_machine_is_not_asked(written: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    (written.path / "db.sock").touch()
    monkeypatch.setenv("OVS_RUNDIR", str(written.path))
    refused = written.run(
        sys.executable, "-m", "ovsnp", "compile", "--config", "cases/first/ovsnp.yaml", "-f", "cases/first"
    )
    assert refused.ret == 4
    written.runpytest_subprocess().assert_outcomes(passed=3)


def test_connectivity_alone_needs_no_flows_but_its_file(project: pytest.Pytester) -> None:
    project.makepyfile(test_network=TESTS.replace("= ovsnp_golden", "= ovsnp_connectivity"))
    result = project.runpytest_subprocess()
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(
        ["cases/second: not as connectivity.yaml expects", "connectivity.yaml: cannot be read: *"]
    )


@pytest.mark.parametrize(
    ("folders", "said"),
    [
        ([], "cases: there is no such folder of cases"),
        (["cases", "cases/.hidden", "cases/_shared", "cases/empty"], "cases: holds no case; *"),
    ],
)
def test_no_case_is_an_error(pytester: pytest.Pytester, folders: list[str], said: str) -> None:
    pytester.makepyfile(test_network=TESTS)
    for folder in folders:
        (pytester.path / folder).mkdir()
        if folder != "cases" and not folder.endswith("empty"):
            (pytester.path / folder / "policy.yaml").write_text(CONFIGURATION)
    result = pytester.runpytest_subprocess()
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines([f"*{said}"])
    result.stdout.no_fnmatch_line("*Traceback*")


def test_who_does_not_use_it_pays_nothing(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import sys

        def test_nothing_is_imported():
            heavy = {"ovsnp", "click", "yaml", "msgspec"}
            assert {name for name in sys.modules if name.split(".")[0] in heavy} == {"ovsnp", "ovsnp.pytest_plugin"}
        """
    )
    result = pytester.runpytest_subprocess("--strict-markers", "-W", "error")
    result.assert_outcomes(passed=1)


def test_it_is_part_of_the_package(pytester: pytest.Pytester) -> None:
    result = pytester.runpytest_subprocess("--help")
    result.stdout.fnmatch_lines(["*--ovsnp-update*"])
    assert re.search(r"@pytest\.mark\.ovsnp_cases", pytester.runpytest_subprocess("--markers").stdout.str())


def test_pytest_before_8_4_loads_it(pytester: pytest.Pytester) -> None:
    line = "import pytest; vars(pytest).pop('TerminalReporter', None); import ovsnp.pytest_plugin"
    assert pytester.run(sys.executable, "-c", line).ret == 0
