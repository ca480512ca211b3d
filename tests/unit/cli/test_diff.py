"""``ovsnp diff --effect``: input, output and exit codes."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from tests.support.applying import Answer, ovsnp, policy
from tests.support.checkout import ROOT

SCHEMA = json.loads((ROOT / "docs" / "diff-effect.schema.json").read_text())
FRONTENDS = "podSelector: {matchLabels: {role: frontend}}"
SERVICE = """
kind: Service
apiVersion: v1
metadata: {name: db}
spec: {clusterIP: 10.96.0.1, selector: {role: db}, ports: [{port: 81}]}
"""
OTHER_PORT = [
    "+ default/role=frontend -> default/role=db  81/tcp   (default/to-db ingress[0])",
    "- default/role=frontend -> default/role=db  80/tcp   (no longer default/to-db ingress[0])",
]

pytestmark = pytest.mark.usefixtures("workdir")


@pytest.fixture(autouse=True)
def sides(workdir: Path) -> None:
    """Policies before and after a change."""
    (workdir / "old.yaml").write_text(policy("to-db", 80))
    (workdir / "new.yaml").write_text(policy("to-db", 81))


def effect(*arguments: object, common: str = "manifests/cluster.yaml") -> Answer:
    answer = ovsnp("diff", "-f", common, "--effect", *arguments)
    assert "Traceback" not in answer.err
    return answer


def test_difference_is_1_and_a_line_for_each_gain_and_loss() -> None:
    answer = effect("old.yaml", "new.yaml")
    assert (answer.code, answer.out.splitlines(), answer.err) == (1, OTHER_PORT, "")


def test_no_difference_is_0_and_nothing() -> None:
    assert effect("old.yaml", "old.yaml") == Answer(0, "", "")


def test_sides_may_be_whole_clusters_in_directories() -> None:
    Path("after").mkdir()
    for name, file in (("cluster", "manifests/cluster.yaml"), ("policy", "new.yaml")):
        Path(f"after/{name}.yaml").write_text(Path(file).read_text())
    answer = ovsnp("diff", "--effect", "manifests", "after")
    assert (answer.code, answer.out.splitlines()) == (1, OTHER_PORT)


def test_manifests_of_the_configuration_are_neither_side() -> None:
    Path("ovsnp.yaml").write_text("manifests: manifests\n")  # they have the policy that NEW lacks
    answer = ovsnp("diff", "--effect", "manifests", "manifests/cluster.yaml")
    assert answer.code == 1
    assert "no longer isolated for ingress by default/to-db" in answer.out


def test_options_of_the_configuration_count() -> None:
    Path("ovsnp.yaml").write_text("strict-nodes: true\n")
    Path("new.yaml").write_text(policy("to-db", 80).replace(FRONTENDS, "ipBlock: {cidr: 192.168.50.2/32}"))
    assert "node/node-2" in effect("old.yaml", "new.yaml").out
    Path("ovsnp.yaml").write_text("{}\n")
    assert "node/node-2" not in effect("old.yaml", "new.yaml").out


def test_json_says_the_same_by_its_schema() -> None:
    Path("new.yaml").write_text(f"{policy('to-db', 81)}---\n{SERVICE}")
    answer = effect("old.yaml", "new.yaml", "-o", "json")
    found = json.loads(answer.out)
    Draft202012Validator(SCHEMA).validate(found)
    assert answer.code == 1
    assert [(each["sources"]["text"], each["ports"]["text"]) for each in found["gained"]] == [
        ("default/role=frontend", "81/tcp")
    ]
    assert [each["reasons"][0]["gone"] for each in found["lost"]] == [True]
    assert [(each["service"], each["port"]) for each in found["services"]["gained"]] == [("default/db", "81/tcp")]
    same = effect("old.yaml", "old.yaml", "-o", "json")
    Draft202012Validator(SCHEMA).validate(json.loads(same.out))
    assert (same.code, json.loads(same.out)["differences"]) == (0, False)


def test_mistakes_of_both_sides_are_told_at_once() -> None:
    Path("old.yaml").write_text(policy("to-db", 70000))
    Path("new.yaml").write_text(policy("to-db", 70001))
    answer = effect("old.yaml", "new.yaml")
    assert (answer.code, answer.out) == (3, "")
    assert "old.yaml" in answer.err
    assert "new.yaml" in answer.err


@pytest.mark.parametrize("arguments", [("old.yaml",), ("-", "-"), ("old.yaml", "new.yaml", "old.yaml")])
def test_usage_is_2(arguments: tuple[str, ...]) -> None:
    assert effect(*arguments).code == 2


def test_sides_without_pods_say_nothing_of_connections() -> None:
    answer = ovsnp("diff", "--effect", "old.yaml", "new.yaml")
    assert (answer.code, answer.out) == (2, "")
    assert "name the cluster's objects with -f" in answer.err


def test_ports_file_is_not_for_diff() -> None:
    assert effect("old.yaml", "new.yaml", "--ports", "ports.yaml").code == 2


def test_one_side_may_be_stdin() -> None:
    command = [sys.executable, "-m", "ovsnp", "diff", "-f", "manifests/cluster.yaml", "--effect", "old.yaml", "-"]
    given = Path("new.yaml").read_text()
    done = subprocess.run(
        command, input=given, env={"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False, timeout=60
    )
    assert (done.returncode, done.stdout.splitlines()) == (1, OTHER_PORT)


@pytest.mark.parametrize(
    ("arguments", "environment", "coloured"),
    [((), {}, True), (("--no-color",), {}, False), ((), {"NO_COLOR": "1"}, False)],
)
def test_colour_only_where_it_is_wanted(
    arguments: tuple[str, ...], environment: dict[str, str], coloured: bool
) -> None:
    command = [sys.executable, "-m", "ovsnp", "diff", "-f", "manifests/cluster.yaml"]
    command += ["--effect", "old.yaml", "new.yaml", *arguments]
    reader, writer = os.openpty()
    given = {"PYTHONPATH": str(ROOT), "TERM": "xterm-256color", **environment}
    done = subprocess.run(command, env=given, stdout=writer, check=False, timeout=60)
    os.close(writer)
    assert done.returncode == 1
    assert ("\x1b[32m+ " in os.read(reader, 65536).decode()) is coloured
    os.close(reader)
