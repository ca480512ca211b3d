"""The pages in a real browser: no complaint of the browser, keyboard, filters, phones, and axe-core's rules."""

from pathlib import Path

import pytest
from selenium.webdriver import ActionChains, Chrome, Keys
from selenium.webdriver.common.by import By
from selenium.webdriver.support.wait import WebDriverWait

from tests.console.conftest import Open, violations, wait_for
from tests.console.visitor import Visitor
from tests.matrix.browser import complaints

PAGES = (
    "/policies",
    "/policies/default/access-demo1",
    "/policies/default/access-demo1/delete",
    "/policies/edit",
    "/policies/edit?namespace=default&name=access-demo1",
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
        ends = "[...document.querySelectorAll('.cards a')].map((link) => link.getBoundingClientRect().right)"
        assert chrome.execute_script(f"return Math.max(0, ...{ends})") <= 390, page


def test_pages_come_once_the_files_are_right(chrome: Chrome, open_console: Open, demo: Path, axe: str) -> None:
    file = demo / "more.yaml"
    file.write_text("apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nspec: [}\n")
    visitor = open_console(demo, token=False)
    chrome.get(f"{visitor.address.url}/session?token={visitor.token}")
    wait_for(chrome, "mark")
    assert violations(chrome, axe) == []
    file.unlink()
    wait_for(chrome, "tbody tr")
    assert chrome.current_url == f"{visitor.address.url}/policies"


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


def test_fields_are_those_of_the_answer_after_back(chrome: Chrome, console: Visitor) -> None:
    chrome.get(f"{console.address.url}/explain?from=web-0&to=db-0")
    source = chrome.find_element(By.NAME, "from")
    source.clear()
    source.send_keys("frontend-0", Keys.ENTER)
    WebDriverWait(chrome, 60).until(lambda driver: "from=frontend-0" in driver.current_url)
    chrome.back()
    WebDriverWait(chrome, 60).until(lambda driver: "from=web-0" in driver.current_url)
    wait_for(chrome, ".said")
    assert chrome.find_element(By.NAME, "from").get_attribute("value") == "web-0"


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
    chrome.refresh()
    wait_for(chrome, "#results")
    assert "is deleted" not in chrome.find_element(By.ID, "content").text


def test_matrix_works_under_the_policy_of_the_console(chrome: Chrome, console: Visitor) -> None:
    chrome.get(f"{console.address.url}/matrix")
    wait_for(chrome, ".cell")
    chrome.find_element(By.CSS_SELECTOR, '.cell[aria-label^="default/frontend to default/db: "]').click()
    assert "admitted by default/access-demo1 ingress[0]" in chrome.find_element(By.ID, "panel").text
