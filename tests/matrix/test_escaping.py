"""Names may hold any text: no name becomes markup of the page."""

from pathlib import Path

import pytest
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By

from ovsnp.analysis.matrix.page import page_data
from ovsnp.analysis.matrix.view import View
from ovsnp.analysis.reach.cells import Reach
from ovsnp.analysis.wording.places import Places
from ovsnp.manifests import load
from ovsnp.render.page import render_page
from tests.matrix.browser import complaints, opened

EVIL = "</script><script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\"><!--<script>"
MANIFESTS = """
{apiVersion: v1, kind: Pod, metadata: {name: a, labels: {x: y}}, status: {podIPs: [{ip: 10.0.0.1}]}}
---
{apiVersion: v1, kind: Pod, metadata: {name: b, labels: {x: z}}, status: {podIPs: [{ip: 10.0.0.2}]}}
---
{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: p}, spec: {podSelector: {}}}
"""


def test_name_of_a_file_stays_text(chrome: Chrome, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    file = Path(f"{EVIL}.yaml")
    file.parent.mkdir(parents=True)
    file.write_text(MANIFESTS)
    shown(chrome, page_data(View(Reach(load([str(file)]))), Places()))


def test_any_other_name_stays_text_should_it_pass_the_checks(
    chrome: Chrome, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """ovsnp checks the API's rules for names; the page does not rely on this check."""
    monkeypatch.chdir(tmp_path)
    file = Path("manifests.yaml")
    file.write_text(MANIFESTS)
    data = page_data(View(Reach(load([str(file)]))), Places())
    for party in data["parties"]:
        party[0] += EVIL
    for policy in data["policies"]:
        policy[0] += EVIL
    data["port"] = EVIL
    shown(chrome, data)


def shown(chrome: Chrome, data: dict[str, object]) -> None:
    """Open the page and click a cell: the panel shows the text, and the text has no effect."""
    page = Path("page.html").resolve()
    page.write_text(render_page(data))
    opened(chrome, page)
    chrome.find_elements(By.CSS_SELECTOR, ".cell")[1].click()
    assert EVIL in chrome.find_element(By.ID, "panel").text
    assert chrome.title == "Who reaches whom"
    assert chrome.find_elements(By.CSS_SELECTOR, "img, main script, #data ~ script ~ script") == []
    assert complaints(chrome) == []


def test_nothing_of_the_data_is_markup() -> None:
    page = render_page({"any": EVIL})
    assert page.count("<script") == 2
    assert "<img" not in page
    assert "<!--" not in page
