"""Writes selectors of pods and namespaces."""

import copy
from collections.abc import Mapping, Sequence
from typing import Any

from ovsnp.console.form.document import ExpressionForm, LabelForm, NamespacesForm, SelectorForm
from ovsnp.console.form.mistakes import FieldMistake, FormError
from ovsnp.manifests.kinds.syntax import label_name_fault
from ovsnp.model.cluster import METADATA_NAME

_NO_LABEL = "missing; add a label, or choose all"
_NO_KEY = "missing; name the label's key"
_NO_NAME = "missing; choose a namespace"
_DOUBLED = "written twice; keep one of the two"
_STALE = "the form is of another version of the policy; load the policy again"


def stale(field: str) -> FormError:
    """The error for a row whose origin the object does not have."""
    return FormError([FieldMistake(field, _STALE)])


def write_selector(
    form: SelectorForm, before: SelectorForm | None, original: Any, field: str, mistakes: list[FieldMistake]
) -> dict[str, Any]:
    """The selector of the rows; ``original`` is the selector of which ``before`` are the rows."""
    if form.choice == "all":
        return {}
    if not form.labels and not form.expressions:
        mistakes.append(FieldMistake(field, _NO_LABEL))
    before = before or SelectorForm()
    result: dict[str, Any] = copy.deepcopy(original) or {}
    if form.labels != before.labels:
        _put(result, "matchLabels", _labels(form.labels, field, mistakes))
    if form.expressions != before.expressions:
        old = result.get("matchExpressions") or []
        _put(result, "matchExpressions", _expressions(form.expressions, before.expressions, old, field, mistakes))
    return result


def write_namespaces(
    form: NamespacesForm, before: NamespacesForm | None, original: Any, field: str, mistakes: list[FieldMistake]
) -> dict[str, Any] | None:
    """The selector of namespaces; None for the policy's own."""
    match form.choice:
        case "own":
            return None
        case "all":
            return {}
        case "named":
            name = form.name.strip()
            if fault := label_name_fault(name) if name else _NO_NAME:
                mistakes.append(FieldMistake(f"{field}.name", fault))
            kept = copy.deepcopy(original) if before and before.choice == "named" else {}
            return {**kept, "matchLabels": {METADATA_NAME: name}}
    listed = before is not None and before.choice == "listed"
    rows = SelectorForm("listed", before.labels, before.expressions) if before and listed else None
    wanted = SelectorForm("listed", form.labels, form.expressions)
    return write_selector(wanted, rows, original if listed else None, field, mistakes)


def _put(into: dict[str, Any], key: str, value: Any) -> None:
    if value:
        into[key] = value
    else:
        into.pop(key, None)


def _labels(rows: Sequence[LabelForm], field: str, mistakes: list[FieldMistake]) -> dict[str, str]:
    result: dict[str, str] = {}
    for index, row in enumerate(rows):
        key = row.key.strip()
        if not key or key in result:
            mistakes.append(FieldMistake(f"{field}.labels.{index}.key", _DOUBLED if key else _NO_KEY))
        else:
            result[key] = row.value.strip()
    return result


def _expressions(
    rows: Sequence[ExpressionForm],
    before: Sequence[ExpressionForm],
    items: Sequence[Mapping[str, Any]],
    field: str,
    mistakes: list[FieldMistake],
) -> list[Mapping[str, Any]]:
    result: list[Mapping[str, Any]] = []
    for index, row in enumerate(rows):
        if row.origin is not None and not 0 <= row.origin < len(before):
            raise stale(f"{field}.expressions.{index}")
        old = None if row.origin is None else before[row.origin]
        item = {} if row.origin is None else copy.deepcopy({**items[row.origin]})
        if old is None or row.key != old.key:
            item["key"] = row.key.strip()
        if old is None or row.operator != old.operator:
            item["operator"] = row.operator
        if row.values != (old.values if old else []):
            _put(item, "values", [value.strip() for value in row.values])
        result.append(item)
    return result
