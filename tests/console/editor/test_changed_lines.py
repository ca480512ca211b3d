"""What another one has changed in a text."""

import random

from ovsnp.console.editor.changed_lines import changed_lines


def marked(before: str, now: str) -> str:
    return "".join(each.mark + each.text for each in changed_lines(before, now))


def test_lines_are_marked() -> None:
    assert marked("a\nb\nc\n", "a\nx\nc") == " a-b+x c"
    assert marked("a\na\n", "a\na\na\n") == " a a+a"
    assert marked("a\na\na\n", "a\n") == " a-a-a"
    assert marked("", "a\n") == "+a"


def test_both_texts_are_whole() -> None:
    chance = random.Random(1)
    for _ in range(300):
        before, now = ("\n".join(chance.choices("abc", k=chance.randrange(12))) for _ in range(2))
        found = [*changed_lines(before, now)]
        assert [each.text for each in found if each.mark != "+"] == before.splitlines()
        assert [each.text for each in found if each.mark != "-"] == now.splitlines()


def test_two_changes_in_a_long_text_are_two() -> None:
    rules = [f"- ports:\n  - port: {number}\n    protocol: TCP" for number in range(1000)]
    before = "\n".join(rules)
    now = before.replace("port: 100\n", "port: 2000\n").replace("port: 900\n", "port: 2001\n")
    changed = [each.mark + each.text for each in changed_lines(before, now) if each.mark != " "]
    assert changed == ["-  - port: 100", "+  - port: 2000", "-  - port: 900", "+  - port: 2001"]
