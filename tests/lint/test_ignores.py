"""Which findings a comment ignores, and comments that are not understood."""

import json
from pathlib import Path

import pytest

from tests.support.applying import ovsnp

POD = """
kind: Pod
apiVersion: v1
metadata: {name: web}
status: {podIP: 10.0.0.1}
"""
POLICY = """\
kind: NetworkPolicy
apiVersion: networking.k8s.io/v1
metadata: {name: one}
spec:
  podSelector: {}
  policyTypes: [Egress, Ingress]
  ingress:
    - from:
        - podSelector: {matchLabels: {a: b}}
        - podSelector: {matchLabels: {c: d}}
  egress: [{}]
"""
FINDS = [9, 10]

pytestmark = pytest.mark.usefixtures("directory")


@pytest.fixture
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def linted(text: str, *arguments: str) -> tuple[list[tuple[str, int]], list[tuple[str, int]]]:
    """The checks and lines of the findings in a file, beside a pod: findings that are left, and ignored findings."""
    Path("in.yaml").write_text(text)
    Path("pod.yaml").write_text(POD)
    answer = ovsnp("lint", "-f", "in.yaml", "-f", "pod.yaml", "-o", "json", "--fail-on", "notice", *arguments)
    assert answer.code in (0, 1), answer
    document = json.loads(answer.out)
    assert (answer.code == 1) == bool(document["findings"])
    return tuple([(each["check"], each["line"]) for each in document[key]] for key in ("findings", "ignored"))


def after(line: int, comment: str) -> str:
    """The policy with a comment behind a line."""
    lines = POLICY.splitlines()
    lines[line - 1] += f"  # ovsnp: ignore={comment}"
    return "\n".join(lines)


def before(line: int, comment: str) -> str:
    """The policy with a comment on a line of its own above a line."""
    lines = POLICY.splitlines()
    lines.insert(line - 1, f"  # ovsnp: ignore={comment}")
    return "\n".join(lines)


PEER = "peer-matches-nothing"


def test_without_comments_nothing_is_ignored() -> None:
    assert linted(POLICY) == ([(PEER, 9), (PEER, 10)], [])


def test_comment_behind_an_entry_is_for_its_line() -> None:
    assert linted(after(9, PEER)) == ([(PEER, 10)], [(PEER, 9)])


def test_comment_of_its_own_line_is_for_the_next_one() -> None:
    assert linted(before(10, PEER)) == ([(PEER, 9)], [(PEER, 11)])


def test_comment_in_the_head_is_for_the_document_and_for_no_other() -> None:
    text = f"{before(1, PEER)}\n---\n{POLICY.replace('one', 'two')}"
    assert linted(text, "--select", PEER) == ([(PEER, 22), (PEER, 23)], [(PEER, 10), (PEER, 11)])


def test_comment_is_for_its_own_file_alone() -> None:
    Path("other.yaml").write_text(POLICY.replace("one", "two"))
    assert linted(before(1, PEER), "-f", "other.yaml", "--select", PEER) == (
        [(PEER, 9), (PEER, 10)],
        [(PEER, 10), (PEER, 11)],
    )


def test_several_checks_and_a_reason() -> None:
    assert linted(before(1, f"{PEER}, unisolated-pod  # its pods come with the next release"))[0] == []


def test_another_check_is_not_ignored_and_the_comment_is_said_to_be_of_no_use() -> None:
    left, ignored = linted(after(9, "pointless-rule"))
    assert (left, ignored) == ([(PEER, 9), ("unused-ignore", 9), (PEER, 10)], [])


def test_ignore_of_a_check_that_did_not_run_may_be_of_use() -> None:
    assert linted(after(1, "unisolated-pod")) == linted(POLICY)
    assert linted(after(1, "pointless-rule"), "--ignore", "pointless-rule") == linted(POLICY)
    assert linted(after(1, "pointless-rule"), "--select", PEER) == linted(POLICY)


def test_unused_ignore_can_be_ignored() -> None:
    assert linted(after(1, "pointless-rule,unused-ignore"), "--ignore", PEER) == ([], [("unused-ignore", 1)])


def test_ignored_findings_are_told_of_who_asks_for_more() -> None:
    linted(before(1, PEER))
    quiet, verbose = (ovsnp("lint", "-f", "in.yaml", "-f", "pod.yaml", *more) for more in ((), ("-v",)))
    assert (quiet.code, quiet.out, quiet.err) == (0, "", "0 errors, 0 warnings, 0 notices, 2 ignored\n")
    line = "in.yaml:10: peer-matches-nothing NetworkPolicy default/one: spec.ingress[0].from[0].podSelector: ignored"
    assert verbose.err.startswith(line)


@pytest.mark.parametrize(
    ("comment", "because"),
    [
        (
            "ovsnp: ignore=peer-match-nothing",
            "there is no check 'peer-match-nothing'; did you mean peer-matches-nothing?",
        ),
        ("ovsnp: ignore=E501", "there is no check 'E501'; there are selects-nothing, "),
        ("ovsnp: ignore", "the comment 'ovsnp: ignore' is not understood; write # ovsnp: ignore=ID"),
        ("ovsnp: ignore=", "is not understood"),
        ("ovsnp: ignore=pointless-rule because", "is not understood"),
        ("ovsnp: noqa", "is not understood"),
    ],
)
def test_comment_that_is_not_understood_is_bad_input(comment: str, because: str) -> None:
    Path("in.yaml").write_text(f"# {comment}\n{POLICY}")
    answer = ovsnp("lint", "-f", "in.yaml")
    assert (answer.code, answer.out) == (3, "")
    assert answer.err.startswith("in.yaml:1: ")
    assert because in answer.err
