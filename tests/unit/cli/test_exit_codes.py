"""Exit codes, the streams of messages, and that no user sees a traceback."""

import errno
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import IO

import pytest

from ovsnp.cli import options
from ovsnp.cli.commands import compile as compile_module
from ovsnp.errors import DeclarationError
from ovsnp.yaml_reader import sources
from tests.support.applying import Answer, ovsnp, policy
from tests.support.checkout import ROOT

pytestmark = pytest.mark.usefixtures("workdir")

ENVIRONMENT = {"PYTHONPATH": str(ROOT), "OVS_RUNDIR": os.devnull}
GIVEN = ("-f", "manifests", "--node", "node-1")


def compiled(*arguments: object) -> Answer:
    answer = ovsnp("compile", *GIVEN, *arguments)
    assert "Traceback" not in answer.err
    return answer


def failing(error: BaseException) -> object:
    """A function that raises this error, whatever its arguments."""

    def fail(*_: object, **__: object) -> None:
        raise error

    return fail


def refusing(file: str) -> Callable[..., IO[bytes]]:
    """``open`` for a user who may not read a file."""

    def refuse(path: str, *arguments: str) -> IO[bytes]:
        if path == file:
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)
        return open(path, *arguments)

    return refuse


def test_done_is_0_with_the_flows_on_stdout_and_nothing_on_stderr() -> None:
    answer = compiled()
    assert (answer.code, answer.err) == (0, "")
    assert answer.out.startswith("# Flows of bridge br-int, node node-1, geneve tunnel.\n")


def test_options_that_every_command_has_are_taken() -> None:
    assert compiled("--no-color", "--encap", "GENEVE", "-o", "text") == compiled()


def test_verbose_says_more_on_stderr_and_the_same_on_stdout() -> None:
    answer = compiled("-v")
    assert answer.out == compiled().out
    assert answer.err.startswith("3 pods, 1 policies: ")


@pytest.mark.parametrize(
    "arguments", [("--help",), ("-h",), ("--version",), ("compile", "--help"), ("apply", "-h"), ("lab", "--help")]
)
def test_help_and_version_are_0_on_stdout(arguments: tuple[str, ...]) -> None:
    answer = ovsnp(*arguments)
    assert (answer.code, answer.err) == (0, "")
    assert "ovsnp" in answer.out


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("comple",),
        ("--no-such-option",),
        ("compile", "--no-such-option"),
        ("compile", "stray"),
        ("compile", "-f"),
        ("compile", "-f", "manifests", "--encap", "gre"),
        ("compile", "-f", "manifests", "-o", "xml"),
        ("compile",),
        ("apply",),
    ],
)
def test_usage_is_2_on_stderr(arguments: tuple[str, ...]) -> None:
    answer = ovsnp(*arguments)
    assert (answer.code, answer.out) == (2, "")
    assert answer.err
    assert "Traceback" not in answer.err


@pytest.mark.parametrize(
    ("text", "mentioned"),
    [
        (policy("to-db", 70000), ["policy.yaml:9: NetworkPolicy default/to-db: spec.ingress[0].ports[0].port: "]),
        ("a: [\n", ["policy.yaml:"]),
        (
            policy("one", 0) + "---" + policy("two", 70000),
            ["policy.yaml:9: NetworkPolicy default/one: ", "policy.yaml:18: NetworkPolicy default/two: "],
        ),
        ("kind: NetworkPolicy\nmetadata: {name: x}\n", ["policy.yaml:1: NetworkPolicy default/x: apiVersion: "]),
    ],
)
def test_bad_input_is_3_with_every_mistake_at_its_place_and_nothing_on_stdout(text: str, mentioned: list[str]) -> None:
    Path("manifests/policy.yaml").write_text(text)
    for output in ("text", "json"):
        answer = compiled("-o", output)
        assert (answer.code, answer.out) == (3, "")
        lines = answer.err.splitlines()
        assert len(lines) >= len(mentioned)
        assert lines == sorted(lines, key=lambda line: int(line.split(":")[1]) if line.split(":")[1].isdigit() else 0)
        assert all(any(each in line for line in lines) for each in mentioned)


