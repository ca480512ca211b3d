"""The report in each notation, the checks that run, and the exit codes."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from ovsnp.analysis.lint import CHECKS, LintIndex, LintReport
from ovsnp.analysis.lint.blocks import blocks_of_services
from ovsnp.analysis.lint.finding import Located, Severity
from ovsnp.analysis.lint.github import render_github
from ovsnp.analysis.lint.registry import Needs
from ovsnp.analysis.lint.sarif import render_sarif
from ovsnp.errors import Span
from ovsnp.manifests import load
from tests.support.applying import CLUSTER, Answer, ovsnp, policy
from tests.support.checkout import ROOT
from tests.support.terminal import on_terminal

HERE = Path(__file__).parent
PAGES = ROOT / "docs"
CLEAN = policy("to-db", 80) + "  egress: [{}]\n"


def shape(**fields: object) -> dict[str, Any]:
    """A schema of an object with these properties and no others, all required."""
    return {"type": "object", "properties": fields, "required": sorted(fields), "additionalProperties": False}


STRING = {"type": "string", "minLength": 1}
MESSAGE = shape(text=STRING)
REGION = shape(startLine={"type": "integer", "minimum": 1})
PHYSICAL = shape(artifactLocation=shape(uri=STRING)) | {
    "properties": {"artifactLocation": shape(uri=STRING), "region": REGION}
}
LEVEL = {"enum": ["none", "note", "warning", "error"]}
RULE = shape(
    id=STRING,
    shortDescription=MESSAGE,
    fullDescription=MESSAGE,
    defaultConfiguration=shape(level=LEVEL),
    help=MESSAGE,
)
RESULT = shape(
    ruleId={"enum": [*CHECKS]},
    ruleIndex={"type": "integer", "minimum": 0},
    level=LEVEL,
    message=MESSAGE,
    locations={"type": "array", "items": shape(physicalLocation=PHYSICAL), "minItems": 1},
)
RESULT["properties"]["suppressions"] = {"type": "array", "items": shape(kind={"enum": ["inSource", "external"]})}
RUN = shape(
    tool=shape(driver=shape(name=STRING, version=STRING, rules={"type": "array", "items": RULE})),
    columnKind={"enum": ["utf16CodeUnits", "unicodeCodePoints"]},
    results={"type": "array", "items": RESULT},
)
SARIF = shape(**{"$schema": STRING, "version": {"const": "2.1.0"}, "runs": {"type": "array", "items": RUN}})
"""The part of SARIF's own schema (2.1.0, errata 01) that a report uses, its names and values as they are there."""

HOSTS = "are in the network of their node (hostNetwork)"
DID_NOT_RUN = "these checks did not run"
WORKLOAD_OF_HOSTS = """
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: proxy}
spec: {template: {metadata: {labels: {role: frontend}}, spec: {hostNetwork: true, containers: [{name: main}]}}}
"""


def needing(*needs: Needs) -> str:
    """The checks that need pods which selectors select, or other pods (``needs``), without opt-in checks."""
    least = {Needs.PODS_TO_SELECT, *needs}
    return ", ".join(name for name, check in CHECKS.items() if check.needs in least and not check.opt_in)


def located(file: str = "a.yaml", line: int = 3, message: str = "no") -> Located:
    span = Span(file, line)
    return Located(span, "one-direction", "NetworkPolicy a/b", "spec", Severity.NOTICE, message, "do")


def test_findings_exit_1_and_none_0(lint: Callable[..., Answer]) -> None:
    assert lint(policy("to-db", 80), "--fail-on", "notice")[:2] == (
        1,
        "policy.yaml:7: notice: one-direction NetworkPolicy default/to-db: spec.ingress: all rules of namespace default"
        " are for ingress, and no policy isolates for egress: its pods may send to everyone; add egress policies,"
        " unless that is meant\n",
    )
    assert lint(CLEAN) == (0, "", "0 errors, 0 warnings, 0 notices\n")
    assert lint(CLEAN, "--quiet").err == ""


