"""Equality of values as YAML and JSON know it: ``1``, ``1.0``, ``true`` and ``"1"`` are four values."""

from typing import Any


def same(one: Any, other: Any) -> bool:
    """True if both are the same value; the order of keys does not count."""
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return _identities(one) == _identities(other) and all(same(value, other[key]) for key, value in one.items())
    if isinstance(one, list):
        return len(one) == len(other) and all(map(same, one, other))
    return bool(one == other) or (one != one and other != other)  # noqa: PLR0124 -- only NaN differs from itself


def identity(value: Any) -> str:
    """A text that is equal for the same values and differs for others."""
    if isinstance(value, dict):
        inside = sorted(f"{key!r}:{identity(inner)}" for key, inner in value.items())
        return f"{{{','.join(inside)}}}"
    if isinstance(value, list):
        return f"[{','.join(map(identity, value))}]"
    return repr(value)


def _identities(mapping: dict[Any, Any]) -> set[tuple[type, Any]]:
    return {(type(key), key) for key in mapping}
