"""The encoding of a file's text."""

import codecs

_WIDE = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
"""The byte order marks that some Windows shells write; UTF-32 first, as one of its marks begins like one of UTF-16."""


def in_utf8(data: bytes) -> bytes:
    """Text with a byte order mark of UTF-16 or UTF-32 in UTF-8; other data unchanged, for the parsers to check."""
    encoding = next((encoding for mark, encoding in _WIDE if data.startswith(mark)), None)
    if encoding is None:
        return data
    try:
        return data.decode(encoding).encode()
    except UnicodeError:
        return data
