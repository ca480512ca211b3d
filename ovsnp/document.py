"""What ``-o json`` prints: the text of a document, and words that documents have in common.

A document is a msgspec Struct, nested in others: fields are keys, in their order. Its schema in docs is made from it
(`ovsnp.cli.schemas`), and names, patterns and bounds in it are all that the schema knows.
"""

import json
from typing import Annotated

import msgspec
from msgspec import Meta

Count = Annotated[int, Meta(ge=0)]
LineNumber = Annotated[int, Meta(ge=1)]
PortNumber = Annotated[int, Meta(ge=1, le=65535)]
IPVersion = Annotated[int, Meta(extra_json_schema={"enum": [4, 6]})]
ObjectKey = Annotated[str, Meta(pattern="^[^/]+/[^/]+$")]
"""NAMESPACE/NAME."""


def document_text(document: msgspec.Struct) -> str:
    """The document in ASCII, indented, with a newline at the end; names of files may be in any encoding, or in none."""
    try:
        text = msgspec.json.encode(document).decode("ascii")
    except UnicodeError:
        return json.dumps(msgspec.to_builtins(document), indent=2) + "\n"
    return msgspec.json.format(text, indent=2).replace("\x7f", "\\u007f") + "\n"
