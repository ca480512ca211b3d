"""What ``-o json`` prints: the text of a document, and the types that documents have in common.

A document is a msgspec Struct of other Structs. The fields are the keys, in this order, and types, bounds, patterns and
descriptions are those of the schema (`ovsnp.cli.schemas`).
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
    """The document in ASCII, indented, with a newline at the end; a name of a file need not be UTF-8."""
    try:
        text = msgspec.json.encode(document).decode("ascii")
    except UnicodeError:
        # msgspec neither escapes what is beyond ASCII nor takes the lone surrogates of a name that is not UTF-8.
        return json.dumps(msgspec.to_builtins(document), indent=2) + "\n"
    return msgspec.json.format(text, indent=2).replace("\x7f", "\\u007f") + "\n"
