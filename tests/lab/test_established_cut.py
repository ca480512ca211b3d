"""``--established cut`` with TCP of real hosts: what is forbidden ends, and goes on if it is allowed again in time."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from ovsnp.lab.demo import policies
from ovsnp.model.options import Encap
from tests.lab.connections import SILENCE, Connection, connections
from tests.lab.ground import Ground

pytestmark = pytest.mark.lab

CLIENT, DATABASES, OTHER = "default/frontend-1", ("default/db-1", "default/db-2"), "default/web-1"
SERVICE = "default/db-2-only"


@pytest.fixture(params=Encap)
def ground(request: pytest.FixtureRequest, grounds: Callable[[Encap], Ground]) -> Ground:
    return grounds(request.param)


def at_once(ask: Callable[[Connection], bool], them: Sequence[Connection]) -> list[bool]:
    """The answers for all connections: after a short silence TCP repeats soon, and after a long one late."""
    with ThreadPoolExecutor(len(them)) as pool:
        return list(pool.map(ask, them))


def test_exactly_the_forbidden_end(ground: Ground, tmp_path: Path) -> None:
    """The server speaks first: the policies let it connect to the client, but this is no connection of the server."""
    allowing, forbidding = policies(ground.lab.topology)[0], tmp_path / "policy.yaml"
    forbidding.write_text(allowing.read_text().replace("6379", "6380"))
    ground.lab.apply([str(allowing)])
    forbidden = [Connection(ground, CLIENT, server, 6379) for server in DATABASES]
    forbidden.append(Connection(ground, CLIENT, DATABASES[1], 6379, SERVICE))
    with connections(*forbidden, Connection(ground, CLIENT, OTHER, 6379)) as (*_, allowed):
        ground.lab.apply([str(forbidding)])
        assert all(each.server_speaks() and each.client_speaks() for each in forbidden)
        said = [ground.ovsnp(node, "apply", "--established", "cut") for node, _ in ground.lab.nodes]
        assert all("connections that the policies forbid: " in each for each in said)
        assert not any(at_once(lambda each: each.server_speaks(SILENCE) or each.client_speaks(SILENCE), forbidden))
        assert not any(at_once(lambda each: each.server_speaks(SILENCE), forbidden))
        assert allowed.client_speaks()
        assert allowed.server_speaks()
        ground.lab.apply([str(allowing)])
        assert all(each.client_speaks() and each.server_speaks() for each in forbidden)
