"""The browser that the tests of the page share."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from selenium.webdriver import Chrome

from ovsnp.analysis.matrix.page import page_data
from ovsnp.analysis.matrix.view import View
from ovsnp.analysis.reach.cells import Reach
from ovsnp.analysis.wording.places import Places
from ovsnp.manifests import load
from ovsnp.render.page import render_page
from tests.matrix.browser import CHROMIUM, DRIVER, browser, opened

Show = Callable[[View], Chrome]
Golden = Callable[[str], Reach]


@pytest.fixture(scope="session")
def chrome() -> Iterator[Chrome]:
    """One browser for all tests of this process, with a window that shows every cell of a small matrix."""
    if not (CHROMIUM and DRIVER):
        pytest.skip("chromium is not installed (Debian: chromium chromium-driver)")
    with browser("--window-size=6000,3000") as driver:
        yield driver


@pytest.fixture
def show(chrome: Chrome, tmp_path: Path) -> Show:
    """Write the page of a view and open it."""

    def show(view: View) -> Chrome:
        page = tmp_path / "matrix.html"
        page.write_text(render_page(page_data(view, Places())), encoding="utf-8")
        opened(chrome, page)
        return chrome

    return show


@pytest.fixture
def small_window(chrome: Chrome) -> Iterator[None]:
    """A window of a usual size."""
    before = chrome.get_window_size()
    chrome.set_window_size(1280, 800)
    yield
    chrome.set_window_size(before["width"], before["height"])


@pytest.fixture
def golden(monkeypatch: pytest.MonkeyPatch) -> Golden:
    """The matrix of a golden case, with file names relative to the folder of the case."""

    def golden(case: str) -> Reach:
        monkeypatch.chdir(Path(__file__).parents[1] / "golden" / case)
        own = Path("cluster.yaml")
        return Reach(load([str(own if own.exists() else Path(os.pardir, "cluster.yaml")), "policies.yaml"]))

    return golden
