"""API objects as the API server completes them and as kubectl prints them."""

import json
import uuid
from collections.abc import Iterator
from typing import Any, TextIO

Object = dict[str, Any]

CREATED = "2025-03-03T08:15:00Z"
STARTED = "2025-03-03T08:15:09Z"


def write_list(items: Iterator[str], out: TextIO) -> None:
    """Write the List; the items are JSON texts without the indentation of the List."""
    out.write('{\n    "apiVersion": "v1",\n    "items": [\n')
    separator = ""
    for item in items:
        out.write(separator + "        " + item.replace("\n", "\n        "))
        separator = ",\n"
    out.write('\n    ],\n    "kind": "List",\n    "metadata": {\n        "resourceVersion": ""\n    }\n}\n')


def text(item: Object) -> str:
    """An object as kubectl prints it: sorted keys, indented by 4."""
    return json.dumps(item, indent=4, sort_keys=True)


def identity(kind: str, name: str) -> Object:
    """The metadata that the API server adds to every object."""
    uid = uuid.uuid5(uuid.NAMESPACE_URL, f"{kind}/{name}")
    return {"creationTimestamp": CREATED, "resourceVersion": str(1000 + uid.int % 9_000_000), "uid": str(uid)}
