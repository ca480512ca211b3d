"""The pytest plugin: each folder is a case, with manifests, their flows, and the connections that they must allow.

    from ovsnp.pytest_plugin import ovsnp_golden

    test_network = ovsnp_golden("cases/")

If ovsnp is installed, pytest loads this module in every run, so it imports nothing of ovsnp before a case runs.
"""

import contextlib
import io
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

FLOWS = "flows.txt"
CONNECTIVITY = "connectivity.yaml"
_CONFIGURATION = "ovsnp.yaml"
_SUFFIXES = (".yaml", ".yml", ".json")

_UPDATE = "--ovsnp-update"
_WRITTEN = "ovsnp-written"
_SHOWN = 60
"""The number of lines of a difference that are shown."""


class CasePart(NamedTuple):
    """The subject of one test: one file of a case."""

    case: Path
    file: str


class _Run(NamedTuple):
    code: int
    out: str
    err: str


def ovsnp_golden(folder: str) -> Callable[[CasePart, pytest.FixtureRequest], None]:
    """Tests of every case in a folder: it compiles to its flows.txt, and policies and flows meet its connectivity.yaml.

    A case without a connectivity.yaml has the first test only. The folder is relative to that of the test file; each
    folder in it is a case.
    """
    return _tests(
        folder,
        lambda case: [FLOWS, CONNECTIVITY] if (case / CONNECTIVITY).exists() else [FLOWS],
        _test_connectivity_of_flows,
    )


def ovsnp_connectivity(folder: str) -> Callable[[CasePart, pytest.FixtureRequest], None]:
    """Like `ovsnp_golden`, without flows: every case must have a connectivity.yaml, and its policies must meet it."""
    return _tests(folder, lambda _: [CONNECTIVITY], _test_connectivity)


def _tests(
    folder: str, files: Callable[[Path], list[str]], test_connectivity: Callable[[Path], None]
) -> Callable[[CasePart, pytest.FixtureRequest], None]:
    @pytest.mark.ovsnp_cases(folder, files)
    def test(ovsnp_part: CasePart, request: pytest.FixtureRequest) -> None:
        if ovsnp_part.file == FLOWS:
            _test_flows(ovsnp_part.case, request)
        else:
            test_connectivity(ovsnp_part.case)

    return test


def pytest_addoption(parser: pytest.Parser) -> None:
    """The option that writes golden files."""
    group = parser.getgroup("ovsnp", "flows of NetworkPolicies")
    group.addoption(_UPDATE, action="store_true", help=f"write the compiled flows to the {FLOWS} of each case")


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker."""
    config.addinivalue_line("markers", "ovsnp_cases(folder, files): a test for each of these files of each case")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test for each part of each case."""
    marker = metafunc.definition.get_closest_marker("ovsnp_cases")
    if marker is None:
        return
    folder, files = marker.args
    cases = _cases(metafunc.definition.path.parent / folder)
    parts = [CasePart(case, file) for case in cases for file in files(case)]
    metafunc.parametrize("ovsnp_part", parts, ids=[f"{case.name}-{file.partition('.')[0]}" for case, file in parts])


def pytest_terminal_summary(terminalreporter: "pytest.TerminalReporter") -> None:
    """Name the files that were written."""
    # The type above is in quotes, as pytest has this name only since 8.4, and older versions load the plugin too.
    properties = [each for report in terminalreporter.getreports("passed") for each in report.user_properties]
    for path in sorted(str(value) for name, value in properties if name == _WRITTEN):
        terminalreporter.write_line(f"written: {path}")


def _cases(folder: Path) -> list[Path]:
    """The cases in a folder, sorted; a folder without cases is an error, as tests that do not exist cannot fail."""
    if not folder.is_dir():
        raise pytest.Collector.CollectError(f"{_shown(folder)}: there is no such folder of cases")
    found = [each for each in sorted(folder.iterdir()) if each.is_dir() and not each.name.startswith((".", "_"))]
    cases = [each for each in found if any(file.suffix in _SUFFIXES or file.name == FLOWS for file in each.iterdir())]
    if not cases:
        raise pytest.Collector.CollectError(
            f"{_shown(folder)}: holds no case; make a folder in it for each, with manifests and a {FLOWS}"
        )
    return cases


def _test_flows(case: Path, request: pytest.FixtureRequest) -> None:
    run = _ovsnp(case, "compile")
    if run.code:
        pytest.fail(f"{_shown(case)}: does not compile\n{run.err}", pytrace=False)
    golden = case / FLOWS
    written = golden.read_text() if golden.exists() else None
    if written == run.out:
        return
    if request.config.getoption(_UPDATE):
        golden.write_text(run.out)
        request.node.user_properties.append((_WRITTEN, _shown(golden)))
    elif written is None:
        pytest.fail(f"{_shown(golden)}: is missing; write it with pytest {_UPDATE}, and read it", pytrace=False)
    else:
        message = f"{_shown(golden)}: the compiled flows differ; if that is right: pytest {_UPDATE}"
        pytest.fail("\n".join([message, *_difference(written, run.out)]), pytrace=False)


def _test_connectivity_of_flows(case: Path) -> None:
    # Not from flows.txt: another process may be writing it, and another test checks that it is the same.
    compiled = _ovsnp(case, "compile", "-o", "text")
    if compiled.code:
        _test_connectivity(case)
        return
    with tempfile.TemporaryDirectory() as folder:
        flows = Path(folder) / FLOWS
        flows.write_text(compiled.out)
        _test_connectivity(case, "--flows", str(flows))


def _test_connectivity(case: Path, *flows: str) -> None:
    run = _ovsnp(case, "check", CONNECTIVITY, "--no-color", "-o", "text", *flows)
    if run.code:
        pytest.fail(f"{_shown(case)}: not as {CONNECTIVITY} expects\n{run.out}{run.err}", pytrace=False)


def _difference(before: str, after: str) -> Iterator[str]:
    import difflib  # noqa: PLC0415 -- its import takes longer than all other imports here

    lines = [*difflib.unified_diff(before.splitlines(), after.splitlines(), FLOWS, "compiled now", lineterm="", n=1)]
    yield from lines[:_SHOWN]
    if len(lines) > _SHOWN:
        yield f"... and {len(lines) - _SHOWN} more lines"


def _ovsnp(case: Path, *arguments: str) -> _Run:
    """Run the command line in the folder of the case, without an Open vSwitch, as ports would come from it."""
    from ovsnp.cli import main  # noqa: PLC0415 -- most runs of pytest have no cases

    out, err, code = io.StringIO(), io.StringIO(), 0
    with contextlib.chdir(case), pytest.MonkeyPatch.context() as patch:
        patch.setenv("OVS_RUNDIR", os.devnull)
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            try:
                main([*arguments, *_manifests(case)])
            except SystemExit as end:
                code = int(end.code or 0)
    return _Run(code, out.getvalue(), err.getvalue())


def _manifests(case: Path) -> list[str]:
    """The option that names the manifests: all files of the case, unless its configuration names some."""
    from ovsnp.cli.settings_file import read_mapping  # noqa: PLC0415
    from ovsnp.errors import UsageError  # noqa: PLC0415

    with contextlib.suppress(UsageError):  # the command reports it
        if (case / _CONFIGURATION).exists() and "manifests" in read_mapping(case / _CONFIGURATION):
            return []
    return ["-f", "."]


def _shown(path: Path) -> str:
    """A path relative to the current directory."""
    return os.path.relpath(path)
