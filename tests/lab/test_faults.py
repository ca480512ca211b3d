"""Daemons of a node end under real traffic and start again: what passes, what is lost, and what apply restores.

The first of the demo's policies is applied: frontends to databases, 6379/TCP.
"""

import errno
import os
import select
import signal
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from ovsnp.lab import daemons
from ovsnp.lab.demo import policies
from ovsnp.lab.matrix import concerned
from ovsnp.lab.matrix_text import failure
from ovsnp.lab.measuring import measuring
from ovsnp.lab.standing import BRIDGE
from ovsnp.model.options import Encap
from tests.lab.connections import PATIENCE, SILENCE, Connection, connections
from tests.lab.ground import Ground
from tests.support.lab_commands import run
from tests.support.lab_datapath import IN_KERNEL, SAMPLED

pytestmark = pytest.mark.lab

CLIENT, DATABASES = "default/frontend-1", ("default/db-1", "default/db-2")
SERVICE = "default/db-2-only"
NODE = "node-1"


@pytest.fixture(scope="module", params=Encap)
def ground(request: pytest.FixtureRequest, grounds: Callable[[Encap], Ground]) -> Ground:
    return grounds(request.param)


@pytest.fixture(autouse=True)
def policy(ground: Ground) -> list[str]:
    """The files that are applied at the start of a test."""
    files = [str(policies(ground.lab.topology)[0])]
    ground.lab.apply(files)
    return files


def is_whole(ground: Ground) -> bool:
    """Another apply changes nothing on any node, and the connections are as the oracle says."""
    for node, _ in ground.lab.nodes:
        assert ground.ovsnp(node, "apply") == f"{BRIDGE}: flows: nothing to change\n"
    with measuring(ground.lab, concerned(ground.lab.cluster)) as measured:
        assert [failure(cell) for cell in measured(SAMPLED).failed[:10]] == []
    return True


@contextmanager
def traffic(connection: Connection) -> Iterator[Callable[[], bool]]:
    """Exchange data on a connection all the time, the client first; give a function that is True while data passes."""
    ended, spoken = threading.Event(), threading.Semaphore(0)

    def speak() -> None:
        while not ended.is_set() and connection.client_speaks() and connection.server_speaks():
            spoken.release()

    def goes_on() -> bool:
        while spoken.acquire(blocking=False):
            pass
        return all(spoken.acquire(timeout=PATIENCE) for _ in range(5))

    thread = threading.Thread(target=speak)
    thread.start()
    try:
        assert goes_on()
        yield goes_on
    finally:
        ended.set()
        thread.join()


def end(ground: Ground, daemon: str, number: signal.Signals) -> None:
    """Send a daemon of the node a signal, and wait until it is gone."""
    pid = int((ground.lab.directory.ovs_directory(NODE) / f"{daemon}.pid").read_text())
    handle = os.pidfd_open(pid)
    try:
        signal.pidfd_send_signal(handle, number)
        assert select.select([handle], [], [], PATIENCE)[0]
    finally:
        os.close(handle)


def connects(ground: Ground, client: str, server: str, port: int) -> bool:
    """True if a new connection reaches the server; no server needs to listen, since a refusal comes from its host."""
    with ground.socket(client, socket.AF_INET, socket.SOCK_STREAM) as made:
        made.settimeout(SILENCE)
        try:
            made.connect((ground.address(server, 4), port))
        except ConnectionRefusedError:
            return True
        except TimeoutError:
            return False
        except OSError as error:
            # The packets that resolve the next hop's address were lost too.
            if error.errno != errno.EHOSTUNREACH:
                raise
            return False
        return True


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_ovs_vswitchd_ends_under_traffic_and_apply_brings_everything_back(
    ground: Ground, policy: list[str], number: signal.Signals
) -> None:
    local, across = (Connection(ground, CLIENT, server, 6379) for server in DATABASES)
    with connections(local, across), traffic(local) as local_goes_on, traffic(across) as across_goes_on:
        end(ground, "ovs-vswitchd", number)
        ground.lab.restart_switch(NODE)
        for client, server in ((CLIENT, DATABASES[0]), ("default/web-1", "default/plain-1"), (f"node/{NODE}", CLIENT)):
            assert not connects(ground, client, server, 6379)
        ground.lab.apply(policy)
        assert local_goes_on()
        assert across_goes_on()
    with connections(Connection(ground, CLIENT, DATABASES[1], 6379, SERVICE)):
        assert is_whole(ground)