def test_bad_input_exits_3(lint: Callable[..., Answer]) -> None:
    assert lint(CLEAN.replace("spec", "spek"))[:2] == (3, "")


def test_select_takes_only_these_and_ignore_leaves_out(lint: Callable[..., Answer]) -> None:
    text = policy("to-db", 80)
    assert lint(text, "--select", "pointless-rule").out == ""
    assert lint(text, "--select", "one-direction", "--select", "pointless-rule").out
    assert lint(text, "--select", "one-direction", "--ignore", "one-direction").out == ""
    assert lint(text, "--ignore", "one-direction").out == ""


def test_opt_in_checks_run_only_where_they_are_selected(lint: Callable[..., Answer]) -> None:
    assert lint(CLEAN).code == 0
    assert "unisolated-pod Pod default/frontend" in lint(CLEAN, "--select", "unisolated-pod").out


@pytest.mark.parametrize("option", ["--select", "--ignore"])
def test_unknown_check_is_a_usage_error_with_the_nearest(lint: Callable[..., Answer], option: str) -> None:
    answer = lint(CLEAN, option, "one-directions")
    assert answer == (2, "", f"ovsnp: {option}: there is no check 'one-directions'; did you mean one-direction?\n")


def test_without_pods_it_says_which_checks_see_nothing(lint: Callable[..., Answer]) -> None:
    answer = lint(CLEAN)
    Path("cluster.yaml").unlink()
    answer = ovsnp("lint", "-f", "policy.yaml")
    assert (answer.code, answer.out) == (0, "")
    assert answer.err.splitlines()[0] == f"the input has no pods, so {DID_NOT_RUN}: {needing(Needs.PODS)}"


@pytest.mark.parametrize(
    ("changed", "what"),
    [
        ((r"spec: {nodeName(.*\n.*)10.20.(.).1.", r"spec: {hostNetwork: true, nodeName\g<1>192.168.50.\2"), HOSTS),
        (("phase: Running", "phase: Failed"), "have ended"),
    ],
)
def test_without_pods_to_select_it_says_what_the_pods_are_and_checks_what_it_can(
    lint: Callable[..., Answer], changed: tuple[str, str], what: str
) -> None:
    lint(CLEAN)
    Path("cluster.yaml").write_text(re.sub(*changed, CLUSTER))
    answer = ovsnp("lint", "-f", "cluster.yaml", "-f", "policy.yaml")
    lacking = needing(Needs.PODS_TO_SELECT)
    assert answer.err.splitlines()[0] == f"all pods of the input {what}, so {DID_NOT_RUN}: {lacking}"
    assert [line.split()[2] for line in answer.out.splitlines()] == ["selects-nothing", "peer-matches-nothing"]
    assert all(f"{what}, so no selector selects them (default/" in line for line in answer.out.splitlines())


def test_without_pods_that_can_be_used_it_says_so(lint: Callable[..., Answer]) -> None:
    lint(CLEAN)
    Path("cluster.yaml").write_text(CLUSTER.replace("nodeName: node-", "nodeName: gone-"))
    said = ovsnp("lint", "-f", "cluster.yaml", "-f", "policy.yaml").err
    assert f"\novsnp leaves out all pods of the input, so {DID_NOT_RUN}: selects-nothing, " in said


def test_hosts_that_nobody_knows_yet_have_no_addresses_to_write(lint: Callable[..., Answer]) -> None:
    lint(CLEAN)
    Path("cluster.yaml").write_text(WORKLOAD_OF_HOSTS)
    answer = ovsnp("lint", "-f", "cluster.yaml", "-f", "policy.yaml", "--select", "peer-matches-nothing")
    assert answer.out.endswith("; write an ipBlock with the addresses of the nodes instead\n")


