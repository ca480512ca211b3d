"""Pages whose answer takes long: what a user sees meanwhile, and what is prepared before anybody asks."""

import threading
from collections.abc import Iterator
from contextlib import suppress
from http.client import HTTPConnection, IncompleteRead
from pathlib import Path
from weakref import ReferenceType, ref

import pytest
from selenium.webdriver import Chrome
from selenium.webdriver.support.wait import WebDriverWait

from ovsnp.analysis.reach.cells import ClassRelation
from ovsnp.console.pages import answers
from ovsnp.console.preparation import prepare_in_background
from ovsnp.console.workspace.manifest_files import ManifestFiles
from ovsnp.console.workspace.snapshot import WorkspaceSnapshot
from ovsnp.console.workspace.workspace import Workspace
from ovsnp.model.cluster import Cluster
from ovsnp.oracle.terms import Terms
from tests.console.conftest import Open, wait_for

POD = "/pods/default/db-0"
COMPARING = "Comparing all policies"
STATUS = ".progress[role=status] span:last-child"


@pytest.fixture
def go_on(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """All comparing of policies waits for this event."""
    event, compare = threading.Event(), ClassRelation.of

    def wait(cluster: Cluster) -> ClassRelation:
        event.wait(60)
        return compare(cluster)

    monkeypatch.setattr(ClassRelation, "of", wait)
    yield event
    event.set()


@pytest.mark.parametrize(("page", "answer"), [(POD, "reached by:"), ("/matrix", '"by":"workload"')])
def test_the_frame_comes_first(open_console: Open, demo: Path, go_on: threading.Event, page: str, answer: str) -> None:
    visitor = open_console(demo)
    connection = HTTPConnection(visitor.address.host, visitor.address.port, timeout=60)
    connection.request("GET", page, headers={"Cookie": visitor.cookie})
    reply, early = connection.getresponse(), ""
    while COMPARING not in early:
        early += reply.read1().decode()
    assert '<nav class="bar"' in early
    assert f'role="status"><span>{COMPARING}' in early
    assert answer not in early
    go_on.set()
    rest = reply.read().decode()
    assert answer in rest
    assert rest.rstrip().endswith("</html>")
    assert "<span></span></p>" in rest


def test_a_browser_shows_what_is_worked_out(
    chrome: Chrome, open_console: Open, demo: Path, go_on: threading.Event
) -> None:
    visitor = open_console(demo, token=False)
    chrome.get(f"{visitor.address.url}/session?token={visitor.token}")
    wait_for(chrome, "table")
    # The driver waits for a page to be whole, so another page looks at it.
    chrome.execute_script("window.other = open(arguments[0])", POD)

    def words(selector: str) -> str | None:
        script = "return window.other.document.querySelector(arguments[0])?.textContent"
        found: str | None = chrome.execute_script(script, selector)
        return found

    try:
        WebDriverWait(chrome, 60).until(lambda _: COMPARING in (words(STATUS) or ""))
        assert words(".said") is None
        go_on.set()
        WebDriverWait(chrome, 60).until(lambda _: "reached by:" in (words(".said") or ""))
        assert words(STATUS) == ""
    finally:
        chrome.execute_script("window.other.close()")


def test_a_failure_on_the_way_is_told(open_console: Open, demo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("<broken>")

    monkeypatch.setattr(answers, "one_pod", fail)
    with pytest.raises(IncompleteRead) as told:
        open_console(demo).get(POD)
    body = told.value.partial.decode()
    assert 'role="alert">Internal error, please report it: RuntimeError: &lt;broken&gt;' in body
    assert body.rstrip().endswith("</html>")


def test_a_snapshot_is_prepared_before_anybody_asks(
    open_console: Open, demo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, compare = threading.Event(), ClassRelation.of

    def tell(cluster: Cluster) -> ClassRelation:
        made.set()
        return compare(cluster)

    monkeypatch.setattr(ClassRelation, "of", tell)
    open_console(demo).get("/input")
    assert made.wait(60)


def test_only_the_newest_snapshot_is_prepared(demo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    begun, go_on, compare = threading.Semaphore(0), threading.Event(), ClassRelation.of
    compared: list[int] = []

    def wait(cluster: Cluster) -> ClassRelation:
        compared.append(len(cluster.namespaces))
        begun.release()
        go_on.wait(60)
        return compare(cluster)

    monkeypatch.setattr(ClassRelation, "of", wait)
    workspace = Workspace(ManifestFiles([str(demo)], ()), Terms())

    def read() -> ReferenceType[WorkspaceSnapshot]:
        snapshot = workspace.current().snapshot
        assert snapshot is not None
        return ref(snapshot)

    read()
    prepare_in_background(workspace)
    assert begun.acquire(timeout=60)
    seen = []
    for number in range(3):
        (demo / f"{number}.yaml").write_text(f"{{apiVersion: v1, kind: Namespace, metadata: {{name: n{number}}}}}")
        seen.append(read())
    assert [each() is not None for each in seen] == [False, False, True]
    go_on.set()
    assert begun.acquire(timeout=60)
    assert compared == [compared[0], compared[0] + 3]


def test_what_a_snapshot_keeps_is_made_once(demo: Path) -> None:
    snapshot = Workspace(ManifestFiles([str(demo)], ()), Terms()).current().snapshot
    assert snapshot is not None
    made: list[int] = []
    together = threading.Barrier(2)

    def make() -> None:
        made.append(1)
        with suppress(threading.BrokenBarrierError):
            together.wait(0.3)  # for a second thread that makes it too

    threads = [threading.Thread(target=snapshot.once, args=("it", make)) for _ in range(2)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert len(made) == 1
