"""A console that answers over HTTP on the loopback interface, in a thread of the tests."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import uvicorn

from ovsnp.console.application import application
from ovsnp.console.editor.drafts import Drafts
from ovsnp.console.editor.stores import FileStore, PolicyStore
from ovsnp.console.pages.site import Site
from ovsnp.console.security.listening import ListenAddress
from ovsnp.console.security.sessions import Sessions
from ovsnp.console.serving import configuration, listen
from ovsnp.console.workspace.manifest_files import ManifestFiles
from ovsnp.console.workspace.snapshot import WorkspaceSnapshot
from ovsnp.console.workspace.workspace import Workspace
from ovsnp.model.policy import NetworkPolicy
from ovsnp.oracle.terms import Terms
from tests.console.visitor import Visitor

GOLDEN = Path(__file__).parents[1] / "golden"

Open = Callable[..., Visitor]


class Deleting(FileStore):
    """A store that deletes by a call of a test."""

    def __init__(self, directory: Path, deleted: Callable[[NetworkPolicy], None]) -> None:
        super().__init__([str(directory)])
        self._deleted = deleted

    def delete(self, policy: NetworkPolicy, snapshot: WorkspaceSnapshot) -> None:
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
    ) -> Visitor:
        workspace = Workspace(ManifestFiles([*map(str, paths)], ()), Terms())
        context = served(Site(workspace, store or FileStore([*map(str, paths)]), read_only, socket, Drafts()))
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
