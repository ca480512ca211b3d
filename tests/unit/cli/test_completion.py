"""Completion in real shells; a shell that is not installed is skipped by name."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from threading import Event

import pytest
from click.shell_completion import ShellComplete

from ovsnp.analysis.naming.roster import Roster
from ovsnp.cli import COMMANDS, candidates
from ovsnp.cli import ovsnp as command_line
from ovsnp.compiler import load
from tests.support.applying import CLUSTER, ovsnp, policy
from tests.support.checkout import ROOT

BLOCK = "ipBlock: {cidr: 192.0.2.0/24}"
PLANNED_WORKLOAD = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: cart, namespace: shop}
spec:
  selector: {matchLabels: {app: cart}}
  template: {metadata: {labels: {app: cart}}, spec: {containers: [{name: main}]}}
"""
PLANNED_SERVICE = """
apiVersion: v1
kind: Service
metadata: {name: cart, namespace: shop}
spec: {selector: {app: cart}, ports: [{port: 80}]}
"""
ASKED_IN_BASH = """
eval "$(ovsnp completion bash)"
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
[[ $(complete -p ovsnp) == *" -F "* ]] || exit 9
compopt() { printf 'files\\n'; }  # only a completion that readline asks for may set options
_ovsnp_completion ovsnp
printf '%s\\n' "${COMPREPLY[@]}"
"""


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with ovsnp as a program of the PATH, and with an invalid configuration."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "ovsnp").write_text(f"#!{sys.executable}\nfrom ovsnp.cli import main\n\nmain()\n")
    (tmp_path / "ovsnp").chmod(0o755)
    (tmp_path / "ovsnp.yaml").write_text("nonsense: true\n")
    return tmp_path


def run(path: Path, *command: str, **more: str) -> str:
    """The output of a command that finds ovsnp in this folder."""
    environment = {"PATH": f"{path}:/usr/bin:/bin", "PYTHONPATH": str(ROOT), "HOME": str(path), **more}
    if not shutil.which(command[0], path=environment["PATH"]):
        pytest.skip(f"{command[0]} is not installed")
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True, timeout=60)
    assert done.stderr == ""
    return done.stdout


def in_bash(path: Path, *words: str) -> list[str]:
    """The words that bash offers for the last word."""
    return run(path, "bash", "--norc", "-c", ASKED_IN_BASH, "bash", *words).split()


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (("ovsnp", ""), sorted(COMMANDS)),
        (("ovsnp", "com"), ["compile", "completion"]),
        (("ovsnp", "--v"), ["--version"]),
        (("ovsnp", "compile", "--str"), ["--strict-nodes"]),
        (("ovsnp", "compile", "--encap", ""), ["geneve", "vxlan"]),
        (("ovsnp", "explain", "a", "b", "--expect", "al"), ["allowed"]),
        (("ovsnp", "lint", "--fail-on", ""), ["error", "notice", "warning"]),
        (("ovsnp", "lab", "d"), ["demo", "down"]),
        (("ovsnp", "lab", "up", "--ru"), ["--runtime"]),
        (("ovsnp", "completion", ""), ["bash", "fish", "zsh"]),
        (("ovsnp", "compile", "-f", "man"), ["files"]),
        (("ovsnp", "check", "conn"), ["files"]),
        (("ovsnp", "apply", "--config", ""), ["files"]),
    ],
)
def test_bash(path: Path, words: tuple[str, ...], offered: list[str]) -> None:
    assert sorted(in_bash(path, *words)) == offered


@pytest.fixture
def cluster(path: Path) -> Path:
    """The same folder, with manifests in its configuration."""
    (path / "cluster.yaml").write_text(CLUSTER)
    (path / "ovsnp.yaml").write_text("manifests: cluster.yaml\n")
    return path


NAMES = [
    (("ovsnp", "compile", "--node", ""), ["node-1", "node-2"]),
    (
        ("ovsnp", "explain", "d"),
        ["db", "default/", "default/db", "default/frontend", "default/frontend[+1]", "default/remote"],
    ),
    (("ovsnp", "explain", "db", "default/r"), ["default/remote"]),
    (("ovsnp", "trace", "node/"), ["node/node-1", "node/node-2"]),
    (("ovsnp", "trace", "db", "n"), ["node/node-1", "node/node-2", "nodes"]),
    (("ovsnp", "matrix", "--from", "front"), ["frontend"]),
    (("ovsnp", "lint", "--ignore", "un"), ["unisolated-pod", "unknown-port-name", "unused-ignore"]),
]


@pytest.mark.parametrize(("words", "offered"), NAMES)
def test_names_of_the_manifests_are_offered(cluster: Path, words: tuple[str, ...], offered: list[str]) -> None:
    assert sorted(in_bash(cluster, *words)) == offered


def test_workloads_of_the_manifests_are_offered(cluster: Path) -> None:
    (cluster / "cluster.yaml").write_text(
        "{apiVersion: v1, kind: Pod, metadata: {name: cart-1, namespace: shop, ownerReferences:"
        " [{kind: Deployment, name: cart, controller: true}]}, status: {phase: Running, podIPs: [{ip: 10.20.1.9}]}}"
    )
    assert in_bash(cluster, "ovsnp", "explain", "dep") == ["deployment/shop/cart"]
    assert in_bash(cluster, "ovsnp", "explain", "shop/cart-1", "dep") == ["deployment/shop/cart"]


