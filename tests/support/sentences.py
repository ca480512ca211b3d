"""What ovsnp says, held against what it should say."""

import re


def is_as_expected(said: str, expected: str) -> bool:
    """Whether a line is the expected one, in which ``...`` stands for words of a library: these change with it."""
    return re.fullmatch(".+".join(map(re.escape, expected.split("..."))), said) is not None
