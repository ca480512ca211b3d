"""Files of ovsnp among manifests: its configuration, and expectations for ``ovsnp check``."""

import os
from typing import Any

CONFIGURATION = "ovsnp.yaml"
"""The name of the configuration in any directory."""

_OBJECT = frozenset({"apiVersion", "kind", "metadata", "spec", "items"})
"""The fields of API objects: a document that may be meant as an API object has at least one of them."""


def is_own(file: str, value: Any) -> bool:
    """True if a document is no API object, but one of ovsnp's own files."""
    if isinstance(value, list):
        return bool(value) and all(isinstance(item, dict) and _is_expectation(item) for item in value)
    return os.path.basename(file) == CONFIGURATION and isinstance(value, dict) and not _OBJECT & value.keys()


def _is_expectation(item: dict[Any, Any]) -> bool:
    return "expect" in item and not _OBJECT & item.keys()