def test_lab_restart_is_a_command(ground: Ground, policy: list[str]) -> None:
    done = run("restart", "--name", ground.lab.settings.name, NODE)
    assert (done.returncode, done.stderr) == (0, "")
    assert not connects(ground, CLIENT, DATABASES[0], 6379)
    wrong = run("restart", "--name", ground.lab.settings.name, "node-9")
    assert (wrong.returncode, wrong.stderr) == (2, "ovsnp: there is no node node-9; there are node-1, node-2\n")
    done = run("apply", "--name", ground.lab.settings.name, "-f", *policy)
    assert done.returncode == 0, done.stderr
    assert is_whole(ground)


def test_a_connection_that_is_no_longer_allowed_ends_with_a_restart_of_the_userspace_datapath(ground: Ground) -> None:
    ground.lab.apply([])
    with connections(
        Connection(ground, "default/web-1", DATABASES[0], 6379), Connection(ground, "default/web-2", DATABASES[0], 6379)
    ) as opened:
        files = [str(policies(ground.lab.topology)[0])]
        ground.lab.apply(files)
        assert all(connection.client_speaks() for connection in opened)  # open connections go on, as promised
        ground.lab.restart_switch(NODE)
        ground.lab.apply(files)
        # The kernel's conntrack outlives ovs-vswitchd.
        within = PATIENCE if IN_KERNEL else SILENCE
        assert [connection.client_speaks(within) for connection in opened] == [IN_KERNEL, IN_KERNEL]
        # conntrack takes the first sender as the client, and the database may connect to any host.
        assert all(connection.server_speaks() and connection.client_speaks() for connection in opened)


def test_a_connection_to_a_service_goes_on_after_a_restart_in_userspace_where_the_client_speaks_first(
    ground: Ground, policy: list[str]
) -> None:
    with connections(*(Connection(ground, CLIENT, DATABASES[1], 6379, SERVICE) for _ in range(2))) as (one, other):
        ground.lab.restart_switch(NODE)
        ground.lab.apply(policy)
        assert one.client_speaks()
        assert one.server_speaks()
        if IN_KERNEL:
            assert other.server_speaks()
            assert other.client_speaks()
            return
        # The server's kernel may have sent first, if the restart lost the acknowledgement of its last data.
        with pytest.raises(ConnectionResetError):
            other.server_speaks_to_nobody()


def test_while_ovsdb_server_is_gone_only_the_kernel_passes_packets_and_afterwards_all_goes_on(
    ground: Ground, policy: list[str]
) -> None:
    directory = ground.lab.directory.ovs_directory(NODE)

    def start(command: Sequence[str], sink: Path) -> subprocess.Popen[bytes]:
        with sink.open("wb") as file:
            return subprocess.Popen(ground.lab.runtime.command(NODE, command), stdout=file, stderr=file)

    with connections(Connection(ground, CLIENT, DATABASES[0], 6379)) as (opened,):
        end(ground, "ovsdb-server", signal.SIGKILL)
        refused = run("apply", "--name", ground.lab.settings.name, "-f", *policy)
        assert refused.returncode == 4
        assert "is ovsdb-server running" in refused.stderr
        assert opened.client_speaks(PATIENCE if IN_KERNEL else SILENCE) is IN_KERNEL
        assert connects(ground, CLIENT, DATABASES[1], 6379) is IN_KERNEL
        daemons.start_database(directory, start, lambda command: ground.lab.runtime.run(NODE, command))
        assert opened.client_speaks()
        assert opened.server_speaks()
    assert is_whole(ground)
