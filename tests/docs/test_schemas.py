"""The schemas in docs/ are those of the documents; `make schemas` or `pytest --update-golden` writes."""

import json

import jsonschema
import pytest

from ovsnp.cli.schemas import main, schemas
from tests.support.checkout import ROOT

FOLDER = ROOT / "docs"


def test_schemas_are_as_the_documents_are(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.config.getoption("--update-golden"):
        monkeypatch.setattr("sys.argv", ["schemas", str(FOLDER)])
        main()
    assert {file.name for file in FOLDER.glob("*.schema.json")} == schemas().keys()
    for name, text in schemas().items():
        assert (FOLDER / name).read_text() == text, "a document is otherwise now; make schemas"


@pytest.mark.parametrize("name", schemas())
def test_each_stands_alone(name: str) -> None:
    schema = json.loads(schemas()[name])
    jsonschema.Draft202012Validator.check_schema(schema)
    assert all(reference.startswith("#/$defs/") for reference in references(schema))


def references(schema: object) -> list[str]:
    """Every other schema that this one names."""
    if isinstance(schema, list):
        return [found for each in schema for found in references(each)]
    if not isinstance(schema, dict):
        return []
    there = [schema["$ref"]] if isinstance(schema.get("$ref"), str) else []
    return there + [found for each in schema.values() for found in references(each)]
