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
    """Debian's chromium with Debian's driver; the browser resolves no names and fetches nothing."""
    options = ChromeOptions()
    options.binary_location = str(CHROMIUM)
    for switch in ("--headless=new", "--window-size=1600,1200", "--host-resolver-rules=MAP * ~NOTFOUND", *switches):
        options.add_argument(switch)
    options.add_argument("--no-sandbox")  # as root, and in many containers, the sandbox fails; the tests made the pages
    options.add_argument("--disable-dev-shm-usage")  # containers have little of that memory
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = Chrome(options, Service(DRIVER))
    try:
        yield driver
    finally:
        driver.quit()


def opened(driver: Chrome, page: Path) -> None:
    """Open a page of this machine; drop the earlier log entries."""
    for log in ("browser", "performance"):
        driver.get_log(log)
    driver.get(page.as_uri())


def complaints(driver: Chrome) -> list[str]:
    """The messages of the console."""
    return [entry["message"] for entry in driver.get_log("browser")]


def requests(driver: Chrome) -> list[str]:
    """The URLs of all requests."""
    events: list[dict[str, Any]] = [json.loads(entry["message"])["message"] for entry in driver.get_log("performance")]
    return [event["params"]["request"]["url"] for event in events if event["method"] == "Network.requestWillBeSent"]
