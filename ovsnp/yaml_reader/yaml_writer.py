"""Writes an object that is in no file as YAML."""

from typing import Any

import yaml


def as_yaml(value: Any) -> str:
    """The object with its fields in their order."""
    return yaml.safe_dump(value, sort_keys=False, allow_unicode=True, width=120)
