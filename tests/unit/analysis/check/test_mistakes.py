"""Mistakes in a file of expectations: `check` reports all at once with their lines, and judges nothing."""

from pathlib import Path

import pytest

from tests.support.applying import ovsnp
from tests.support.sentences import is_as_expected
from tests.unit.analysis.check.conftest import Checked

ENDS = "NAMESPACE/POD, node/NAME, svc/NAMESPACE/NAME, an address, or a list of these"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", ": holds no expectations; write a list of from, to, port and expect"),
        ("# nothing\n---\n", ": holds no expectations; write a list of from, to, port and expect"),
        ("[]", ":1: holds no expectations; write a list of from, to, port and expect"),
        ("a: b", ":1: must be a list, not a mapping; write each entry after a dash"),
        ("- web", ":1: [0]: must be a mapping, not the text 'web'; write its fields as KEY: VALUE"),
        ("- {a: b\n", ":2: not valid YAML: ...; check the indentation and quotes here"),
        ("- {from: db, from: db, to: db, port: 80, expect: allowed}",
         ":1: [0].from: written twice in one mapping; keep one of the two"),
        ("- {from: db, to: db, port: 80, prot: 80, expect: allowed}",
         ":1: [0].prot: unknown field; remove it, or write one of expect, family, from, port, to"),
        ("- {from: db, to: db, port: 80}", ":1: [0].expect: missing; write allowed or denied"),
        ("- {from: db, to: db, port: 80, expect: mixed}",
         ":1: [0].expect: must be allowed or denied, not 'mixed'; write one of the two"),
        ("- {from: db, to: db, port: 80, expect: yes}",
         ":1: [0].expect: must be text, not the boolean true; write it in quotes"),
        ("- {from: db, to: db, port: 80, family: ipv4, expect: allowed}",
         ":1: [0].family: must be IPv4 or IPv6, not 'ipv4'; write one of the two"),
        ("- {from: db, to: db, port: 80, family: IPv6, expect: allowed}", ":1: [0]: default/db has no IPv6 address"),
        ("- {to: db, port: 80, expect: allowed}", f":1: [0].from: missing; write {ENDS}"),
        ("- {from: [], to: db, port: 80, expect: allowed}", f":1: [0].from: missing; write {ENDS}"),
        ("- {from: db, to: [null], expect: allowed}",
         ":1: [0].to[0]: null is nobody; name a pod, a node, a Service or an address, or remove it"),
        ("- {from: db, to: 1.5, expect: allowed}",
         ":1: [0].to: must be text or a list, not the number 1.5; write one of the two"),
        ("- {from: db, to: db, port: [], expect: allowed}",
         ":1: [0].port: missing; write a port such as 6379 or 53/udp, or icmp for what has no ports"),
        ("- {from: db, to: [svc/db, db], expect: denied}",
         ":1: [0].port: missing; write a port such as 6379 or 53/udp, or icmp for what has no ports"),
        ("- {from: db, to: [svc/db, db], port: [80, icmp], expect: denied}",
         ":1: [0]: svc/default/db is a cluster IP, which has ports only; write one of them as PORT"),
        ("- {from: db, to: db, port: [null], expect: allowed}",
         ":1: [0].port[0]: null is no port; write one such as 6379 or 53/udp, or remove it"),
        ("- {from: db, to: db, port: {}, expect: allowed}",
         ":1: [0].port: must be a whole number or text or a list, not a mapping; write one of the three"),
        ("- {from: db, to: db, port: 70000, expect: allowed}",
         ":1: [0].port: 70000: 70000 is no port; write a number from 1 to 65535"),
        ('- {from: db, to: "d\\r\\e[2J", port: 80, expect: allowed}',
         ":1: [0].to: there is no pod default/d\\r\\x1b[2J with an address of its own;"
         " there are default/db, default/frontend, default/remote"),
        ("- {from: db, to: db, port: redis, expect: allowed}",
         ":1: [0]: default/db has no port of the name redis; there are no names of ports"),
        ("- {from: svc/db, to: db, port: 80, expect: allowed}",
         ":1: [0].from: svc/db is a cluster IP, which opens no connections; name a pod, a node or an address as SRC"),
    ],
)  # fmt: skip
def test_mistake(checked: Checked, text: str, said: str) -> None:
    answer = checked(text)
    assert (answer.code, answer.out) == (3, "")
    assert is_as_expected(answer.err, f"expected.yaml{said}\n")


def test_every_mistake_is_said_at_its_line_once(checked: Checked) -> None:
    answer = checked(
        "- from: [remote, fronted]\n"
        "  to:\n"
        "    - db\n"
        "    - svc/dbs\n"
        "  port: [80, 53/icmp]\n"
        "  expect: never\n"
        "- {from: db, to: fd00::1, port: 80, expect: denied}\n"
    )
    assert answer.code == 3
    assert answer.err.splitlines() == [
        "expected.yaml:1: [0].from[1]: there is no pod default/fronted with an address of its own;"
        " did you mean default/frontend or default/remote?",
        "expected.yaml:4: [0].to[1]: there is no Service default/dbs with a cluster IP; did you mean svc/default/db?",
        "expected.yaml:5: [0].port[1]: 53/icmp: icmp is no protocol of ports; write /tcp, /udp or /sctp behind a number"
        " from 1 to 65535, or a port's name",
        "expected.yaml:6: [0].expect: must be allowed or denied, not 'never'; write one of the two",
        "expected.yaml:7: [1]: default/db has only IPv4 and fd00::1 only IPv6: nothing connects the two;"
        " name ends of one address family",
    ]


def test_files_that_cannot_be_read(checked: Checked) -> None:
    checked("[]")
    gone = ovsnp("check", "gone.yaml", "-f", "manifests")
    assert (gone.code, gone.err) == (
        3,
        "gone.yaml: cannot be read: no such file or directory; check the path and its permissions\n",
    )
    directory = ovsnp("check", "manifests", "-f", "manifests")
    assert (directory.code, directory.err) == (
        3,
        "manifests: is a directory; name the file with the expectations\n",
    )


def test_mistakes_of_manifests_come_first(checked: Checked) -> None:
    Path("manifests/broken.yaml").write_text("kind: NetworkPolicy\n")
    answer = checked("- nonsense")
    assert answer.code == 3
    assert all(line.startswith("manifests/broken.yaml:1: ") for line in answer.err.splitlines())


def test_stdin_is_one_of_the_two(checked: Checked) -> None:
    checked("[]")
    answer = ovsnp("check", "-", "-f", "-")
    assert answer.code == 2
    assert "stdin cannot hold the manifests and the expectations" in answer.err
