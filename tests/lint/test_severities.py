"""The severity of a finding in each notation, and the severities that make lint exit with 1."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from ovsnp.analysis.lint import CHECKS
from ovsnp.analysis.lint.finding import Severity
from tests.support.applying import Answer, policy

CASES = Path(__file__).parent / "cases"
NOTICE = policy("to-db", 80)
"""A policy with rules for ingress only."""
WARNING = f"{policy('to-db', 80).replace('frontend', 'fronted')}  egress: [{{}}]\n"
"""A policy with a peer that names nobody."""
ERROR = policy("to-db", 80).replace("spec:", "spec:\n  policyTypes: [Egress]")
"""A policy with rules that policyTypes does not list."""
OF = {Severity.NOTICE: NOTICE, Severity.WARNING: WARNING, Severity.ERROR: ERROR}


@pytest.mark.parametrize("least", Severity)
@pytest.mark.parametrize("found", Severity)
def test_exits_1_from_the_severity_on_that_is_named(
    lint: Callable[..., Answer], least: Severity, found: Severity
) -> None:
    severer = {Severity.ERROR: "e", Severity.WARNING: "ew", Severity.NOTICE: "ewn"}
    answer = lint(OF[found], "--fail-on", least)
    assert answer.code == (found[0] in severer[least])
    assert answer.out


@pytest.mark.parametrize(("found", "code"), [(Severity.NOTICE, 0), (Severity.WARNING, 1), (Severity.ERROR, 1)])
def test_notices_alone_are_shown_and_fail_nothing(lint: Callable[..., Answer], found: Severity, code: int) -> None:
    answer = lint(OF[found])
    assert answer.code == code
    assert f": {found}: " in answer.out
    assert f"1 {found}" in answer.err


def test_least_severity_may_stand_in_the_configuration(lint: Callable[..., Answer]) -> None:
    Path("ovsnp.yaml").write_text("fail-on: notice\n")
    assert lint(NOTICE).code == 1
    assert lint(NOTICE, "--fail-on", "warning").code == 0
    Path("ovsnp.yaml").write_text("fail-on: never\n")
    assert lint(NOTICE).code == 2


def test_what_a_comment_ignores_never_counts(lint: Callable[..., Answer]) -> None:
    assert lint(f"# ovsnp: ignore=ignored-rules\n{ERROR}", "--fail-on", "notice").code == 0


@pytest.mark.parametrize(
    ("found", "level", "command"),
    [
        (Severity.NOTICE, "note", "::notice "),
        (Severity.WARNING, "warning", "::warning "),
        (Severity.ERROR, "error", "::error "),
    ],
)
def test_every_notation_has_the_severity(
    lint: Callable[..., Answer], found: Severity, level: str, command: str
) -> None:
    (finding,) = json.loads(lint(OF[found], "-o", "json").out)["findings"]
    assert finding["severity"] == found
    (run,) = json.loads(lint(OF[found], "-o", "sarif").out)["runs"]
    (result,) = run["results"]
    assert result["level"] == level
    assert run["tool"]["driver"]["rules"][result["ruleIndex"]]["defaultConfiguration"] == {"level": level}
    assert lint(OF[found], "-o", "github").out.startswith(command)


@pytest.mark.parametrize("case", CHECKS)
def test_check_has_findings_of_the_severity_it_says(case: str) -> None:
    assert f": {CHECKS[case].severity}: {case}" in (CASES / case / "findings.txt").read_text()