def test_rows_of_the_matrix_are_offered(cluster: Path) -> None:
    with (cluster / "cluster.yaml").open("a") as file:
        file.write("---" + policy("only", 80).replace("podSelector: {matchLabels: {role: frontend}}", BLOCK))
    assert in_bash(cluster, "ovsnp", "explain", "out") == ["outside/0.0.0.0/0", "outside/192.0.2.0/24"]


def test_of_manifests_from_git_commands_about_policies_offer_what_will_be(cluster: Path) -> None:
    (cluster / "cluster.yaml").write_text("---\n".join((PLANNED_WORKLOAD, PLANNED_SERVICE)))
    offered = ["deployment/shop/cart", "outside/0.0.0.0/0", "shop/", "shop/cart", "svc/shop/cart"]
    for words in (("explain", "shop/cart"), ("matrix", "--to")):
        assert sorted(in_bash(cluster, "ovsnp", *words, "")) == offered
    assert in_bash(cluster, "ovsnp", "explain", "svc") == []
    assert in_bash(cluster, "ovsnp", "trace", "") == in_bash(cluster, "ovsnp", "trace", "shop/cart", "") == []


def test_without_node_objects_the_nodes_that_pods_name_are_offered(cluster: Path) -> None:
    (cluster / "cluster.yaml").write_text("---".join(part for part in CLUSTER.split("---") if "kind: Pod" in part))
    assert in_bash(cluster, "ovsnp", "compile", "--node", "") == ["node-1", "node-2"]


@pytest.mark.parametrize(
    "words", [["explain", "db"], ["matrix", "--to"], ["trace"], ["compile", "--node"]], ids=" ".join
)
def test_manifests_are_read_once(cluster: Path, monkeypatch: pytest.MonkeyPatch, words: list[str]) -> None:
    read = []
    monkeypatch.setattr(candidates, "load", lambda *given, **more: (read.append(given), load(*given, **more))[1])
    assert ShellComplete(command_line, {}, "ovsnp", "_OVSNP_COMPLETE").get_completions(words, "")
    assert len(read) == 1


def test_what_is_found_in_time_is_offered(cluster: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def slow(roster: Roster) -> Iterator[str]:
        yield "default/db"
        Event().wait()

    monkeypatch.setattr(candidates, "PATIENCE", 0.5)
    monkeypatch.setattr(Roster, "sources", slow)
    (found,) = ShellComplete(command_line, {}, "ovsnp", "_OVSNP_COMPLETE").get_completions(["explain"], "")
    assert found.value == "default/db"


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_every_shell_is_offered_nodes(cluster: Path, shell: str) -> None:
    words = {"COMP_WORDS": "ovsnp compile -f cluster.yaml --node n", "COMP_CWORD": "n" if shell == "fish" else "5"}
    offered = run(cluster, "ovsnp", _OVSNP_COMPLETE=f"{shell}_complete", **words)
    assert {"node-1", "node-2"} <= set(offered.replace(",", "\n").split("\n"))


@pytest.mark.parametrize("text", ["a: [", "kind: NetworkPolicy", "manifests: nowhere", ""])
def test_manifests_that_are_wrong_offer_nothing_and_say_nothing(cluster: Path, text: str) -> None:
    (cluster / "cluster.yaml").write_text(text)
    assert in_bash(cluster, "ovsnp", "compile", "--node", "") == []


def test_manifests_that_never_come_offer_nothing(cluster: Path) -> None:
    os.mkfifo(cluster / "pipe")
    assert in_bash(cluster, "ovsnp", "compile", "-f", "pipe", "--node", "") == []
    assert in_bash(cluster, "ovsnp", "compile", "-f", "-", "--node", "") == []


def test_fish(path: Path) -> None:
    offered = run(path, "fish", "--no-config", "-c", 'ovsnp completion fish | source; complete -C "ovsnp com"')
    assert [line.split("\t") for line in offered.splitlines()] == [
        [name, COMMANDS[name].partition(",")[0]]  # click's script for fish shows the text before a comma
        for name in ("compile", "completion")
    ]


def test_zsh(path: Path) -> None:
    script = 'autoload -U compinit; compinit -u; eval "$(ovsnp completion zsh)"; print $_comps[ovsnp]'
    assert run(path, "zsh", "-f", "-c", script) == "_ovsnp_completion\n"


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_every_shell_is_answered(path: Path, shell: str) -> None:
    words = {"COMP_WORDS": "ovsnp lab d", "COMP_CWORD": "d" if shell == "fish" else "2"}
    offered = run(path, "ovsnp", _OVSNP_COMPLETE=f"{shell}_complete", **words)
    assert {"demo", "down"} <= set(offered.replace(",", "\n").replace("\t", "\n").split("\n"))
    assert ovsnp("completion", shell).out.strip() in run(path, "ovsnp", _OVSNP_COMPLETE=f"{shell}_source")


def test_commands_are_offered_without_importing_them(path: Path) -> None:
    said = run(path, sys.executable, "-c", "import sys; from ovsnp.cli import ovsnp; import click;"
               "names = [each.value for each in ovsnp.shell_complete(click.Context(ovsnp), '')];"
               "print(names == list(ovsnp.list_commands(None)), 'ovsnp.cli.commands.lab' in sys.modules)")  # fmt: skip
    assert said == "True False\n"


def test_other_shells_are_a_usage_error() -> None:
    answer = ovsnp("completion", "tcsh")
    assert (answer.code, answer.out) == (2, "")
    assert "'bash', 'zsh', 'fish'" in answer.err
