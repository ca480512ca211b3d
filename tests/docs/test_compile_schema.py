"""The output of `ovsnp compile -o json` for the golden cases matches docs/compile.schema.json."""

import json
import os

import jsonschema
import pytest

from tests.support.applying import ovsnp
from tests.support.checkout import ROOT

CASES = sorted(file.parent.name for file in (ROOT / "tests" / "golden").glob("*/ovsnp.yaml"))
SCHEMA = json.loads((ROOT / "docs" / "compile.schema.json").read_text())


@pytest.mark.parametrize("case", CASES)
def test_document_is_as_its_schema_says(case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OVS_RUNDIR", os.devnull)
    answer = ovsnp("compile", "--config", ROOT / "tests" / "golden" / case / "ovsnp.yaml", "-o", "json")
    document = json.loads(answer.out)
    jsonschema.Draft202012Validator(SCHEMA).validate(document)
    assert document.keys() == SCHEMA["properties"].keys()
    for kind in ("Flow", "Group"):
        keys = SCHEMA["$defs"][f"Compiled{kind}"]["properties"].keys()
        assert all(each.keys() == keys for each in document[f"{kind.lower()}s"])
