"""From the form back to the object: only what differs from the form of the original is written."""

import copy
from collections.abc import Mapping, MutableMapping
from typing import Any

from ovsnp.console.form.document import PolicyForm
from ovsnp.console.form.mistakes import FieldMistake, FormError
from ovsnp.console.form.object_mistakes import mistakes_of
from ovsnp.console.form.reading import directions_of, form_of
from ovsnp.console.form.rules import written_rules
from ovsnp.console.form.selectors import write_selector

_NO_DIRECTION = "missing; choose inbound, outbound, or both"
_NO_NAMESPACE = "missing; choose a namespace"

_TYPES = ("Ingress", "Egress")


def object_of(form: PolicyForm, original: Mapping[str, Any] | None) -> dict[str, Any]:
    """The object that the form says; ``original`` is the object that the form was made from, None for a new policy.

    What the form does not show, and all that is as it was, stays as it is in ``original``. The object may have mistakes
    in its values, such as a block that is none: see `mistakes_of`. Raises FormError, with these mistakes too, if a
    required field is empty or contradicts another, and NotShownError if ``original`` has no form.
    """
    mistakes: list[FieldMistake] = []
    before = None if original is None else form_of(original)
    result: dict[str, Any] = {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy"}
    if original is not None:
        result = copy.deepcopy({**original})
    _write_metadata(result, form, before, mistakes)
    _write_spec(result, form, before, mistakes)
    if mistakes:
        raise FormError(_with_those_of_values(mistakes, result, form))
    return result


def _write_metadata(
    result: MutableMapping[str, Any], form: PolicyForm, before: PolicyForm | None, mistakes: list[FieldMistake]
) -> None:
    changed: dict[str, str] = {}
    if before is None or form.name != before.name:
        changed["name"] = form.name.strip()
    if before is None or form.namespace != before.namespace:
        changed["namespace"] = form.namespace.strip()
        if not changed["namespace"]:
            mistakes.append(FieldMistake("namespace", _NO_NAMESPACE))
    if changed:
        result["metadata"] = {**(result.get("metadata") or {}), **changed}


def _write_spec(
    result: MutableMapping[str, Any], form: PolicyForm, before: PolicyForm | None, mistakes: list[FieldMistake]
) -> None:
    spec: dict[str, Any] = {**(result.get("spec") or {})}
    if before is None or form.selector != before.selector:
        old = before.selector if before else None
        spec["podSelector"] = write_selector(form.selector, old, spec.get("podSelector"), "selector", mistakes)
    for field, rows, old_rows in (
        ("ingress", form.inbound, before and before.inbound),
        ("egress", form.outbound, before and before.outbound),
    ):
        if rows != (old_rows or []):
            written = written_rules(rows, old_rows or [], spec.get(field) or [], field, mistakes)
            if written:
                spec[field] = written
            else:
                spec.pop(field, None)
    if not form.directions:
        mistakes.append(FieldMistake("directions", _NO_DIRECTION))
    elif before is None or {*directions_of(spec)} != {*form.directions}:
        spec["policyTypes"] = _types(spec.get("policyTypes") or [], form)
    if before is None or spec != (result.get("spec") or {}):
        result["spec"] = spec


def _types(old: list[Any], form: PolicyForm) -> list[Any]:
    """The types as the form has them; others that the object has stay, and so does their order."""
    kept = [each for each in old if each not in _TYPES or each in form.directions]
    return [*kept, *(each for each in _TYPES if each in form.directions and each not in kept)]


def _with_those_of_values(
    mistakes: list[FieldMistake], written: Mapping[str, Any], form: PolicyForm
) -> list[FieldMistake]:
    """These mistakes, and those of the values of other fields."""
    fields = {each.field for each in mistakes}
    others = (each for each in mistakes_of(written, form) if each.field not in fields)
    return [*mistakes, *others]
