"""The answers of `check` to expectations: the oracle's verdict for every combination, and exit codes."""

import json
from pathlib import Path

import pytest

from tests.support.applying import ovsnp
from tests.unit.analysis.check.conftest import Checked, validate


@pytest.mark.parametrize(
    ("entry", "expect"),
    [
        ("{from: frontend, to: db, port: 80", "allowed"),
        ("{from: [frontend, remote], to: [db], port: 80/tcp", "allowed"),
        ("{from: frontend, to: db, port: 81", "denied"),
        ("{from: frontend, to: db, port: [81, 80/udp]", "denied"),
        ("{from: frontend, to: db, port: icmp", "denied"),
        ("{from: 203.0.113.7, to: db, port: 80", "denied"),
        ("{from: node/node-2, to: db, port: 81", "allowed"),
        ("{from: frontend, to: svc/db, port: redis", "allowed"),
        ("{from: frontend, to: svc/default/db, port: 81", "denied"),
        ("{from: frontend, to: db, port: 80, family: IPv4", "allowed"),
    ],
)
def test_each_is_met_or_not(checked: Checked, entry: str, expect: str) -> None:
    other = {"allowed": "denied", "denied": "allowed"}[expect]
    met, unmet = checked(f"- {entry}, expect: {expect}}}"), checked(f"- {entry}, expect: {other}}}")
    assert (met.code, met.out) == (0, "")
    assert met.err.splitlines()[-1] in ("1 expectation met", "2 expectations met")
    assert unmet.code == 1
    assert unmet.err.endswith(" not met\n")
    assert unmet.out.startswith(f"expected.yaml:1: expected {other}, but it is {expect}\n  {expect.upper()}  ")


def test_mixed_meets_neither(checked: Checked) -> None:
    for expect in ("allowed", "denied"):
        answer = checked(f"- {{from: frontend, to: svc/db, expect: {expect}}}")
        assert answer.code == 1
        assert answer.out.startswith(f"expected.yaml:1: expected {expect}, but it is mixed\n")


def test_every_combination_is_a_question_of_its_own(checked: Checked) -> None:
    answer = checked(
        "- from: [frontend, remote, node/node-1]\n  to: [db, svc/db]\n  port: [80, 81]\n  expect: denied\n"
    )
    assert answer.code == 1
    assert answer.err == "12 expectations, 5 not met\n"
    told = [line for line in answer.out.splitlines() if line.startswith("  ALLOWED")]
    assert told == [
        "  ALLOWED  default/frontend to default/db, 80/tcp",
        "  ALLOWED  default/remote to default/db, 80/tcp",
        "  ALLOWED  node/node-1 to default/db, 80/tcp",
        "  ALLOWED  node/node-1 to default/db, 81/tcp",
        "  ALLOWED  node/node-1 to svc/default/db, 81/tcp",
    ]


def test_strict_nodes_and_the_configuration_count(checked: Checked) -> None:
    entry = "- {from: node/node-2, to: db, port: 81, expect: denied}"
    assert checked(entry).code == 1
    assert checked(entry, "--strict-nodes").code == 0
    Path("ovsnp.yaml").write_text("manifests: manifests\nstrict-nodes: true\n")
    assert ovsnp("check", "expected.yaml").code == 0


def test_several_files_are_judged_in_their_order(checked: Checked) -> None:
    Path("second.yaml").write_text("# wrong\n- {from: db, to: frontend, port: 80, expect: denied}\n")
    answer = checked("- {from: remote, to: db, port: 81, expect: allowed}\n", "second.yaml")
    assert answer.code == 1
    assert [line.partition(": ")[0] for line in answer.out.splitlines() if line[0] != " "] == [
        "expected.yaml:1",
        "second.yaml:2",
    ]


def test_json_is_as_its_schema_says(checked: Checked) -> None:
    text = (
        "- {from: frontend, to: db, port: [80, 81], expect: allowed}\n"
        "- {from: db, to: 192.0.2.1, port: icmp, expect: allowed}\n"
    )
    answer = checked(text, "-o", "json")
    assert (answer.code, answer.err) == (1, "")
    document = json.loads(answer.out)
    validate(document)
    assert document["unmet"] == 1
    assert [each["met"] for each in document["expectations"]] == [True, False, True]
    assert [each["line"] for each in document["expectations"]] == [1, 1, 2]
    unmet = document["expectations"][1]
    assert (unmet["from"], unmet["to"], unmet["port"]) == ("default/frontend", "default/db", "81")
    explained = ovsnp("explain", "-f", "manifests", "frontend", "db", "81", "-o", "json")
    assert unmet["explanation"] == json.loads(explained.out)


def test_notes_stand_beside_their_entry_and_may_be_silenced(checked: Checked) -> None:
    text = (
        "- {from: [frontend, remote], to: 10.20.1.77, port: icmp, expect: allowed}\n"
        "- {from: db, to: svc/db, expect: denied}\n"
    )
    notes = checked(text).err.splitlines()
    assert notes[:-1] == [
        "expected.yaml:1: note: 10.20.1.77 lies in 10.20.1.0/24, the pod CIDR of node-1, but no pod has it"
        " (nearest: 10.20.1.11 of default/frontend, 10.20.1.10 of default/db, 10.20.2.11 of default/remote):"
        " judged as an outsider's",
        "expected.yaml:2: note: no PORT: asked of every port of svc/default/db",
    ]
    assert checked(text, "--quiet").err == ""


def test_expectations_beside_the_manifests_are_none_of_them(checked: Checked) -> None:
    Path("manifests/connectivity.yaml").write_text("- {from: frontend, to: db, port: 80, expect: allowed}\n")
    Path("manifests/ovsnp.yaml").write_text("node: node-1\n")
    assert ovsnp("check", "manifests/connectivity.yaml", "-f", "manifests").code == 0
    assert ovsnp("compile", "-f", "manifests", "--node", "node-1").code == 0


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("connectivity.yaml", "- {kind: NetworkPolicy, expect: allowed}\n"),
        ("connectivity.yaml", "- {expect: allowed}\n- {kind: NetworkPolicy}\n"),
        ("ovsnp.yaml", "kind: NetworkPolicy\n"),
        ("ovsnp.yaml", "spec: {}\n"),
        ("other.yaml", "metadata: {name: x}\nspec: {}\n"),
    ],
)
def test_what_might_be_a_policy_is_not_passed_over(checked: Checked, name: str, text: str) -> None:
    checked("[]")
    Path("manifests", name).write_text(text)
    answer = ovsnp("compile", "-f", "manifests", "--node", "node-1")
    assert answer.code == 3
    assert answer.err.startswith(f"manifests/{name}:1: ")


def test_expectations_that_are_named_as_manifests_are_a_mistake(checked: Checked) -> None:
    checked("- {from: frontend, to: db, port: 80, expect: allowed}\n")
    answer = ovsnp("compile", "-f", "expected.yaml", "-f", "manifests", "--node", "node-1")
    assert answer.code == 3
    assert "expected.yaml:1: must be a Kubernetes object, not a list" in answer.err
