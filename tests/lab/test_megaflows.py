"""The megaflow that one packet leaves in the datapath must match exactly the packets that get the same treatment.

The first of the demo's policies is applied: frontends to databases, 6379/TCP.
"""

import re
import socket
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager

import pytest

from bench import traffic
from ovsnp.lab.demo import policies
from ovsnp.model.options import Encap
from tests.lab.ground import SOCKET_FAMILY, Ground
from tests.support.lab_datapath import patient

pytestmark = pytest.mark.lab
both_families = pytest.mark.parametrize("version", [4, 6])

DATABASES = ("default/db-1", "default/db-2")
FRONTEND, PLAIN = "default/frontend-1", "default/plain-1"
POD, SERVICE = ("default/db-2", 6379), ("default/db-2-only", 16379)
"""The database on the other node, by its own address and by the Service whose only endpoint it is."""

CONNECTIONS = 2_000
MOST = 500
"""The most upcalls, and the most megaflows, for that many connections."""


@pytest.fixture(scope="module", params=Encap)
def ground(request: pytest.FixtureRequest, grounds: Callable[[Encap], Ground]) -> Ground:
    return grounds(request.param)


@pytest.fixture(params=[False, True], ids=["kept", "masquerade"])
def masquerade(request: pytest.FixtureRequest, ground: Ground) -> bool:
    ground.lab.apply([str(policies(ground.lab.topology)[0])], masquerade=request.param)
    return bool(request.param)


@contextmanager
def listening(ground: Ground, name: str, version: int) -> Iterator[None]:
    """The database accepts connections during the context."""
    with ground.socket(name, SOCKET_FAMILY[version], socket.SOCK_STREAM) as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        server.bind((ground.address(name, version), 6379))
        server.listen()
        yield


def connects(ground: Ground, client: str, source: str, to: tuple[str, int], patience: float) -> bool:
    """True if a connection from that address of a client is established, False after silence; raises other errors."""
    with ground.socket(client, SOCKET_FAMILY[6 if ":" in source else 4], socket.SOCK_STREAM) as made:
        made.settimeout(patience)
        made.bind((source, 0))
        try:
            made.connect(to)
        except TimeoutError:
            return False
        return True


@both_families
def test_what_comes_without_a_carrier_does_not_decide_about_what_comes_with_one(
    ground: Ground, masquerade: bool, version: int
) -> None:
    """A denied pod also connects to the server directly: so the server's node has a megaflow of the pod's packets."""
    pod = (ground.address(POD[0], version), POD[1])
    service = (ground.cluster_ip(SERVICE[0], version), SERVICE[1])
    plain, gateway = ground.address(PLAIN, version), ground.gateway("node-1", version)
    silence = patient(1.0)
    with listening(ground, POD[0], version):
        assert connects(ground, FRONTEND, ground.address(FRONTEND, version), service, patient(20.0))
        assert not connects(ground, PLAIN, plain, service, silence)
        assert not connects(ground, PLAIN, plain, pod, silence)
        assert not connects(ground, PLAIN, plain, service, silence)
        assert connects(ground, "node/node-1", gateway, pod, patient(20.0))
        assert not connects(ground, PLAIN, plain, service, silence)


def counted(ground: Ground) -> tuple[int, int]:
    """The upcalls so far and the megaflows now, for both nodes together."""
    said = [ground.lab.runtime.run(at, ["ovs-appctl", "dpctl/show"]) for _, at in ground.lab.nodes]
    return sum(_numbers(r"missed:(\d+)", said)), sum(_numbers(r"flows: (\d+)", said))


def _numbers(pattern: str, texts: Sequence[str]) -> list[int]:
    found = [int(number) for text in texts for number in re.findall(pattern, text)]
    assert len(found) == len(texts)
    return found


@contextmanager
def serving(ground: Ground, names: tuple[str, ...]) -> Iterator[None]:
    """The databases answer the connections of bench/traffic.py during the context."""
    runtime = ground.lab.runtime
    with ExitStack() as stack:
        for name in names:
            at = ground.hosts[name].container
            command = runtime.command(at, [runtime.python(at), "-I", "-S", traffic.__file__, "serve", "6379"])
            server = stack.enter_context(subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE))
            assert server.stdin
            assert server.stdout
            stack.callback(server.stdin.close)
            assert server.stdout.readline() == b"ready\n"
        yield


@pytest.mark.parametrize("client", ["default/frontend-1", "default/frontend-2"])
@pytest.mark.parametrize("service", [("default/db", 6379), SERVICE], ids=lambda service: service[0])
def test_connections_by_a_service_share_their_megaflows(
    ground: Ground, masquerade: bool, service: tuple[str, int], client: str
) -> None:
    at, runtime = ground.hosts[client].container, ground.lab.runtime
    address, port = ground.cluster_ip(service[0], 4), str(service[1])
    command = [runtime.python(at), "-I", "-S", traffic.__file__, "connect", address, port, str(CONNECTIONS), "16"]
    with serving(ground, DATABASES):
        before, _ = counted(ground)
        runtime.run(at, command)
        after, megaflows = counted(ground)
    assert after - before <= MOST
    assert megaflows <= MOST
