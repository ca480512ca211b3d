"""The encoding of a file's text."""

import codecs

_WIDE = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
"""The marks of wide encodings, which some shells of Windows write into files. Those of UTF-32 go first: one of them
begins like one of UTF-16."""


def in_utf8(data: bytes) -> bytes:
    """Text with the mark of a wide encoding in UTF-8; all else as it is, for the parsers to judge."""
    encoding = next((encoding for mark, encoding in _WIDE if data.startswith(mark)), None)
    if encoding is None:
        return data
    try:
        return data.decode(encoding).encode()
    except UnicodeError:
        return data
