"""What stands among manifests and is ovsnp's own: its configuration, and expectations for ``ovsnp check``."""

import os
from typing import Any

CONFIGURATION = "ovsnp.yaml"
"""The configuration's name in any directory."""

_OBJECT = frozenset({"apiVersion", "kind", "metadata", "spec", "items"})
"""What at least one of is in everything that somebody may have meant as an object of the API."""


def is_own(file: str, value: Any) -> bool:
    """Whether a document is none of the API's objects, but one of ovsnp's own."""
    if isinstance(value, list):
        return bool(value) and all(isinstance(item, dict) and _is_expectation(item) for item in value)
    return os.path.basename(file) == CONFIGURATION and isinstance(value, dict) and not _OBJECT & value.keys()


def _is_expectation(item: dict[Any, Any]) -> bool:
    return "expect" in item and not _OBJECT & item.keys()
