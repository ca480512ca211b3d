"""Random edits of random policies in random files: the object is the wanted one, and the rest of the file stays."""

from collections.abc import Iterator
from random import Random
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from ovsnp.yaml_editor import FileText
from ovsnp.yaml_editor.equality import same
from tests.support.random_policies import random_edit, random_policy
from tests.support.random_yaml import Path, RandomWriter

RANDOMS = st.randoms(use_true_random=False)
NEWLINES = ("\n", "\n", "\r\n")


class Scene:
    """A random file of several documents, and one of them."""

    def __init__(self, random: Random) -> None:
        self.documents = [random_policy(random) for _ in range(random.randint(1, 3))]
        self.number = random.randrange(len(self.documents))
        newline = random.choice(NEWLINES)
        texts = []
        for number, document in enumerate(self.documents):
            writer = RandomWriter(random, first=1000 * number)
            texts.append(writer.document(document).replace("\n", newline))
            if number == self.number:
                self.comments = writer.comments
        marker = f"---{newline}"
        self.before = "".join(text + marker for text in texts[: self.number])
        self.after = "".join(marker + text for text in texts[self.number + 1 :])
        self.text = texts[self.number]
        if not self.after and random.random() < 0.3:
            self.text = self.text.removesuffix(newline)
        self.mark = "\ufeff" if random.random() < 0.2 else ""
        self.data = (self.mark + self.before + self.text + self.after).encode()
        self.document = self.documents[self.number]

    def within(self, data: bytes) -> str:
        """The text of the document in the file after an edit, in which everything else stays."""
        text = data.decode()
        assert text.startswith(self.mark + self.before)
        assert text.endswith(self.after)
        return text[len(self.mark + self.before) : len(text) - len(self.after)]

    def lost(self, text: str) -> set[Path]:
        """The places of the comments that are no longer there."""
        return {comment.path for comment in self.comments if comment.text not in text}


def touched(old: Any, new: Any, path: Path = ()) -> Iterator[Path]:
    """The places where something is removed, or of another kind."""
    if isinstance(old, dict) and isinstance(new, dict) and old.keys() & new.keys():
        for key in old:
            yield from touched(old[key], new[key], (*path, key)) if key in new else [(*path, key)]
    elif not same(old, new) and isinstance(old, dict | list) and old:
        yield path


def check(random: Random) -> None:
    """The law of an edit."""
    scene = Scene(random)
    new = random_edit(random, scene.document)
    data = FileText("a.yaml", scene.data).replaced(scene.number, (), new)
    text = scene.within(data)
    read = [*yaml.safe_load_all(data)]
    expected = [*scene.documents]
    expected[scene.number] = new
    assert same(read, expected)
    gone = [*touched(scene.document, new)]
    for path in scene.lost(text):
        assert any(path[: len(each)] == each for each in gone), (path, gone)
    assert same(new, scene.document) == (data == scene.data)


@given(RANDOMS)
@settings(max_examples=100)
def test_edit_changes_the_object_and_keeps_the_rest(random: Random) -> None:
    check(random)


def leaves(value: Any, path: Path = ()) -> Iterator[Path]:
    if isinstance(value, dict | list):
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from leaves(inner, (*path, key))
    elif value is not None:
        yield path


def check_scalar(random: Random) -> None:
    """An edit of one scalar replaces its text, and not one byte more."""
    scene = Scene(random)
    path = random.choice([*leaves(scene.document)])
    new = with_value(scene.document, path, "written-anew")
    text = scene.within(FileText("a.yaml", scene.data).replaced(scene.number, (), new))
    assert not scene.lost(text)
    before, _, after = text.partition("written-anew")
    before, after = before.rstrip("'\""), after.lstrip("'\"")
    assert scene.text.startswith(before)
    if scene.text[len(before) :][:1] in "|>":
        # The comment on the first line of a block scalar is now behind the value.
        after = after[after.index("\n") :] if "\n" in after else ""
    assert scene.text.endswith(after)
    replaced = scene.text[len(before) : len(scene.text) - len(after)]
    assert yaml.safe_load(f"{replaced}\n") == value_at(scene.document, path) or replaced.endswith(("\n", "\r"))


def with_value(value: Any, path: Path, new: Any) -> Any:
    if not path:
        return new
    changed = [*value] if isinstance(value, list) else {**value}
    changed[path[0]] = with_value(value[path[0]], path[1:], new)
    return changed


def value_at(value: Any, path: Path) -> Any:
    for step in path:
        value = value[step]
    return value


@given(RANDOMS)
@settings(max_examples=100)
def test_edit_of_a_scalar_replaces_its_text(random: Random) -> None:
    check_scalar(random)


def check_own_text(random: Random) -> None:
    """The own text of an object says it and can be put back, and another text takes its place as it stands."""
    scene, new = Scene(random), random_policy(random)
    file = FileText("a.yaml", scene.data)
    own = file.own_text(scene.number)
    assert own is not None
    assert same(yaml.safe_load(own), scene.document)
    assert not scene.lost(own)
    assert file.with_text(scene.number, (), own, scene.document) == scene.data
    written = RandomWriter(random, first=9000).document(new)
    text = scene.within(file.with_text(scene.number, (), written, new))
    assert text.replace("\r\n", "\n").strip() == written.strip()


@given(RANDOMS)
@settings(max_examples=50)
def test_own_text_is_taken_out_and_put_back(random: Random) -> None:
    check_own_text(random)


def check_removal(random: Random) -> None:
    scene = Scene(random)
    data = FileText("a.yaml", scene.data).removed(scene.number)
    rest = [each for number, each in enumerate(scene.documents) if number != scene.number]
    if data is None:
        assert not rest
        return
    text = data.decode()
    assert [each for each in yaml.safe_load_all(text) if each is not None] == rest
    assert text.startswith(scene.mark + scene.before.removesuffix("\n").removesuffix("\r").removesuffix("---"))
    assert text.endswith(scene.after.removeprefix("---").lstrip() if not scene.before else scene.after)


@given(RANDOMS)
@settings(max_examples=50)
def test_removal_keeps_the_other_documents(random: Random) -> None:
    check_removal(random)


@given(RANDOMS)
@settings(max_examples=50)
def test_addition_keeps_every_byte(random: Random) -> None:
    scene, new = Scene(random), random_policy(random)
    data = FileText("a.yaml", scene.data).appended(new)
    assert data.startswith(scene.data)
    assert same([*yaml.safe_load_all(data)], [*scene.documents, new])


@pytest.mark.parametrize("seed", range(20))
def test_edits_with_a_fixed_seed(seed: int) -> None:
    for law in (check, check_scalar, check_own_text, check_removal):
        law(Random(seed))
