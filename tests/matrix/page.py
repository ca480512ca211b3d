"""What the tests do on the page, and what they read of it."""

from typing import Any

from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement

_LABELS = "return Array.from(document.querySelectorAll('.cell'), each => each.getAttribute('aria-label'))"
_MARKS = "return Array.from(document.querySelectorAll('.cell'), each => each.className.split(' ')[1])"


def labels(driver: Chrome) -> set[str]:
    """What the cells that are there say."""
    return set(driver.execute_script(_LABELS))


def marks(driver: Chrome) -> list[str]:
    """How the cells that are there are marked: all, some, none or void."""
    return list(driver.execute_script(_MARKS))


def type_into(driver: Chrome, field: str, text: str) -> None:
    """Replace what a filter says."""
    box = driver.find_element(By.ID, field)
    box.clear()
    box.send_keys(text)


def cell_of(driver: Chrome, source: str, destination: str) -> WebElement:
    """The cell whose label begins with these names."""
    return driver.find_element(By.CSS_SELECTOR, f'.cell[aria-label^="{source} to {destination}: "]')


def panel(driver: Chrome) -> str:
    """What the panel says; nothing where it is closed."""
    return driver.find_element(By.ID, "panel").text


def pod(name: str, *addresses: str) -> dict[str, Any]:
    """A pod as the API has it."""
    status = {"podIPs": [{"ip": address} for address in addresses]}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "status": status}