@pytest.mark.parametrize("path", ["none", "none.yaml"])
def test_manifests_that_cannot_be_read_are_bad_input(path: str) -> None:
    answer = ovsnp("compile", "-f", path)
    assert (answer.code, answer.out) == (3, "")
    assert path in answer.err


@pytest.mark.parametrize("command", ["compile", "apply", "verify", "matrix"])
@pytest.mark.parametrize("text", ["", "# nothing\n", '{"kind": "List", "apiVersion": "v1", "items": []}'])
def test_input_without_a_cluster_is_bad(command: str, text: str) -> None:
    Path("empty.json").write_text(text)
    answer = ovsnp(command, "-f", "empty.json")
    assert (answer.code, answer.out) == (3, "")
    assert answer.err == "empty.json: holds no Node, Pod, workload, Service or NetworkPolicy; name the manifests\n"


@pytest.mark.parametrize(("files", "remedy"), [
    (["chart/Chart.yaml", "chart/values.yaml"], "render it first: helm template charts/chart | ovsnp ... -f -"),
    ([f"{name}/Chart.yaml" for name in "abcd"], "render them first: helm template DIR | ovsnp ... -f -"),
    (["x/kustomization.yaml", "x/Chart.yaml"], "render it first: helm template charts/x | ovsnp ... -f -"),
    (["x/kustomization.yaml"], "build it first: kustomize build charts/x | ovsnp ... -f -"),
    (["values.yaml"], "name the manifests"),
])  # fmt: skip
def test_input_that_must_be_rendered_says_so(files: list[str], remedy: str) -> None:
    for file in files:
        Path("charts", file).parent.mkdir(parents=True, exist_ok=True)
        Path("charts", file).write_text("namePrefix: x\n")
    Path("none").mkdir()
    Path("none/a.yaml").write_text("")
    answer = ovsnp("matrix", "--quiet", "-f", "charts", "-f", "none")
    what = "holds no Node, Pod, workload, Service or NetworkPolicy"
    assert answer.code == 3
    assert answer.err == f"charts: {what}; {remedy}\nnone: {what}; name the manifests\n"


def test_no_switch_is_4() -> None:
    answer = ovsnp("apply", *GIVEN)
    assert (answer.code, answer.out) == (4, "")
    assert "is it running" in answer.err


def test_flow_that_contradicts_the_declaration_is_70(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compile_module, "compile_cluster", failing(DeclarationError("Egress: no such kind")))
    assert compiled() == Answer(70, "", "ovsnp: Egress: no such kind\n")


@pytest.mark.parametrize(
    "error", [RuntimeError("one\ntwo"), KeyError("x"), RecursionError(), MemoryError(), OSError(5)]
)
def test_internal_error_is_70_and_says_what_without_a_traceback(
    monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    monkeypatch.setattr(options, "load", failing(error))
    answer = compiled()
    assert (answer.code, answer.out) == (70, "")
    assert answer.err.startswith(f"ovsnp: internal error, please report it: {type(error).__name__}")


def test_interrupt_is_130_and_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(options, "load", failing(KeyboardInterrupt()))
    answer = compiled()
    assert (answer.code, answer.out) == (130, "")


def test_reader_that_goes_away_gets_no_traceback() -> None:
    command = [sys.executable, "-m", "ovsnp", "compile", "-f", "manifests", "--node", "node-1"]
    root = ROOT
    for index in range(400):
        Path(f"manifests/more-{index}.yaml").write_text(policy(f"more-{index}", 1000 + index))
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={"PYTHONPATH": str(root)}, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.read(1)
        process.stdout.close()
        assert process.stderr.read() == ""
    assert process.returncode == 0


@pytest.mark.parametrize(
    "arguments",
    [
        ("--help",),
        ("explain", "--help"),
        ("explain", "db", "frontend", "80", "-f", "manifests"),
        ("explain", "db", "frontend", "80", "-f", "manifests", "-o", "json"),
        ("verify", "-f", "manifests", "--node", "node-1"),
        ("matrix", "-f", "manifests"),
    ],
)
def test_reader_that_was_never_there_is_no_answer(arguments: tuple[str, ...]) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    root = ROOT
    command = [sys.executable, "-m", "ovsnp", *arguments]
    done = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, env={"PYTHONPATH": str(root)}, check=False)
    os.close(writing)
    assert (done.returncode, done.stderr) == (0, b"")


