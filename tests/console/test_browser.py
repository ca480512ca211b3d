"""The pages in a real browser: no complaint of the browser, keyboard, filters, phones, and axe-core's rules."""

import importlib.util
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from selenium.webdriver import ActionChains, Chrome, Keys
from selenium.webdriver.common.by import By
from selenium.webdriver.support.wait import WebDriverWait

from tests.console.conftest import Open
from tests.console.visitor import Visitor
from tests.matrix.browser import CHROMIUM, DRIVER, browser, complaints

PAGES = (
    "/policies",
    "/policies/default/access-demo1",
    "/policies/default/access-demo1/delete",
    "/explain",
    "/explain?from=web-0&to=db-0&port=6379",
    "/explain?from=nobody&to=db-0",
    "/matrix",
    "/pods",
    "/pods/default/db-0",
    "/live",
    "/input",
    "/nowhere",
)


@pytest.fixture(scope="session")
def chrome() -> Iterator[Chrome]:
    if not (CHROMIUM and DRIVER):
        pytest.skip("chromium is not installed (Debian: chromium chromium-driver)")
    only_here = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"
    with browser("--window-size=1280,900", only_here) as driver:
        yield driver


@pytest.fixture(scope="session")
def axe() -> str:
    """The script of axe-core (https://github.com/dequelabs/axe-core)."""
    found = importlib.util.find_spec("axe_core_python")
    assert found is not None
    assert found.origin is not None
    return (Path(found.origin).parent / "axe.min.js").read_text()


@pytest.fixture
def console(chrome: Chrome, open_console: Open, demo: Path) -> Visitor:
    """A console whose session is that of the browser."""
    visitor = open_console(demo, token=False)
    for log in ("browser", "performance"):
        chrome.get_log(log)
    chrome.get(f"{visitor.address.url}/session?token={visitor.token}")
    wait_for(chrome, "table")
    assert chrome.current_url == f"{visitor.address.url}/policies"
    return visitor


def wait_for(chrome: Chrome, selector: str) -> None:
    WebDriverWait(chrome, 60).until(lambda driver: driver.find_elements(By.CSS_SELECTOR, selector))


@pytest.fixture
def phone(chrome: Chrome) -> Iterator[None]:
    """A window of the width of a phone."""
    size = {"width": 390, "height": 844, "deviceScaleFactor": 2, "mobile": True}
    chrome.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    yield
    chrome.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def violations(chrome: Chrome, axe: str) -> list[Any]:
    """The rules of axe-core that the page breaks, with the elements."""
    chrome.execute_script(axe)
    found = chrome.execute_async_script("axe.run(document).then(arguments[0])")
    return [(each["id"], [node["html"] for node in each["nodes"]]) for each in found["violations"]]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_are_accessible(chrome: Chrome, console: Visitor, axe: str, scheme: str) -> None:
    media = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
    chrome.execute_cdp_cmd("Emulation.setEmulatedMedia", media)
    try:
        for page in PAGES:
            chrome.get(console.address.url + page)
            assert violations(chrome, axe) == [], page
    finally:
        chrome.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})


def test_browser_has_no_complaints(chrome: Chrome, console: Visitor) -> None:
    """Nothing on the pages needs what their Content-Security-Policy forbids."""
    for page in PAGES:
        chrome.get(console.address.url + page)
        found = [each for each in complaints(chrome) if "the server responded with a status of 40" not in each]
        assert found == [], page


@pytest.mark.usefixtures("phone")
def test_pages_fit_a_phone(chrome: Chrome, console: Visitor) -> None:
    for page in PAGES:
        chrome.get(console.address.url + page)
        assert chrome.execute_script("return document.documentElement.scrollWidth <= window.innerWidth"), page


def test_filter_answers_while_a_user_types(chrome: Chrome, console: Visitor) -> None:
    assert len(chrome.find_elements(By.CSS_SELECTOR, "tbody tr")) == 1
    box = chrome.find_element(By.NAME, "filter")
    box.send_keys("nothing")
    WebDriverWait(chrome, 60).until(lambda driver: not driver.find_elements(By.CSS_SELECTOR, "tbody tr"))
    assert "filter=nothing" in chrome.current_url
    box.clear()
    box.send_keys("demo1")
    wait_for(chrome, "tbody tr")


def test_keyboard_alone(chrome: Chrome, console: Visitor) -> None:
    """The first Tab reaches the link over the navigation; the form of Explain needs no mouse."""
    chrome.get(f"{console.address.url}/explain")
    ActionChains(chrome).send_keys(Keys.TAB).perform()
    assert chrome.switch_to.active_element.text == "Skip to the content"
    assert chrome.switch_to.active_element.value_of_css_property("outline-style") == "solid"
    ActionChains(chrome).send_keys(Keys.ENTER, Keys.TAB).perform()
    assert chrome.switch_to.active_element.get_attribute("name") == "from"
    ActionChains(chrome).send_keys("web-0", Keys.TAB, "db-0", Keys.TAB, "6379", Keys.ENTER).perform()
    wait_for(chrome, ".said")
    assert "DENIED" in chrome.find_element(By.CSS_SELECTOR, ".said").text


def test_link_of_a_rule_leads_to_its_line(chrome: Chrome, console: Visitor) -> None:
    chrome.get(f"{console.address.url}/explain?from=frontend-0&to=db-0&port=6379")
    chrome.find_element(By.CSS_SELECTOR, '.said a[href$="#L10"]').click()
    wait_for(chrome, ".code")
    assert chrome.find_element(By.CSS_SELECTOR, "li:target").text.strip() == "ports: [{protocol: TCP, port: 6379}]"


def test_deletion_goes_by_two_pages(chrome: Chrome, console: Visitor) -> None:
    """The form carries the origin and the secret of the session, as the guard requires."""
    chrome.find_element(By.LINK_TEXT, "Delete").click()
    wait_for(chrome, "button.danger")
    chrome.find_element(By.CSS_SELECTOR, "button.danger").click()
    wait_for(chrome, "[role=status].banner")
    assert "default/access-demo1 is deleted." in chrome.find_element(By.ID, "content").text


def test_matrix_works_under_the_policy_of_the_console(chrome: Chrome, console: Visitor) -> None:
    chrome.get(f"{console.address.url}/matrix")
    wait_for(chrome, ".cell")
    chrome.find_element(By.CSS_SELECTOR, '.cell[aria-label^="default/frontend to default/db: "]').click()
    assert "admitted by default/access-demo1 ingress[0]" in chrome.find_element(By.ID, "panel").text
