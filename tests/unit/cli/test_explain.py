"""``ovsnp explain`` on the command line: exit codes, streams, colour."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.applying import Answer, ovsnp, policy
from tests.support.checkout import ROOT

pytestmark = pytest.mark.usefixtures("workdir")


def explained(*arguments: object) -> Answer:
    answer = ovsnp("explain", "-f", "manifests", *arguments)
    assert "Traceback" not in answer.err
    return answer


def test_either_answer_is_0_and_no_node_need_be_named() -> None:
    allowed, denied = explained("frontend", "db", "80"), explained("remote", "db", "81")
    assert (allowed.code, denied.code) == (0, 0)
    assert allowed.out.startswith("ALLOWED  default/frontend to default/db, 80/tcp\n")
    assert denied.out.startswith("DENIED  default/remote to default/db, 81/tcp\n")
    assert (allowed.err, denied.err) == ("", "")


@pytest.mark.parametrize(
    ("port", "expect", "code"), [("80", "allowed", 0), ("80", "denied", 1), ("81", "allowed", 1), ("81", "denied", 0)]
)
def test_expectation_that_is_not_met_is_1(port: str, expect: str, code: int) -> None:
    for output in ("text", "json"):
        answer = explained("frontend", "db", port, "--expect", expect, "-o", output)
        assert (answer.code, bool(answer.err)) == (code, code == 1)
        assert answer.out == explained("frontend", "db", port, "-o", output).out


def test_mixed_answer_meets_no_expectation() -> None:
    Path("manifests/service.yaml").write_text(
        "{apiVersion: v1, kind: Service, metadata: {name: db}, spec: {clusterIP: 10.96.0.1, selector: {role: db},"
        " ports: [{name: a, port: 80}, {name: b, port: 81}]}}"
    )
    for expect in ("allowed", "denied"):
        assert explained("frontend", "svc/db", "--expect", expect).code == 1
    assert explained("frontend", "svc/db", "a", "--expect", "allowed").code == 0
    assert json.loads(explained("frontend", "svc/db", "-o", "json").out)["verdict"] == "mixed"


def test_without_port_some_allowed_ports_meet_no_expectation() -> None:
    answer = explained("frontend", "db")
    assert (answer.code, answer.err) == (0, "")
    assert answer.out.splitlines()[:2] == [
        "ALLOWED  default/frontend to default/db, 80/tcp",
        "DENIED   default/frontend to default/db, all other ports",
    ]
    for expect in ("allowed", "denied"):
        assert explained("frontend", "db", "--expect", expect).code == 1
    assert explained("frontend", "remote", "--expect", "allowed").code == 0
    assert explained("192.0.2.1", "db", "--expect", "denied").code == 0
    assert json.loads(explained("frontend", "db", "-o", "json").out)["openings"][0]["verdict"] == "mixed"


@pytest.mark.parametrize(
    "arguments",
    [
        ("nobody",),
        ("node/node-1",),
        ("frontend", "--ipv6"),
        ("frontend", "--expect", "allowed"),
        ("nobody", "db", "80"),
        ("frontend", "db", "htp"),
        ("frontend", "db", "80", "--expect", "maybe"),
    ],
)
def test_usage_is_2(arguments: tuple[str, ...]) -> None:
    answer = explained(*arguments)
    assert (answer.code, answer.out) == (2, "")


def test_one_argument_is_all_about_a_pod() -> None:
    answer = explained("db")
    assert (answer.code, answer.err) == (0, "")
    assert answer.out.startswith("default/db\n  on node-1, 10.20.1.10\n")
    assert explained("10.20.1.10").out == answer.out
    assert json.loads(explained("db", "-o", "json").out)["pod"] == "default/db"


@pytest.mark.parametrize("arguments", [("proxy",), ("proxy", "db"), ("db", "proxy", "80")])
def test_pod_of_the_hosts_network_is_its_node(arguments: tuple[str, ...]) -> None:
    Path("manifests/proxy.yaml").write_text(
        "{apiVersion: v1, kind: Pod, metadata: {name: proxy}, spec: {nodeName: node-2, hostNetwork: true},"
        " status: {phase: Running, podIPs: [{ip: 192.168.50.2}]}}"
    )
    answer = explained(*arguments)
    assert (answer.code, answer.out) == (2, "")
    expected = "pod default/proxy is hostNetwork: policies treat it as node/node-2; use that name"
    assert answer.err == f"ovsnp: {expected}\n"


def test_pod_that_has_ended_is_nobody() -> None:
    Path("manifests/job.yaml").write_text(
        "{apiVersion: v1, kind: Pod, metadata: {name: job}, status: {phase: Succeeded, podIPs: [{ip: 10.20.1.77}]}}"
    )
    answer = explained("job", "db", "80")
    assert (answer.code, answer.out) == (2, "")
    assert answer.err == "ovsnp: pod default/job has ended, so policies do not know it; name a pod that runs\n"


def test_node_that_is_not_there_is_2() -> None:
    assert explained("frontend", "db", "80", "--node", "nowhere").code == 2


def test_bad_input_is_3() -> None:
    Path("manifests/policy.yaml").write_text(policy("to-db", 70000))
    assert explained("frontend", "db", "80").code == 3


def test_strict_nodes_counts() -> None:
    assert explained("node/node-2", "db", "81", "--expect", "allowed").code == 0
    assert explained("node/node-2", "db", "81", "--expect", "denied", "--strict-nodes").code == 0


def test_notes_are_not_among_the_answer_and_may_be_silenced() -> None:
    asked = "10.20.1.99", "db", "80"
    loud, quiet = explained(*asked), explained(*asked, "--quiet")
    assert loud.out == quiet.out
    assert loud.err.startswith("note: 10.20.1.99 lies in 10.20.1.0/24, the pod CIDR of node-1, ")
    assert quiet.err == ""


def test_options_of_its_own_may_stand_in_the_configuration_but_not_its_arguments() -> None:
    Path("ovsnp.yaml").write_text("manifests: manifests\nexpect: denied\n")
    assert ovsnp("explain", "frontend", "db", "80").code == 1
    Path("ovsnp.yaml").write_text("manifests: manifests\nsource: frontend\n")
    answer = ovsnp("explain", "frontend", "db", "80")
    assert answer.code == 2
    assert "ovsnp.yaml:2: source: there is no such option" in answer.err


def test_lines_of_what_came_by_stdin(workdir: Path) -> None:
    given = (workdir / "manifests" / "cluster.yaml").read_text() + "---\n" + policy("to-db", 80).lstrip()
    command = [sys.executable, "-m", "ovsnp", "explain", "-f", "-", "frontend", "db", "80"]
    environment = {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, input=given, env=environment, capture_output=True, text=True, check=True)
    lines = given.splitlines()
    (rule,) = (line for line in done.stdout.splitlines() if "peer pods role=frontend" in line)
    assert "from:" in lines[int(rule.rpartition("-:")[2]) - 1]


@pytest.mark.parametrize(
    ("arguments", "environment", "coloured"),
    [((), {}, True), (("--no-color",), {}, False), ((), {"NO_COLOR": "1"}, False)],
)
def test_colour_only_where_it_is_wanted(
    workdir: Path, arguments: tuple[str, ...], environment: dict[str, str], coloured: bool
) -> None:
    command = [sys.executable, "-m", "ovsnp", "explain", "-f", "manifests", "frontend", "db", "80", *arguments]
    root = {"PYTHONPATH": str(ROOT), "TERM": "xterm-256color"}
    reader, writer = os.openpty()
    subprocess.run(command, env={**root, **environment}, stdout=writer, check=True, timeout=60)
    os.close(writer)
    assert ("\x1b[1;32m" in os.read(reader, 65536).decode()) is coloured
    os.close(reader)


@pytest.mark.parametrize("port", ["-1", "-17/udp"])
def test_negative_port_is_no_option(port: str) -> None:
    answer = explained("frontend", "db", port)
    assert (answer.code, answer.out) == (2, "")
    assert answer.err == f"ovsnp: '{port}' is no port; write a number from 1 to 65535, or a port's name\n"


def test_both_families_exclude_each_other() -> None:
    answer = explained("frontend", "db", "80", "--ipv4", "--ipv6")
    assert (answer.code, answer.out) == (2, "")
    assert answer.err.startswith("ovsnp: --ipv4 and --ipv6 exclude each other; without both, every family")


def test_family_of_the_command_line_goes_before_that_of_the_configuration() -> None:
    Path("ovsnp.yaml").write_text("manifests: manifests\nexplain: {ipv6: true}\n")
    assert "has no IPv6 address" in ovsnp("explain", "frontend", "db", "80").err
    assert ovsnp("explain", "frontend", "db", "80", "--ipv4").code == 0
