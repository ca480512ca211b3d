"""Where lines break: between words, never inside a part that a reader may copy."""

import pytest

from ovsnp.cli import COMMANDS
from ovsnp.cli.fitting import indent, parts


def fitted(line: str, room: int | None) -> list[str]:
    return [line[part] for part in parts(line, room)]


def test_each_part_but_the_first_leaves_room_for_its_indent() -> None:
    line = "  one two three four five"
    assert indent(line) == 6
    assert fitted(line, 16) == ["  one two three", "four five"]
    assert fitted(line, 15) == ["  one two three", "four five"]
    assert fitted(line, 14) == ["  one two", "three", "four", "five"]


@pytest.mark.parametrize("room", [None, 25, 6, 1])
def test_line_that_fits_or_has_no_room_stays_as_it_is(room: int | None) -> None:
    assert fitted("  one two three four five", room) == ["  one two three four five"]


def test_wide_characters_count_as_two_columns() -> None:
    assert fitted("\u7db2\u7db2\u7db2 \u7db2\u7db2", 10) == ["\u7db2\u7db2\u7db2", "\u7db2\u7db2"]


@pytest.mark.parametrize("word", ["manifests/production/policies.yaml:120:", "priority=200,ip,nw_src=10.20.1.11"])
def test_word_that_is_longer_than_a_line_stays_whole(word: str) -> None:
    assert fitted(f"see {word} there", 20) == ["see", word, "there"]


@pytest.mark.parametrize(
    ("line", "command"),
    [
        ("add them (kubectl get pods,nodes -o json), or say so", "(kubectl get pods,nodes -o json),"),
        ("set it: ovs-vsctl set Interface a external_ids:b=MAC", "ovs-vsctl set Interface a external_ids:b=MAC"),
        ("see: ovs-appctl ofproto/trace br-int 'tcp, udp'; go on", "ovs-appctl ofproto/trace br-int 'tcp, udp';"),
        ("a shell in it: ip netns exec lab-a env A=/run/a bash", "ip netns exec lab-a env A=/run/a bash"),
        *((f"to go on: ovsnp {name} --name a; and so on", f"ovsnp {name} --name a;") for name in COMMANDS),
    ],
)
def test_command_stays_whole(line: str, command: str) -> None:
    for room in (20, 30, 40, 50):
        found = fitted(line, room)
        assert " ".join(found) == line
        assert any(command in part for part in found)


def test_ovsnp_in_a_sentence_is_no_command() -> None:
    assert fitted("ovsnp leaves the node out", 12) == ["ovsnp leaves", "the node", "out"]
