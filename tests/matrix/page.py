"""The actions of the tests on the page, and the parts that they read."""

from typing import Any

from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement

_LABELS = "return Array.from(document.querySelectorAll('.cell'), each => each.getAttribute('aria-label'))"
_MARKS = "return Array.from(document.querySelectorAll('.cell'), each => each.className.split(' ')[1])"


def labels(driver: Chrome) -> set[str]:
    """The labels of the cells that are drawn."""
    return set(driver.execute_script(_LABELS))


def marks(driver: Chrome) -> list[str]:
    """The marks of the cells that are drawn: all, some, none or void."""
    return list(driver.execute_script(_MARKS))


def type_into(driver: Chrome, field: str, text: str) -> None:
    """Replace the text of a filter."""
    box = driver.find_element(By.ID, field)
    box.clear()
    box.send_keys(text)


def cell_of(driver: Chrome, source: str, destination: str) -> WebElement:
    """The cell whose label begins with these names."""
    return driver.find_element(By.CSS_SELECTOR, f'.cell[aria-label^="{source} to {destination}: "]')


def panel(driver: Chrome) -> str:
    """The text of the panel; empty where the panel is closed."""
    return driver.find_element(By.ID, "panel").text


def pod(name: str, *addresses: str) -> dict[str, Any]:
    """A pod as an API object."""
    status = {"podIPs": [{"ip": address} for address in addresses]}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "status": status}
