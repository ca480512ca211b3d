"""A console that answers over HTTP on the loopback interface, in a thread of the tests; and a browser."""

import importlib.util
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.support.wait import WebDriverWait

from ovsnp.console.application import application
from ovsnp.console.editor.drafts import Drafts
from ovsnp.console.editor.stores import FileStore, PolicyStore
from ovsnp.console.pages.site import Site
from ovsnp.console.security.listening import ListenAddress
from ovsnp.console.security.sessions import Sessions
from ovsnp.console.serving import configuration, listen
from ovsnp.console.workspace.manifest_files import ManifestFiles
from ovsnp.console.workspace.workspace import Workspace
from ovsnp.model.policy import NetworkPolicy
from ovsnp.oracle.terms import Terms
from tests.console.visitor import Visitor
from tests.matrix.browser import CHROMIUM, DRIVER, browser

GOLDEN = Path(__file__).parents[1] / "golden"

Open = Callable[..., Visitor]


class Deleting(FileStore):
    """A store that deletes by a call of a test."""

    def __init__(self, directory: Path, deleted: Callable[[NetworkPolicy], None]) -> None:
        super().__init__([str(directory)])
        self._deleted = deleted

    def delete(self, policy: NetworkPolicy, version: str) -> None:
        """Call, and write nothing."""
        self._deleted(policy)


@contextmanager
def served(site: Site) -> Iterator[Visitor]:
    """Serve a site at a free port, for a visitor who has not shown the token yet."""
    address = ListenAddress("127.0.0.1", 0, None)
    with listen(address) as listening:
        address = address._replace(port=listening.getsockname()[1])
        sessions = Sessions()
        server = uvicorn.Server(configuration(application(site, address, sessions), address))
        thread = threading.Thread(target=server.run, args=([listening],), daemon=True)
        thread.start()
        try:
            while not server.started and thread.is_alive():
                time.sleep(0.01)
            yield Visitor(address, sessions.token)
        finally:
            server.should_exit = True
            thread.join()


@pytest.fixture
def open_console() -> Iterator[Open]:
    """Start a console about manifests; the visitor has a session unless ``token`` is False."""
    running = []

    def start(
        *paths: str | Path,
        read_only: bool = False,
        store: PolicyStore | None = None,
        socket: Path = Path("/nonexistent/agent.sock"),
        token: bool = True,
        drafts: Drafts | None = None,
    ) -> Visitor:
        workspace = Workspace(ManifestFiles([*map(str, paths)], ()), Terms())
        context = served(Site(workspace, store or FileStore([*map(str, paths)]), read_only, socket, drafts or Drafts()))
        visitor = context.__enter__()
        running.append(context)
        if token:
            visitor.show_token()
        return visitor

    yield start
    for context in running:
        context.__exit__(None, None, None)


@pytest.fixture
def demo(tmp_path: Path) -> Path:
    """A directory with the golden cluster and the policy access-demo1."""
    for source in (GOLDEN / "cluster.yaml", GOLDEN / "ingress-pod-selector" / "policies.yaml"):
        (tmp_path / source.name).write_bytes(source.read_bytes())
    return tmp_path


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
def phone(chrome: Chrome) -> Iterator[None]:
    """A window of the width of a phone."""
    size = {"width": 390, "height": 844, "deviceScaleFactor": 2, "mobile": True}
    chrome.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    yield
    chrome.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def wait_for(chrome: Chrome, selector: str) -> None:
    WebDriverWait(chrome, 60).until(lambda driver: driver.find_elements(By.CSS_SELECTOR, selector))


def violations(chrome: Chrome, axe: str) -> list[Any]:
    """The rules of axe-core that the page breaks, with the elements."""
    chrome.execute_script(axe)
    found = chrome.execute_async_script("axe.run(document).then(arguments[0])")
    return [(each["id"], [node["html"] for node in each["nodes"]]) for each in found["violations"]]
