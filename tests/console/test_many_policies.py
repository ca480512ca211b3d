"""The console with 2,000 policies: the table, one of the policies in the editor, the answer beside the form, a save.

How long this takes is measured (``python -m bench draft``), and not tested.
"""

import json
from pathlib import Path

from click.testing import CliRunner

from bench.api_objects import write_list
from bench.generate import cluster
from bench.layout import Size
from ovsnp.cli import ovsnp
from tests.console.conftest import Open
from tests.console.editor.test_editor import EDIT, fields

SIZE = Size(pods=2_000, nodes=10, namespaces=200, local=10)
POLICIES = 2_000


def test_one_of_two_thousand_policies_is_found_judged_and_saved(open_console: Open, tmp_path: Path) -> None:
    directory = tmp_path / "manifests"
    directory.mkdir()
    file = directory / "cluster.json"
    with file.open("w", encoding="utf-8") as out:
        write_list(cluster(SIZE, minimal=True), out)
    before = json.loads(file.read_text())
    policies = [each for each in before["items"] if each["kind"] == "NetworkPolicy"]
    assert len(policies) == POLICIES
    policy = next(
        each for each in policies[POLICIES // 2 :] if each["spec"].get("ingress") and each["spec"]["podSelector"]
    )
    metadata = policy["metadata"]
    visitor = open_console(directory)
    assert f"of {POLICIES}" in visitor.get("/policies").text
    found = visitor.get(f"/policies?namespace={metadata['namespace']}&filter={metadata['name']}")
    assert found.text.count(f"{metadata['name']}\n") == 1

    sent = fields(visitor.get(f"{EDIT}?namespace={metadata['namespace']}&name={metadata['name']}").body)
    sent |= {"inbound.0.peerChoice": "all"}
    answer = [json.loads(line) for line in visitor.post("/policies/draft", sent).body.splitlines()]
    assert [line["part"] for line in answer if "part" in line] == ["notes", "pods", "effect", "lint", "matrix"]
    assert visitor.post("/policies/save", sent).status == 303

    del policy["spec"]["ingress"][0]["from"]
    assert json.loads(file.read_text()) == before
    old = tmp_path / "old.json"
    with old.open("w", encoding="utf-8") as out:
        write_list(cluster(SIZE, minimal=True), out)
    effect = CliRunner().invoke(ovsnp, ["diff", "--effect", str(old), str(file), "-o", "json"])
    summary = next(line["summary"] for line in answer if "summary" in line)
    changes = [len(json.loads(effect.stdout)[each]) for each in ("gained", "lost")]
    assert any(changes)
    assert summary.endswith(f"lines of connections gained: {changes[0]}, lost: {changes[1]}.")
