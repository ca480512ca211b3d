"""A real browser, without a window and without a network."""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from selenium.webdriver import Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service

CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")


@contextmanager
def browser(*switches: str) -> Iterator[Chrome]:
    """Debian's chromium, driven by its own driver; nothing is looked up or fetched."""
    options = ChromeOptions()
    options.binary_location = str(CHROMIUM)
    for switch in ("--headless=new", "--window-size=1600,1200", "--host-resolver-rules=MAP * ~NOTFOUND", *switches):
        options.add_argument(switch)
    options.add_argument("--no-sandbox")  # as root, and in many containers, it does not start; the pages are our own
    options.add_argument("--disable-dev-shm-usage")  # containers have little of it
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = Chrome(options, Service(DRIVER))
    try:
        yield driver
    finally:
        driver.quit()


def opened(driver: Chrome, page: Path) -> None:
    """Open a page of this machine; what was logged before is forgotten."""
    for log in ("browser", "performance"):
        driver.get_log(log)
    driver.get(page.as_uri())


def complaints(driver: Chrome) -> list[str]:
    """What the console says."""
    return [entry["message"] for entry in driver.get_log("browser")]


def requests(driver: Chrome) -> list[str]:
    """Every address that was asked for."""
    events: list[dict[str, Any]] = [json.loads(entry["message"])["message"] for entry in driver.get_log("performance")]
    return [event["params"]["request"]["url"] for event in events if event["method"] == "Network.requestWillBeSent"]
