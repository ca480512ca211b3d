"""Names and labels of objects, and selectors."""

from collections.abc import Callable, Iterable, Mapping

from ovsnp.manifests.kinds import wire
from ovsnp.manifests.kinds.syntax import label_key_fault, label_value_fault, subdomain_fault
from ovsnp.model.selector import Operator, Requirement, Selector
from ovsnp.yaml_reader.paths import Path
from ovsnp.yaml_reader.report import MistakeReport
from ovsnp.yaml_reader.structure import quote

_OPERATORS: Mapping[str, Operator] = {operator.value: operator for operator in Operator}
_sound: dict[str, str] = {}
_sound_keys: set[str] = set()
"""Values and keys that are known to be valid: a cluster has many labels, but few different ones."""
_MAX_SOUND = 1_000_000

_NULL_REQUIREMENT = "null is no requirement; write key, operator and values, or remove it"


def read_name(
    metadata: wire.ApiMetadata | None, report: MistakeReport, check: Callable[[str], str | None] = subdomain_fault
) -> str:
    """The name of an object; reports a missing or invalid name."""
    name = (metadata and metadata.name) or ""
    report.add(("metadata", "name"), check(name) if name else "missing; give the object a name")
    return name


def read_labels(labels: dict[str, str] | None, path: Path, report: MistakeReport) -> Mapping[str, str]:
    """Check labels and return the same mapping; equal values of all objects become one string, to save memory."""
    if not labels:
        return {}
    for key, value in labels.items():
        shared = _sound.get(value)
        if shared is None or key not in _sound_keys:
            report.add((*path, key), label_key_fault(key) or label_value_fault(value))
            _note_sound(key, value)
        else:
            labels[key] = shared
    return labels


def _note_sound(key: str, value: str) -> None:
    if len(_sound) + len(_sound_keys) > _MAX_SOUND:
        _sound.clear()
        _sound_keys.clear()
    if not label_value_fault(value):
        _sound[value] = value
    if not label_key_fault(key):
        _sound_keys.add(key)


def read_selector(selector: wire.ApiLabelSelector, path: Path, report: MistakeReport) -> Selector:
    """A selector; its requirements are sorted, without duplicates."""
    requirements = _read_match_labels(selector.match_labels, (*path, "matchLabels"), report)
    for index, expression in enumerate(selector.match_expressions or ()):
        requirement = _read_requirement(expression, (*path, "matchExpressions", index), report)
        if requirement is not None:
            requirements.add(requirement)
    return Selector(tuple(sorted(requirements)))


def read_plain_selector(labels: dict[str, str] | None, path: Path, report: MistakeReport) -> Selector | None:
    """A selector that is only a mapping of labels, as Services have it; None if it is absent or empty."""
    requirements = _read_match_labels(labels, path, report)
    return Selector(tuple(sorted(requirements))) if requirements else None


def _read_match_labels(labels: dict[str, str] | None, path: Path, report: MistakeReport) -> set[Requirement]:
    return {Requirement(key, Operator.IN, (value,)) for key, value in read_labels(labels, path, report).items()}


def _read_requirement(requirement: wire.ApiRequirement | None, path: Path, report: MistakeReport) -> Requirement | None:
    if requirement is None:
        report.add(path, _NULL_REQUIREMENT)
        return None
    key = requirement.key or ""
    report.add((*path, "key"), label_key_fault(key) if key else "missing; name the label's key")
    operator = _read_operator(requirement.operator, (*path, "operator"), report)
    values = _read_values(requirement.values or (), (*path, "values"), report)
    if operator is None:
        return None
    takes_values = operator in (Operator.IN, Operator.NOT_IN)
    if takes_values and not requirement.values:
        report.add((*path, "values"), f"{operator} needs values; list at least one, or use Exists or DoesNotExist")
    elif requirement.values and not takes_values:
        report.add((*path, "values"), f"{operator} takes no values; remove them, or use In or NotIn")
    return Requirement(key, operator, values)


def _read_operator(name: str | None, path: Path, report: MistakeReport) -> Operator | None:
    operator = _OPERATORS.get(name or "")
    if operator is None:
        what = f"{quote(name)} is no operator" if name else "missing"
        report.add(path, f"{what}; write {', '.join(_OPERATORS)}")
    return operator


def _read_values(values: Iterable[str | None], path: Path, report: MistakeReport) -> tuple[str, ...]:
    found: set[str] = set()
    for index, value in enumerate(values):
        if value is None:
            report.add((*path, index), 'null is no value; write "" for an empty one')
        else:
            report.add((*path, index), label_value_fault(value))
            found.add(value)
    return tuple(sorted(found))
