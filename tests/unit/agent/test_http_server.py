"""The HTTP server of the agent: who may connect, and what a request without a route gets."""

import http.client
import json
import os
import socket
import stat
import threading
from contextlib import ExitStack, suppress
from http import HTTPStatus
from pathlib import Path
from unittest import mock

import pytest

from ovsnp.agent.serving.http_server import Routes, serving_address, serving_socket, text_answer
from ovsnp.errors import UsageError
from tests.support.unix_http import request

ROUTES: Routes = {
    "/name": {"GET": lambda _: text_answer("a name"), "POST": lambda body: text_answer(body.decode())},
    "/broken": {"GET": lambda _: text_answer(str(1 // 0))},
}


def ask(path: Path, target: str, method: str = "GET", body: bytes = b"", **headers: str) -> tuple[int, str, str]:
    answer = request(path, target, method, body, headers)
    return answer.status, str(answer.getheader("Allow", "")), answer.read().decode()


def test_socket_and_its_directory_are_for_the_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "made" / "agent.sock"
    before = os.umask(0)
    try:
        with serving_socket(path, ROUTES):
            assert stat.S_IMODE(path.stat().st_mode) == 0o600
            assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    finally:
        os.umask(before)
    assert not path.exists()


def test_answers(tmp_path: Path) -> None:
    path = tmp_path / "agent.sock"
    with serving_socket(path, ROUTES):
        assert ask(path, "/name?at=once") == (HTTPStatus.OK, "", "a name")
        assert ask(path, "/name", "POST", b"another") == (HTTPStatus.OK, "", "another")


def test_request_that_nobody_answers_gets_a_sentence_in_json(tmp_path: Path) -> None:
    path = tmp_path / "agent.sock"
    with serving_socket(path, ROUTES):
        status, _, text = ask(path, "/nam")
        assert (status, json.loads(text)) == (404, {"error": "there is no /nam; there are /broken, /name"})
        status, allowed, text = ask(path, "/name", "DELETE")
        assert (status, allowed) == (405, "GET, POST")
        assert json.loads(text) == {"error": "/name takes GET, POST, not DELETE"}
        status, _, text = ask(path, "/name", "FETCH")
        assert status == 501
        assert "FETCH" in json.loads(text)["error"]
        status, _, text = ask(path, "/name", "POST", **{"Content-Length": "1048577"})
        assert (status, json.loads(text)) == (413, {"error": "a body has at most 1048576 bytes"})
        status, _, text = ask(path, "/broken")
        assert status == 500
        assert json.loads(text)["error"].startswith("internal error, please report it: ZeroDivisionError")


def test_socket_of_a_killed_process_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "agent.sock"
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as left:
        left.bind(str(path))
    with serving_socket(path, ROUTES):
        assert ask(path, "/name")[0] == HTTPStatus.OK


def test_socket_at_which_a_process_answers_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "agent.sock"
    with serving_socket(path, ROUTES):
        with pytest.raises(UsageError, match="another process answers there"), serving_socket(path, ROUTES):
            pass
        assert ask(path, "/name")[0] == HTTPStatus.OK


def test_file_that_is_no_socket_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "agent.sock"
    path.write_text("mine")
    with pytest.raises(UsageError, match="Address already in use; name another path"), serving_socket(path, ROUTES):
        pass
    assert path.read_text() == "mine"


def test_path_that_is_too_long_for_a_socket(tmp_path: Path) -> None:
    with (
        pytest.raises(UsageError, match="path too long; name another path"),
        serving_socket(tmp_path / ("x" * 120), ROUTES),
    ):
        pass


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]"])
def test_address(host: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with serving_address(f"{host}:{port}", ROUTES):
        connection = http.client.HTTPConnection(host.strip("[]"), port, timeout=20)
        connection.request("GET", "/name")
        assert connection.getresponse().read() == b"a name"
        connection.close()


def test_one_address_cannot_take_all_connections() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with serving_address(f"127.0.0.1:{port}", ROUTES), ExitStack() as stack:
        silent = [stack.enter_context(socket.create_connection(("127.0.0.1", port), 20)) for _ in range(9)]
        assert silent[8].recv(1) == b""
        assert answers(port, "127.0.0.2")
        silent[0].close()
        while not answers(port, "127.0.0.1"):
            pass
        stack.close()
        with mock.patch.object(threading.Thread, "start", side_effect=RuntimeError("can't start new thread")):
            assert not any(answers(port, "127.0.0.3") for _ in range(9))
        assert answers(port, "127.0.0.3")


def answers(port: int, of: str) -> bool:
    """Whether the server answers a connection of an address; it closes others."""
    with socket.create_connection(("127.0.0.1", port), 20, (of, 0)) as client, suppress(ConnectionError):
        client.sendall(b"GET /name HTTP/1.1\r\nConnection: close\r\n\r\n")
        return client.recv(12) == b"HTTP/1.1 200"
    return False


@pytest.mark.parametrize("address", ["", "9464", ":9464", "host:9464", "127.0.0.1:", "127.0.0.1:70000", "::1"])
def test_address_with_a_mistake(address: str) -> None:
    with pytest.raises(UsageError, match="write ADDRESS:PORT"), serving_address(address, ROUTES):
        pass


def test_address_in_use() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        address = f"127.0.0.1:{other.getsockname()[1]}"
        with pytest.raises(UsageError, match=f"cannot listen at {address}"), serving_address(address, ROUTES):
            pass
