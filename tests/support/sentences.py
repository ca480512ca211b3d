"""Comparison of messages with expected messages."""

import re


def is_as_expected(said: str, expected: str) -> bool:
    """True if a line is the expected line, in which ``...`` stands for words that depend on a library's version."""
    return re.fullmatch(".+".join(map(re.escape, expected.split("..."))), said) is not None