WRITING = [
    ("compile", "--node", "node-1"),
    ("compile", "--node", "node-1", "-o", "json"),
    ("diff", "--effect", "manifests/cluster.yaml", "manifests"),
    ("explain", "db", "frontend", "80"),
    ("explain", "db", "frontend", "80", "-o", "json"),
    ("verify", "--node", "node-1"),
    ("verify", "--node", "node-1", "-o", "json"),
    *(("matrix", "-o", notation) for notation in ("text", "json", "csv", "dot", "html")),
    *(("lint", "-o", notation) for notation in ("text", "json", "sarif", "github")),
    ("mtu", "--underlay", "1500"),
    ("completion", "bash"),
    ("lab", "down", "--name", "nobody-has-this-lab"),
    ("--help",),
    ("lint", "--help"),
    ("--version",),
]
"""Every command that writes without Open vSwitch, in every format."""


@pytest.mark.parametrize("arguments", WRITING, ids=" ".join)
def test_full_disk_is_74_with_a_sentence(arguments: tuple[str, ...]) -> None:
    Path("ovsnp.yaml").write_text("manifests: manifests\n")
    command = [sys.executable, "-m", "ovsnp", *arguments]
    with open("/dev/full", "w") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, env=ENVIRONMENT, text=True, check=False)
    assert done.returncode == 74
    assert "ovsnp: standard output cannot be written: No space left on device; the output is not whole\n" in done.stderr
    assert "Exception ignored" not in done.stderr


def test_manifests_may_come_by_stdin(workdir: Path) -> None:
    command = [sys.executable, "-m", "ovsnp", "compile", "-f", "-", "-f", "manifests/cluster.yaml", "--node", "node-1"]
    environment = {"PYTHONPATH": str(ROOT), "OVS_RUNDIR": str(workdir / "no-ovs")}
    done = subprocess.run(
        command, input=policy("to-db", 80), env=environment, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == compiled().out


@pytest.mark.parametrize("arguments", ["lint -f -", "check - -f manifests", "diff --effect - manifests"])
def test_closed_stdin_is_bad_input(arguments: str) -> None:
    command = f"exec {sys.executable} -m ovsnp {arguments} <&-"
    done = subprocess.run(["sh", "-c", command], env=ENVIRONMENT, capture_output=True, text=True, check=False)
    message = "-: stdin is closed; pipe the text into it, or name a file\n"
    assert (done.returncode, done.stdout, done.stderr) == (3, "", message)


@pytest.mark.parametrize(("arguments", "message"), [
    (("lint", "-f", "-", "-f", "-"), "stdin can be read once; write -f - once"),
    (("lint", "--config", "twice.yaml"), "stdin can be read once; write -f - once"),
    (("check", "-", "-f", "-"), "stdin cannot hold the manifests and the expectations; name a file for one of the two"),
])  # fmt: skip
def test_stdin_is_read_once(arguments: tuple[str, ...], message: str) -> None:
    Path("twice.yaml").write_text("manifests: ['-', '-']\n")
    answer = ovsnp(*arguments)
    assert (answer.code, answer.err) == (2, f"ovsnp: {message}\n")


@pytest.mark.parametrize("arguments", ["lint -f closed.yaml -f none.yaml", "check closed.yaml none.yaml -f manifests"])
def test_unreadable_is_bad_input_beside_what_is_missing(arguments: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """root may read every file, so the test makes ``open`` fail."""
    Path("closed.yaml").write_text(policy("to-db", 80))
    monkeypatch.setattr(os, "access", lambda *_, **__: False)
    monkeypatch.setattr(sources, "open", refusing("closed.yaml"), raising=False)
    answer = ovsnp(*arguments.split())
    assert (answer.code, answer.err.splitlines()) == (
        3,
        [
            "closed.yaml: cannot be read: permission denied; check the path and its permissions",
            "none.yaml: cannot be read: no such file or directory; check the path and its permissions",
        ],
    )
