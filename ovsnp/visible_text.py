"""Text that others have written, such as a message of an API server, made safe to print.

Control characters move the cursor of a terminal, and can make it show something else than was said; the characters that
reverse the direction of writing do so, too.
"""


def visible(text: str) -> str:
    """The text as one line: each character that is not printable is its escape sequence in a Python string."""
    return text if text.isprintable() else "".join(map(_visible, text))


def visible_lines(text: str) -> str:
    """The text with its line ends, and each line as `visible` shows it."""
    return "\n".join(map(visible, text.split("\n")))


def _visible(character: str) -> str:
    return character if character.isprintable() else repr(character)[1:-1]
