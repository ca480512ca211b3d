"""The cache of virtual machines: an image is that of its recipe."""

import msgspec

from tests.kernel.recipe import SUITES, Recipe, recipe

RECIPE = Recipe("bookworm", "bookworm", ("click==8.2.1",))


def test_what_goes_in_makes_the_key() -> None:
    others = [{"suite": "trixie"}, {"kernel_suite": "trixie"}, {"locks": ("click==8.2.1", "rich==13.0.0")}]
    keys = [RECIPE.key, *(msgspec.structs.replace(RECIPE, **other).key for other in others)]
    assert len(set(keys)) == len(keys)
    assert {suite: recipe(suite).key for suite in SUITES} == {suite: recipe(suite).key for suite in SUITES}