def test_without_policies_it_says_so(lint: Callable[..., Answer]) -> None:
    lint(CLEAN)
    answer = ovsnp("lint", "-f", "cluster.yaml")
    said = "the input has no NetworkPolicy, so no pod is isolated\n0 errors, 0 warnings, 0 notices\n"
    assert answer == (0, "", said)
    assert ovsnp("lint", "-f", "cluster.yaml", "--quiet") == (0, "", "")
    assert "no NetworkPolicy" not in lint(CLEAN).err


def test_text_is_coloured_only_where_it_is_wanted(lint: Callable[..., Answer], monkeypatch: pytest.MonkeyPatch) -> None:
    text, cyan = policy("to-db", 80), "\x1b[1;36m"
    assert "\x1b" not in lint(text).out
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm-256color")
    assert cyan in lint(text).out
    assert cyan not in lint(text, "--no-color").out
    monkeypatch.setenv("NO_COLOR", "1")
    assert cyan not in lint(text).out


def test_lines_fit_a_terminal_and_a_file_has_one_a_finding(lint: Callable[..., Answer]) -> None:
    written = lint(policy("to-db", 80)).out
    (line,) = written.splitlines()
    assert len(line) > 200
    narrow = on_terminal(80, "lint", "-f", "cluster.yaml", "-f", "policy.yaml")
    first, *others = narrow.splitlines()
    assert max(map(len, (first, *others))) <= 80
    assert all(other.startswith("    ") and other[4] != " " for other in others)
    assert not any(part.endswith(" ") for part in (first, *others))
    assert " ".join(narrow.split()) == line
    assert on_terminal(500, "lint", "-f", "cluster.yaml", "-f", "policy.yaml") == written
    assert on_terminal(4, "lint", "-f", "cluster.yaml", "-f", "policy.yaml") == written


def test_files_are_apart(lint: Callable[..., Answer]) -> None:
    lint(policy("to-db", 80))
    Path("other.yaml").write_text("kind: Namespace\napiVersion: v1\nmetadata: {name: a}\n---\n")
    with Path("other.yaml").open("a") as file:
        file.write(policy("other", 80).replace("name: other", "name: other, namespace: a"))
    out = ovsnp("lint", "-f", ".", "--select", "one-direction").out
    assert [line.partition(":")[0] for line in out.splitlines()] == ["./other.yaml", "", "./policy.yaml"]


def test_json_has_the_finding_in_parts(lint: Callable[..., Answer]) -> None:
    document = json.loads(lint(policy("to-db", 80), "-o", "json").out)
    (finding,) = document["findings"]
    assert (document["ignored"], document["skipped"]) == ([], [])
    assert finding | {"message": "", "remedy": ""} == {
        "check": "one-direction",
        "severity": "notice",
        "file": "policy.yaml",
        "line": 7,
        "object": "NetworkPolicy default/to-db",
        "path": "spec.ingress",
        "message": "",
        "remedy": "",
        "why": CHECKS["one-direction"].why,
    }


def test_json_is_as_its_schema_says(lint: Callable[..., Answer]) -> None:
    schema = json.loads((PAGES / "lint.schema.json").read_text())
    duplicated = "    - from: [{podSelector: {}}, {podSelector: {}}]\n"
    text = f"# ovsnp: ignore=one-direction\n{policy('to-db', 80)}{duplicated}"
    document = json.loads(lint(text, "-o", "json").out)
    jsonschema.validate(document, schema)
    assert document.keys() == schema["properties"].keys()
    for each in (*document["findings"], *document["ignored"]):
        assert each.keys() == schema["$defs"]["LintFinding"]["properties"].keys()
    assert document["findings"]
    assert document["ignored"]


