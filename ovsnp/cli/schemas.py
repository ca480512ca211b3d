"""The schemas of ``-o json`` output, made from the documents: ``python -m ovsnp.cli.schemas docs`` writes them.

The wheel has them in ovsnp/schemas.
"""

import inspect
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from ovsnp.agent.report import AgentReport
from ovsnp.agent.traffic.drop_document import Drop
from ovsnp.agent.traffic.live_connections import ConnectionsDocument
from ovsnp.agent.traffic.rates import RatesDocument
from ovsnp.analysis.check.check_document import CheckDocument
from ovsnp.analysis.diff.effect.effect_document import EffectDocument
from ovsnp.analysis.diff.flows.flow_changes_document import DiffDocument
from ovsnp.analysis.enforcement.status_document import StatusDocument
from ovsnp.analysis.explain.documents import ExplainAnswer
from ovsnp.analysis.explain.one_pod.one_pod_document import ExplainPodDocument
from ovsnp.analysis.lint.findings_json import LintDocument
from ovsnp.analysis.matrix.matrix_document import MatrixDocument
from ovsnp.analysis.trace.trace_document import TraceDocument
from ovsnp.analysis.verification.proof_document import VerifyDocument
from ovsnp.apply.apply_document import ApplyDocument
from ovsnp.lab.matrix_json import LabTestDocument
from ovsnp.render import CompileDocument

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_DOCUMENTS: Mapping[str, tuple[str, Any]] = {
    "agent-status": ("GET /status of the control socket of ovsnp agent", AgentReport),
    "apply": ("ovsnp apply -o json", ApplyDocument),
    "check": ("ovsnp check -o json", CheckDocument),
    "connections": ("ovsnp connections -o json", ConnectionsDocument),
    "compile": ("ovsnp compile -o json", CompileDocument),
    "diff": ("ovsnp diff -o json", DiffDocument),
    "diff-effect": ("ovsnp diff --effect -o json, of OLD and NEW or of a bridge", EffectDocument),
    "drops": ("a line of ovsnp drops -o json", Drop),
    "explain": ("ovsnp explain -o json", ExplainAnswer),
    "explain-pod": ("ovsnp explain POD -o json", ExplainPodDocument),
    "lab-test": ("ovsnp lab test -o json", LabTestDocument),
    "lint": ("ovsnp lint -o json", LintDocument),
    "matrix": ("ovsnp matrix -o json", MatrixDocument),
    "status": ("ovsnp status -o json", StatusDocument),
    "top": ("ovsnp top -o json", RatesDocument),
    "trace": ("ovsnp trace -o json", TraceDocument),
    "verify": ("ovsnp verify -o json", VerifyDocument),
}


def schemas() -> dict[str, str]:
    """Every schema by the name of its file; each stands alone."""
    return {f"{name}.schema.json": _schema(*each) for name, each in _DOCUMENTS.items()}


def _schema(title: str, document: Any) -> str:
    (root,), definitions = msgspec.json.schema_components([document], ref_template="#/$defs/{name}")
    for each in definitions.values():
        each["description"] = inspect.cleandoc(each["description"])
    described = definitions.pop(root.pop("$ref").rpartition("/")[2])
    schema = {"$schema": _DIALECT, **described, **root, "title": title, "$defs": definitions}
    return json.dumps(schema, indent=2) + "\n"


def main() -> None:
    """Write the schemas into the folder that the command line names."""
    folder = Path(sys.argv[1])
    for name, text in schemas().items():
        (folder / name).write_text(text)


if __name__ == "__main__":
    main()
