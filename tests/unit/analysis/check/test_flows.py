"""`check --flows`: flows that were changed by hand fail the expectations that they break, and no others."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.applying import Answer, ovsnp
from tests.unit.analysis.check.conftest import Checked, validate

Asked = Callable[..., Answer]

ALLOWED = "- {from: [frontend, remote, node/node-1, node/node-2], to: db, port: 80, expect: allowed}\n"
DENIED = "- {from: [frontend, remote, 203.0.113.7], to: db, port: 81, expect: denied}\n"
SERVED = "- {from: [frontend, remote], to: svc/db, port: 6379, expect: allowed}\n"
LEAVING = "- {from: db, to: [frontend, remote, node/node-1, 192.0.2.1], port: 443, expect: allowed}\n"
ALL = ALLOWED + DENIED + SERVED + LEAVING
DROP = "table=150,priority=100,reg2=0xf62ba440 actions=drop"


@pytest.fixture
def asked(checked: Checked, monkeypatch: pytest.MonkeyPatch) -> Asked:
    """Run `check` on expectations and on the flows of a node, in which ``new`` replaces ``old``."""
    monkeypatch.setenv("OVS_RUNDIR", os.devnull)

    def ask(text: str, *arguments: object, old: str = "", new: str = "", node: str = "node-1") -> Answer:
        compiled = ovsnp("compile", "-f", "manifests", "--node", node).out
        assert not old or old in compiled
        Path("flows.txt").write_text(compiled.replace(old, new) if old else compiled)
        return checked(text, "--flows", "flows.txt", "--node", node, *arguments)

    return ask


def heads(answer: Answer) -> list[str]:
    """The lines about expectations that are not met, then the lines about their packets."""
    said = [line for line in answer.out.splitlines() if line.startswith("expected.yaml:")]
    return [*said, *(line.strip() for line in answer.out.splitlines() if ", by the " in line)]


def test_flows_that_are_right_meet_what_the_policies_allow(asked: Asked) -> None:
    for node, silent in (("node-1", 0), ("node-2", 9)):
        answer = asked(ALL, node=node)
        assert (answer.code, answer.out) == (0, "")
        said = answer.err.splitlines()
        assert said[-1] == "13 expectations met"
        assert said[:-1] == ([f"in {silent} of 13 connections the flows of this node have no say"] if silent else [])


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        ("priority=1032,ip,nw_src=10.20.2.11 actions", "priority=1032,ip,nw_src=10.20.2.99 actions", [
            "expected.yaml:1: expected allowed, but the flows drop it, in IngressRule",
            "expected.yaml:3: expected allowed, but the flows drop it, in IngressRule",
            "default/remote to default/db, 80/tcp, by the tunnel of node/node-2",
            "default/remote to svc/default/db, 6379/tcp, by the tunnel of node/node-2, given default/db at port 80",
        ]),
        (DROP, DROP.replace("drop", "goto_table:160"), [
            *["expected.yaml:2: expected denied, but the flows let it pass"] * 3,
            "default/frontend to default/db, 81/tcp, by the port of default/frontend",
            "default/remote to default/db, 81/tcp, by the tunnel of node/node-2",
            "203.0.113.7 to default/db, 81/tcp, by the gateway",
        ]),
        ("reg0=0x20/0x20 actions=push", "reg0=0x20/0x20 actions=meter:1,push", [
            "expected.yaml:3: expected allowed, but by the flows it cannot be judged: the action meter:1",
            "default/remote to svc/default/db, 6379/tcp, by the tunnel of node/node-2, given default/db at port 80",
        ]),
        ("nat(dst=10.20.1.10:80)", "nat(dst=10.20.1.11:80)", [
            "expected.yaml:3: expected allowed, but by the flows it leaves by another port",
            "default/frontend to svc/default/db, 6379/tcp, by the port of default/frontend, given 10.20.1.11 port 80",
        ]),
        ("set_field:192.168.50.2->tun_dst", "set_field:192.168.50.3->tun_dst", [
            "expected.yaml:4: expected allowed, but by the flows it leaves for another node",
            "default/db to default/remote, 443/tcp, by the port of default/db",
        ]),
        ("table=60,priority=1 actions", "table=60,priority=1,dp_hash=1 actions", [
            *["expected.yaml:1: expected allowed, but by the flows it cannot be judged: the match dp_hash=1"] * 2,
            *["expected.yaml:2: expected denied, but by the flows it cannot be judged: the match dp_hash=1"] * 2,
            *["expected.yaml:4: expected allowed, but by the flows it cannot be judged: the match dp_hash=1"] * 4,
            "default/frontend to default/db, 80/tcp, by the port of default/frontend",
            "node/node-1 to default/db, 80/tcp, by the gateway",
            "default/frontend to default/db, 81/tcp, by the port of default/frontend",
            "203.0.113.7 to default/db, 81/tcp, by the gateway",
            "default/db to default/frontend, 443/tcp, by the port of default/db",
            "default/db to default/remote, 443/tcp, by the port of default/db",
            "default/db to node/node-1, 443/tcp, by the port of default/db",
            "default/db to 192.0.2.1, 443/tcp, by the port of default/db",
        ]),
    ],
)  # fmt: skip
def test_a_change_of_flows_fails_what_it_breaks(asked: Asked, old: str, new: str, found: list[str]) -> None:
    answer = asked(ALL, old=old, new=new)
    assert answer.code == 1
    assert heads(answer) == found


def test_the_packet_is_told_with_flows_and_reasons(asked: Asked) -> None:
    entry = "- {from: remote, to: db, port: 81, expect: denied}"
    answer = asked(entry, old=DROP, new=DROP.replace("drop", "goto_table:160"))
    lines = answer.out.splitlines()
    assert lines[0] == "expected.yaml:1: expected denied, but the flows let it pass"
    assert lines[2].startswith("    packet: tcp,in_port=2654,")
    assert any("table=150" in line and line.endswith("goto_table:160") for line in lines)
    assert any(line.startswith("    see it: ovs-appctl ofproto/trace br-int 'tcp,in_port=2654,") for line in lines)
    assert "  DENIED  default/remote to default/db, 81/tcp" in lines
    assert answer.err.splitlines()[-1] == "1 expectation, 1 not met"


@pytest.mark.parametrize(
    ("options", "fields"),
    [
        ((), "nw_src=10.20.2.11,nw_dst=10.20.1.10,tun_src=192.168.50.2,tun_metadata0=0xa14020b"),
        (("--masquerade",), "nw_src=10.20.2.1,nw_dst=10.20.1.10,tun_src=192.168.50.2,tun_metadata0=0xa14020b"),
        (("--encap", "vxlan"), "nw_src=10.20.2.11,nw_dst=10.20.1.10,tun_src=192.168.50.2"),
    ],
)
def test_what_comes_by_a_service_has_its_carrier(asked: Asked, options: tuple[str, ...], fields: str) -> None:
    entry = "- {from: remote, to: svc/db, port: 6379, expect: allowed}"
    answer = asked(entry, *options, old="table=60,priority=200", new="table=60,priority=200,dp_hash=1")
    (packet,) = [line for line in answer.out.splitlines() if line.startswith("    packet: ")]
    assert packet.endswith(f",{fields}")
    assert ("tun_id=11," in packet) is ("vxlan" in options)


def test_what_the_policies_deny_is_told_first(asked: Asked) -> None:
    answer = asked("- {from: frontend, to: db, port: 81, expect: allowed}")
    assert [line for line in answer.out.splitlines() if line.startswith("expected.yaml")] == [
        "expected.yaml:1: expected allowed, but it is denied",
        "expected.yaml:1: expected allowed, but the flows drop it, in IngressRule",
    ]


def test_nothing_is_asked_where_neither_end_is_here(asked: Asked) -> None:
    answer = asked("- {from: frontend, to: db, port: 81, expect: denied}", node="node-2")
    assert (answer.code, answer.out) == (0, "")
    assert answer.err == "in 1 of 1 connections the flows of this node have no say\n1 expectation met\n"


def test_what_the_other_end_denies_may_pass_here(asked: Asked) -> None:
    passes = asked("- {from: remote, to: db, port: 81, expect: denied}", node="node-2")
    assert passes.code == 0
    assert passes.err.startswith("in 1 of 1 connections ")


def test_another_endpoint_may_not_be_given_though_the_other_end_denies(asked: Asked) -> None:
    entry = "- {from: remote, to: svc/db, port: 81, expect: denied}"
    assert asked(entry, node="node-2").code == 0
    answer = asked(entry, node="node-2", old="nat(dst=10.20.1.10:81)", new="nat(dst=192.0.2.9:81)")
    assert answer.code == 1
    assert heads(answer) == [
        "expected.yaml:1: expected denied, but the flows let it pass",
        "default/remote to svc/default/db, 81/tcp, by the port of default/remote, given 192.0.2.9 port 81",
    ]


def test_json_has_the_packets(asked: Asked) -> None:
    changed = DROP.replace("drop", "goto_table:160")
    document = json.loads(asked(DENIED + LEAVING, "-o", "json", old=DROP, new=changed).out)
    validate(document)
    assert (document["unmet"], document["unasked"]) == (3, 0)
    first, *_, last = document["expectations"]
    assert (first["met"], last["met"], last["counterexamples"]) == (False, True, [])
    (told,) = first["counterexamples"]
    assert told["what"] == "passes, and must be dropped"
    assert (told["who"], told["came"]) == (
        "default/frontend to default/db, 81/tcp",
        "by the port of default/frontend",
    )
    assert told["flows"][0].startswith("flow add cookie=") or "table=0," in told["flows"][0]
    assert first["explanation"]["verdict"] == "denied"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "flows.txt: holds no flows; write them with ovsnp compile, or ovs-ofctl dump-flows\n"),
        ("kind: Pod\n", "flows.txt: line 1: neither a flow nor a group: kind: Pod\n"),
    ],
)
def test_a_file_without_flows_is_a_mistake(checked: Checked, text: str, said: str) -> None:
    Path("flows.txt").write_text(text)
    answer = checked(DENIED, "--flows", "flows.txt", "--node", "node-1")
    assert (answer.code, answer.out) == (2, "")
    assert answer.err.endswith(said)
