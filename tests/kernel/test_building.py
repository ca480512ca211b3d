"""The cache of virtual machines: a kept image is complete, and is that of its recipe."""

from pathlib import Path

import msgspec
import pytest

from tests.kernel import building
from tests.kernel.building import BuildError, image
from tests.kernel.recipe import SUITES, Recipe, recipe

RECIPE = Recipe("bookworm", "bookworm", ("click==8.2.1",))


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    made = tmp_path / "cache"
    monkeypatch.setattr(building, "CACHE", made)
    monkeypatch.setattr(building, "_check_machine", lambda: None)
    return made


def test_what_goes_in_makes_the_key() -> None:
    others = [{"suite": "trixie"}, {"kernel_suite": "trixie"}, {"locks": ("click==8.2.1", "rich==13.0.0")}]
    keys = [RECIPE.key, *(msgspec.structs.replace(RECIPE, **other).key for other in others)]
    assert len(set(keys)) == len(keys)
    assert {suite: recipe(suite).key for suite in SUITES} == {suite: recipe(suite).key for suite in SUITES}


def test_it_is_built_once(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    built = []

    def fill(directory: Path, recipe: Recipe) -> None:
        built.append(directory)
        (directory / "disk.img").write_text("disk")

    monkeypatch.setattr(building, "_fill", fill)
    assert image(RECIPE).disk.read_text() == image(RECIPE).disk.read_text() == "disk"
    assert len(built) == 1
    assert {path.name for path in cache.iterdir()} == {RECIPE.key, "lock"}


def test_a_build_that_fails_leaves_nothing(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(directory: Path, recipe: Recipe) -> None:
        (directory / "disk.img").write_text("half a disk")
        raise BuildError("no network")

    monkeypatch.setattr(building, "_fill", fail)
    with pytest.raises(BuildError, match="no network"):
        image(RECIPE)
    assert [path.name for path in cache.iterdir()] == ["lock"]


def test_what_a_build_that_was_killed_has_left_is_removed(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(building, "_fill", lambda directory, recipe: None)
    (cache / "draft-x" / "root").mkdir(parents=True)
    image(RECIPE)
    assert {path.name for path in cache.iterdir()} == {RECIPE.key, "lock"}
