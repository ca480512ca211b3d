"""All golden cases: the matrix agrees with the oracle, in every notation, and names the lines of the rules."""

import csv
import io
import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from ovsnp.analysis.matrix.notations import output
from ovsnp.analysis.matrix.view import View
from ovsnp.analysis.reach.cells import Reach
from ovsnp.analysis.reach.parties import By
from ovsnp.cli.settings_file import read_mapping
from ovsnp.manifests import load
from ovsnp.model.address import family
from ovsnp.model.ports import Protocol
from ovsnp.oracle import Traffic, judge, who
from tests.support.checkout import ROOT
from tests.support.members import disagreements, members

GOLDEN = ROOT / "tests" / "golden"
CASES = sorted(file.parent.name for file in GOLDEN.glob("*/ovsnp.yaml"))
SCHEMA = jsonschema.Draft202012Validator(json.loads((ROOT / "docs" / "matrix.schema.json").read_text()))
PROBED = [Traffic(Protocol.TCP, port) for port in (1, 80, 6379, 8080, 65535)]
TRAFFIC = [*PROBED, Traffic(Protocol.UDP, 53), Traffic(Protocol.SCTP, 9899), Traffic(None)]


def reach_of(case: str, by: By) -> Reach:
    written = read_mapping(GOLDEN / case / "ovsnp.yaml")
    cluster = load([str(GOLDEN / case / name) for name in written["manifests"]])
    return Reach(cluster, by, strict_nodes=bool(written.get("strict-nodes")))


def written(reach: Reach, notation: str) -> str:
    return "".join(output(View(reach), notation))


@pytest.mark.parametrize("by", By)
@pytest.mark.parametrize("case", CASES)
def test_cells_are_what_the_oracle_says(case: str, by: By) -> None:
    found, asked = disagreements(reach_of(case, by), TRAFFIC)
    assert not found
    assert asked > 100


@pytest.mark.parametrize("case", CASES)
def test_json_keeps_to_its_schema_and_says_what_the_oracle_says(case: str) -> None:
    reach = reach_of(case, By.POD)
    document = json.loads(written(reach, "json"))
    SCHEMA.validate(document)
    cells = {(cell["from"], cell["to"]): cell for cell in document["cells"]}
    assert not any(each["egress"] or each["ingress"] for c in cells.values() if c["wholly"] for each in c["families"])
    cluster = reach.classes.clusters[0].cluster
    for source in reach.parties:
        for destination in reach.parties:
            if reach.cell(source, destination) is None:
                assert (source.name, destination.name) not in cells
                continue
            cell = cells.get((source.name, destination.name))
            for near, far in ((a, b) for a in members(reach, source) for b in members(reach, destination)):
                if family(near) == family(far) and near != far:
                    for traffic in TRAFFIC:
                        said = _says(cell, family(near), traffic)
                        verdict = judge(
                            cluster, who(cluster, near), who(cluster, far), traffic, strict_nodes=reach.strict_nodes
                        )
                        exempt = verdict.ingress.exempt or verdict.egress.exempt
                        assert said == verdict.allowed or (exempt and cell and cell["exempt"] and not cell["wholly"])


def _says(cell: dict[str, Any] | None, version: int, traffic: Traffic) -> bool:
    for allowed in cell["families"] if cell else ():
        if allowed["family"] == version:
            return allowed["everything"] or (
                allowed["portless"]
                if traffic.port is None
                else any(
                    each["protocol"] == traffic.protocol and each["first"] <= traffic.port <= each["last"]
                    for each in allowed["allowed"]
                )
            )
    return False


@pytest.mark.parametrize("case", CASES)
def test_rules_are_told_with_their_lines(case: str) -> None:
    document = json.loads(written(reach_of(case, By.WORKLOAD), "json"))
    for rule in document["rules"]:
        line = Path(rule["file"]).read_text().splitlines()[rule["line"] - 1]
        assert line.lstrip().startswith(("- ", "ingress:", "egress:")), line
    for policy in _isolating(document):
        line = Path(policy["file"]).read_text().splitlines()[policy["line"] - 1]
        assert line.startswith(("apiVersion:", "kind:", "- ", "{")), line


def _isolating(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for party in document["parties"]:
        for side in party["isolated_by"].values():
            yield from side


@pytest.mark.parametrize("case", CASES)
def test_csv_says_what_json_says(case: str) -> None:
    reach = reach_of(case, By.WORKLOAD)
    document = json.loads(written(reach, "json"))
    names = [f"{each['policy']} {each['path'].removeprefix('spec.')}" for each in document["rules"]]
    records = list(csv.DictReader(io.StringIO(written(reach, "csv"))))
    assert [(each["from"], each["to"], each["ports"]) for each in records] == [
        (cell["from"], cell["to"], cell["ports"]) for cell in document["cells"]
    ]
    for record, cell in zip(records, document["cells"], strict=True):
        for side in ("egress", "ingress"):
            told = dict.fromkeys(names[index] for each in cell["families"] for index in each[side])
            assert record[side] == "; ".join(told)


@pytest.mark.skipif(not shutil.which("dot"), reason="Graphviz is not installed (Debian: graphviz)")
@pytest.mark.parametrize("case", CASES)
def test_graph_is_one_that_graphviz_reads(case: str) -> None:
    text = written(reach_of(case, By.WORKLOAD), "dot")
    done = subprocess.run(["dot", "-Tplain"], input=text, capture_output=True, text=True, check=True, timeout=60)
    arrows = [line for line in done.stdout.splitlines() if line.startswith("edge ")]
    assert len(arrows) == text.count(" -> ")
    assert not done.stderr