def test_sarif_is_as_its_schema_has_it(lint: Callable[..., Answer]) -> None:
    rule = "    - from: [{podSelector: {}}, {podSelector: {}}]\n"
    text = f"# ovsnp: ignore=one-direction\n{policy('to-db', 80)}{rule}"
    answer = lint(text, "-o", "sarif")
    document = json.loads(answer.out)
    jsonschema.validate(document, SARIF)
    (run,) = document["runs"]
    results = [(each["ruleId"], each["level"], "suppressions" in each) for each in run["results"]]
    assert results == [
        ("pointless-rule", "warning", False),
        ("pointless-entry", "warning", False),
        ("one-direction", "note", True),
    ]
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    assert all(rules[each["ruleIndex"]] == each["ruleId"] for each in run["results"])
    places = [each["locations"][0]["physicalLocation"] for each in run["results"]]
    assert places[0] == {"artifactLocation": {"uri": "policy.yaml"}, "region": {"startLine": 9}}


@pytest.mark.parametrize(
    ("file", "uri"),
    [("a b/ü.yaml", "a%20b/%C3%BC.yaml"), ("/a b.yaml", "file:///a%20b.yaml"), ("-", "stdin"), ("./a.yaml", "a.yaml")],
)
def test_sarif_names_files_by_uri_and_no_line_where_none_is_known(file: str, uri: str) -> None:
    document = json.loads(render_sarif(LintReport((located(file, 0),), (), ())))
    jsonschema.validate(document, SARIF)
    location = document["runs"][0]["results"][0]["locations"][0]["physicalLocation"]
    assert location == {"artifactLocation": {"uri": uri}}


def test_sarif_without_findings_is_a_run_all_the_same(lint: Callable[..., Answer]) -> None:
    document = json.loads(lint(CLEAN, "-o", "sarif").out)
    jsonschema.validate(document, SARIF)
    assert document["runs"][0]["results"] == []


def test_github_shows_a_line_a_finding(lint: Callable[..., Answer]) -> None:
    answer = lint(policy("to-db", 80), "-o", "github", "--fail-on", "notice")
    start = "::notice file=policy.yaml,line=7,title=one-direction::NetworkPolicy default/to-db: spec.ingress: all rules"
    assert answer.code == 1
    assert answer.out.startswith(start)
    assert lint(CLEAN, "-o", "github").out == ""


def test_github_escapes_what_would_end_a_command() -> None:
    report = LintReport((located("a,b:c%.yaml", 0, "100%,\r\nso: no"),), (), ())
    assert render_github(report) == (
        "::notice file=a%2Cb%3Ac%25.yaml,title=one-direction::NetworkPolicy a/b: spec: 100%25,%0D%0Aso: no; do\n"
    )


def test_service_blocks_let_egress_name_cluster_ips() -> None:
    cluster = load([str(HERE / "cluster.yaml"), str(HERE / "cases" / "block-of-services" / "policies.yaml")])
    assert {found.path[1] for found in blocks_of_services(LintIndex(cluster))} == {"ingress", "egress"}
    assert {found.path[1] for found in blocks_of_services(LintIndex(cluster, service_blocks=True))} == {"ingress"}


def test_block_of_all_pods_stays_as_pods_come_and_go(lint: Callable[..., Answer]) -> None:
    text = CLEAN.replace("egress: [{}]", "egress: [{to: [{ipBlock: {cidr: 10.20.1.0/24}}]}]")
    assert "block-of-pods" in lint(text).out
    one_node = "---".join(part for part in CLUSTER.split("---") if "node-2" not in part)
    Path("cluster.yaml").write_text(one_node)
    assert "block-of-pods" not in ovsnp("lint", "-f", "cluster.yaml", "-f", "policy.yaml").out


def test_service_cidr_of_the_command_line_counts(lint: Callable[..., Answer]) -> None:
    text = CLEAN.replace("egress: [{}]", "egress: [{to: [{ipBlock: {cidr: 10.99.0.0/24}}]}]")
    assert "block-of-services" not in lint(text).out
    assert "in 10.99.0.0/16, where cluster IPs are" in lint(text, "--service-cidr", "10.99.0.0/16").out
    assert lint(text, "--service-cidr", "10.99").code == 2
