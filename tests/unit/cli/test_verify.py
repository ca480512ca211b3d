"""``ovsnp verify`` on the command line: input, exit codes, streams, JSON."""

import json
from pathlib import Path

import jsonschema
import pytest

from tests.support.applying import Answer, ovsnp, policy
from tests.support.checkout import ROOT

pytestmark = pytest.mark.usefixtures("workdir")
SCHEMA = jsonschema.Draft202012Validator(json.loads((ROOT / "docs" / "verify.schema.json").read_text()))


def verified(*arguments: object) -> Answer:
    answer = ovsnp("verify", "-f", "manifests", "--node", "node-1", *arguments)
    assert "Traceback" not in answer.err
    return answer


def compiled() -> str:
    Path("manifests/policy.yaml").write_text(policy("to-db", 80))
    return ovsnp("compile", "-f", "manifests", "--node", "node-1").out


def written(text: str) -> Path:
    path = Path("flows.txt")
    path.write_text(text)
    return path


def test_what_compiles_is_proved() -> None:
    answer = verified()
    assert (answer.code, answer.err) == (0, "")
    assert answer.out.startswith("PROVED  the flows do what the policies say, for all ")


def test_a_file_of_compile_is_proved_and_without_a_flow_it_is_not() -> None:
    lines = compiled().splitlines(keepends=True)
    assert verified("--flows", written("".join(lines))).code == 0
    broken = written("".join(line for line in lines if "nw_src=10.20.2.11" not in line))
    answer = verified("--flows", broken)
    assert (answer.code, answer.err) == (1, "")
    assert "dropped, and must pass" in answer.out
    assert "ALLOWED  default/remote to default/db, 80/tcp" in answer.out
    assert "ovs-appctl ofproto/trace br-int 'tcp,in_port=" in answer.out
    assert answer.out.splitlines()[-1].startswith("WRONG  5 faults among ")


def test_a_policy_that_came_since_is_found() -> None:
    flows = written(compiled())
    Path("manifests/other.yaml").write_text(policy("another", 81))
    answer = verified("--flows", flows)
    assert answer.code == 1
    assert "default/another ingress[0]" in answer.out


def test_most_says_how_many_are_shown_of_how_many() -> None:
    flows = written("".join(line for line in compiled().splitlines(keepends=True) if "table=150" not in line))
    assert " faults among " in verified("--flows", flows).out
    answer = verified("--flows", flows, "--most", "1")
    assert ", of which 1 are shown" in answer.out
    assert answer.out.count("see it:") == 1


def test_json_is_as_its_schema_says() -> None:
    text = compiled()
    for flows, verdict in ((text, "proved"), (text.replace("actions=drop", "actions=NORMAL"), "wrong")):
        answer = verified("--flows", written(flows), "-o", "json")
        document = json.loads(answer.out)
        SCHEMA.validate(document)
        assert (document["verdict"], answer.code) == (verdict, int(verdict == "wrong"))
        assert bool(document["counterexamples"]) == (verdict == "wrong")


def test_flows_and_live_are_two_things() -> None:
    answer = verified("--flows", written(""), "--live")
    assert answer.code == 2
    assert "choose one" in answer.err


@pytest.mark.parametrize(
    "text",
    [
        "hello",
        "flow delete table=0",
        "flow mod table=1,priority=1 actions=drop",
        "flow add table=x actions=drop",
        "flow add table=300 actions=drop",
        "flow add priority=70000 actions=drop",
        "flow add tcp,tp_dst=71915 actions=drop",
        "flow add reg2=0x919e7f0a9 actions=drop",
        "flow add ip,nw_dst=10.0.0.0/40 actions=drop",
        "group add x",
    ],
)
def test_a_file_that_holds_no_flows_is_a_usage_error(text: str) -> None:
    answer = verified("--flows", written(f"# a comment\n{text}\n"))
    assert (answer.code, answer.out) == (2, "")
    assert "flows.txt: line 2: " in answer.err


def test_a_file_without_a_flow_is_a_usage_error() -> None:
    answer = verified("--flows", written("# nothing\n"))
    assert (answer.code, answer.err) == (2, "ovsnp: flows.txt: holds no flows\n")


def test_nothing_to_ask_is_no_proof() -> None:
    Path("policy.yaml").write_text(policy("alone", 80))
    answer = ovsnp("verify", "-f", "policy.yaml")
    assert (answer.code, answer.out) == (2, "")
    assert "so nothing is asked" in answer.err


def test_a_bridge_that_cannot_be_reached_is_4(tmp_path: Path) -> None:
    answer = verified("--live", "--db", f"unix:{tmp_path}/nobody.sock")
    assert (answer.code, answer.out) == (4, "")
