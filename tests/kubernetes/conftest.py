"""A scripted API server for each test, and the events of a watch of its pods."""

from collections.abc import Iterator

import pytest

from tests.support.scripted_api import ScriptedApi, scripted_api
from tests.support.watching import POD_RESOURCE, PODS, Watched, api_server, watched


@pytest.fixture
def api() -> Iterator[ScriptedApi]:
    with scripted_api() as server:
        server.put(PODS, "shop", "web", phase="Running")
        server.put(PODS, "shop", "db", phase="Running")
        yield server


@pytest.fixture
def watch(api: ScriptedApi) -> Iterator[Watched]:
    """A watch that has not begun: a test may script faults for its beginning."""
    with watched(api_server(api.url), POD_RESOURCE) as found:
        yield found
