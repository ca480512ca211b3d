"""Who gets an answer of the console, and what every answer forbids a browser to do."""

import http.client
import os
import socket
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from ovsnp.console.security.guard import LONGEST_BODY
from ovsnp.console.security.listening import read_listen
from ovsnp.console.security.local_peer import is_of_another_user, user_of
from ovsnp.errors import UsageError
from ovsnp.model.policy import NetworkPolicy
from tests.console.conftest import Deleting, Open

DELETE = "/policies/default/access-demo1/delete"
PAGES = ("/policies", "/policies/default/access-demo1", "/explain", "/matrix", "/pods", "/live", "/input")


def test_token_begins_one_session(open_console: Open, demo: Path) -> None:
    visitor = open_console(demo, token=False)
    assert visitor.get("/policies").status == 403
    assert visitor.get("/session?token=wrong").status == 403
    assert visitor.get("/session").status == 403
    # A program that looks where the link leads does not use up the token.
    assert visitor.get(f"/session?token={visitor.token}", method="HEAD").status == 403
    reply = visitor.show_token()
    assert reply.status == 200
    attributes = {each.strip().lower() for each in reply.headers["set-cookie"].split(";")[1:]}
    assert {"httponly", "samesite=strict", "path=/"} <= attributes
    assert visitor.get("/policies").status == 200
    again = visitor.get(f"/session?token={visitor.token}")
    assert again.status == 403
    assert "a browser has used it before" in again.text
    assert "set-cookie" not in again.headers


@pytest.mark.parametrize("page", PAGES)
def test_nothing_is_shown_without_the_cookie(open_console: Open, demo: Path, page: str) -> None:
    visitor = open_console(demo)
    assert visitor.get(page).status == 200
    name = visitor.cookie.partition("=")[0]
    for cookie in ("", f"{name}=", f"{name}=wrong", "other=1"):
        visitor.cookie = cookie
        reply = visitor.get(page)
        assert reply.status == 403
        assert "access-demo1" not in reply.body
        assert "Open the URL that the console has printed" in reply.text


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:{port}", "127.0.0.1", "127.0.0.1:1", "localhost.evil.example:{port}", ""]
)
def test_other_hosts_are_refused(open_console: Open, demo: Path, host: str) -> None:
    """A name of the attacker's that leads to this address (DNS rebinding) is not a name of the console."""
    visitor = open_console(demo)
    reply = visitor.get("/policies", {"Host": host.format(port=visitor.address.port)})
    assert reply.status == 421
    assert "access-demo1" not in reply.body
    assert visitor.get("/static/console.css", {"Host": host.format(port=visitor.address.port)}).status == 421


def test_localhost_is_a_name_of_the_console(open_console: Open, demo: Path) -> None:
    visitor = open_console(demo)
    assert visitor.get("/policies", {"Host": f"localhost:{visitor.address.port}"}).status == 200


def test_two_hosts_are_refused(open_console: Open, demo: Path) -> None:
    visitor = open_console(demo)
    connection = http.client.HTTPConnection(visitor.address.host, visitor.address.port, timeout=60)
    connection.putrequest("GET", "/policies", skip_host=True)
    for host in (f"127.0.0.1:{visitor.address.port}", "evil.example"):
        connection.putheader("Host", host)
    connection.putheader("Cookie", visitor.cookie)
    connection.endheaders()
    assert connection.getresponse().status in (400, 421)
    connection.close()


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1", "http://127.0.0.1:1"])
def test_other_origins_are_refused(open_console: Open, demo: Path, origin: str) -> None:
    deleted: list[NetworkPolicy] = []
    visitor = open_console(demo, store=Deleting(demo, deleted.append))
    assert visitor.get("/policies", {"Origin": origin}).status == 403
    reply = visitor.post(DELETE, {"csrf": visitor.csrf(DELETE)}, {"Origin": origin})
    assert reply.status == 403
    assert "a page of another site" in reply.text
    assert deleted == []


def test_other_ports_of_the_host_are_refused(open_console: Open, demo: Path) -> None:
    """Browsers send the cookie with requests of the pages of other ports, which are of the same site."""
    visitor = open_console(demo, token=False)
    assert visitor.get("/session", {"Sec-Fetch-Site": "cross-site"}).text == visitor.get("/session").text
    visitor.show_token()
    for site in ("none", "same-origin"):
        assert visitor.get("/policies", {"Sec-Fetch-Site": site}).status == 200
    for site in ("same-site", "cross-site"):
        reply = visitor.get("/policies", {"Sec-Fetch-Site": site})
        assert reply.status == 403
        assert "a page of another site" in reply.text
        assert visitor.post(DELETE, {"csrf": visitor.csrf(DELETE)}, {"Sec-Fetch-Site": site}).status == 403


@pytest.mark.skipif(os.geteuid() != 0, reason="only root starts programs of other users")
def test_other_users_of_the_host_are_refused(open_console: Open, demo: Path) -> None:
    """The token is in the list of processes while a browser starts, and other ports of the host see the cookie."""
    visitor = open_console(demo)
    ask = "import http.client, sys; c = http.client.HTTPConnection(sys.argv[1]); c.request('GET', '/policies', headers="
    ask += "{'Cookie': sys.argv[2]}); a = c.getresponse(); print(a.status, a.read().decode())"
    command = ("/usr/bin/python3", "-c", ask, visitor.address.url.removeprefix("http://"), visitor.cookie)
    for user, status in ((0, "200"), (65534, "403")):
        answer = subprocess.run(command, user=user, cwd="/", capture_output=True, text=True, timeout=60, check=True)
        assert answer.stdout.startswith(status)
    assert "only the user who has started it" in answer.stdout


@pytest.mark.parametrize(("family", "host"), [(socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")])
def test_connection_without_a_process_has_no_user(family: socket.AddressFamily, host: str) -> None:
    with socket.create_server((host, 0), family=family) as server, socket.socket(family) as client:
        client.connect(server.getsockname()[:2])
        accepted, far = server.accept()
        assert user_of(far[:2], accepted.getsockname()[:2]) == os.geteuid()
        assert not is_of_another_user(far[:2], accepted.getsockname()[:2])
        client.close()
        assert is_of_another_user(far[:2], accepted.getsockname()[:2])
        accepted.close()


def test_mapped_address_is_the_same_end() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.socket(socket.AF_INET6) as client:
        client.connect(("::ffff:127.0.0.1", server.getsockname()[1]))
        accepted, far = server.accept()
        assert user_of(far, accepted.getsockname()) == os.geteuid()
        accepted.close()


class TestWrites:
    """A form that writes."""

    def test_form_of_the_session_is_taken(self, open_console: Open, demo: Path) -> None:
        deleted: list[NetworkPolicy] = []
        visitor = open_console(demo, store=Deleting(demo, deleted.append))
        reply = visitor.post(DELETE, {"csrf": visitor.csrf(DELETE)})
        assert reply.status == 303
        assert [policy.key for policy in deleted] == ["default/access-demo1"]
        assert "default/access-demo1 is deleted" in visitor.get(reply.headers["location"]).text

    def test_script_sends_the_secret_as_a_header(self, open_console: Open, demo: Path) -> None:
        deleted: list[NetworkPolicy] = []
        visitor = open_console(demo, store=Deleting(demo, deleted.append))
        assert visitor.post(DELETE, {}, {"X-CSRF-Token": visitor.csrf(DELETE)}).status == 303
        assert len(deleted) == 1

    @pytest.mark.parametrize(
        ("fields", "headers"),
        [
            ({}, {}),
            ({"csrf": ""}, {}),
            ({"csrf": "wrong"}, {}),
            ({}, {"X-CSRF-Token": "wrong"}),
            ({"csrf": "{csrf}"}, {"Content-Type": "text/plain"}),
            ({"xcsrf": "{csrf}"}, {}),
            ({"csrf": "{csrf}"}, {"Content-Type": "multipart/form-data"}),
        ],
    )
    def test_form_without_the_secret_is_refused(
        self, open_console: Open, demo: Path, fields: Mapping[str, str], headers: Mapping[str, str]
    ) -> None:
        deleted: list[NetworkPolicy] = []
        visitor = open_console(demo, store=Deleting(demo, deleted.append))
        secret = visitor.csrf(DELETE)
        reply = visitor.post(DELETE, {name: value.format(csrf=secret) for name, value in fields.items()}, headers)
        assert reply.status == 403
        assert "not of this session" in reply.text
        assert deleted == []

    def test_form_without_an_origin_is_refused(self, open_console: Open, demo: Path) -> None:
        deleted: list[NetworkPolicy] = []
        visitor = open_console(demo, store=Deleting(demo, deleted.append))
        secret = visitor.csrf(DELETE)
        reply = visitor.post(DELETE, {"csrf": secret}, {"Origin": None})  # type: ignore[dict-item]
        assert reply.status == 403
        assert deleted == []

    def test_read_only_writes_nothing(self, open_console: Open, demo: Path) -> None:
        deleted: list[NetworkPolicy] = []
        visitor = open_console(demo, store=Deleting(demo, deleted.append), read_only=True)
        reply = visitor.post(DELETE, {"csrf": visitor.csrf(DELETE)})
        assert reply.status == 403
        assert "--read-only" in reply.text
        assert deleted == []
        assert "--read-only" in visitor.get(DELETE).text
        assert '<button class="danger" type="submit" disabled' in visitor.get(DELETE).body

    @pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])
    def test_other_methods_are_refused(self, open_console: Open, demo: Path, method: str) -> None:
        assert open_console(demo).get(DELETE, method=method).status == 405

    def test_long_body_is_refused(self, open_console: Open, demo: Path) -> None:
        deleted: list[NetworkPolicy] = []
        visitor = open_console(demo, store=Deleting(demo, deleted.append))
        reply = visitor.post(DELETE, {"csrf": visitor.csrf(DELETE), "more": "x" * LONGEST_BODY})
        assert reply.status == 413
        assert deleted == []


@pytest.mark.parametrize("page", [*PAGES, "/nowhere", "/static/console.js", "/session"])
def test_every_answer_has_the_headers(open_console: Open, demo: Path, page: str) -> None:
    headers = open_console(demo).get(page).headers
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cache-control"] == "no-store"
    assert headers["referrer-policy"] == "same-origin"
    assert "server" not in headers


class TestListen:
    """``--listen``."""

    @pytest.mark.parametrize("text", ["127.0.0.1:8780", "localhost:0", "[::1]:8780", "127.0.0.2:80"])
    def test_loopback_needs_no_tls(self, text: str) -> None:
        assert read_listen(text, None, None).scheme == "http"

    @pytest.mark.parametrize("text", ["192.0.2.1:8780", "console.example:443", "[2001:db8::1]:1"])
    def test_other_addresses_need_tls(self, text: str) -> None:
        with pytest.raises(UsageError, match="without TLS the session of the console could be read"):
            read_listen(text, None, None)
        address = read_listen(text, Path("cert"), Path("key"))
        assert address.url.startswith("https://")
        assert address.cookie.startswith("__Host-")

    @pytest.mark.parametrize("text", ["0.0.0.0:8780", "[::]:8780", "[::ffff:0.0.0.0]:8780"])
    def test_every_address_is_refused(self, text: str) -> None:
        with pytest.raises(UsageError, match="DNS rebinding"):
            read_listen(text, Path("cert"), Path("key"))

    @pytest.mark.parametrize("text", ["", "8780", "127.0.0.1", "127.0.0.1:", "127.0.0.1:70000", ":1", "a:b"])
    def test_what_is_no_address_is_refused(self, text: str) -> None:
        with pytest.raises(UsageError, match="write HOST:PORT"):
            read_listen(text, None, None)

    @pytest.mark.parametrize(
        ("text", "url"),
        [
            ("[0:0:0:0:0:0:0:1]:80", "http://[::1]"),
            ("[::ffff:127.0.0.1]:80", "http://127.0.0.1"),
            ("LOCALHOST:80", "http://localhost"),
        ],
    )
    def test_an_address_is_written_as_browsers_do(self, text: str, url: str) -> None:
        assert read_listen(text, None, None).url == url

    def test_names_are_judged_by_their_address(self) -> None:
        name = read_listen("localhost:0", None, None)
        assert name.bound("::1", 8780).url == "http://[::1]:8780"
        assert name.bound("127.0.0.1", 80).hosts == {"127.0.0.1", "localhost"}
        certified = read_listen("localhost:0", Path("cert"), Path("key"))
        assert certified.bound("::1", 443).url == "https://localhost"
        with pytest.raises(UsageError, match="without TLS"):
            name.bound("192.0.2.1", 8780)
        with_tls = read_listen("console.example:0", Path("cert"), Path("key"))
        assert with_tls.bound("192.0.2.1", 8780).url == "https://console.example:8780"
        with pytest.raises(UsageError, match="DNS rebinding"):
            with_tls.bound("0.0.0.0", 8780)

    def test_certificate_and_key_belong_together(self) -> None:
        with pytest.raises(UsageError, match="belong together"):
            read_listen("127.0.0.1:1", Path("cert"), None)

    def test_default_port_is_not_written(self) -> None:
        assert read_listen("console.example:443", Path("c"), Path("k")).url == "https://console.example"
        assert read_listen("[::1]:80", None, None).hosts == {"[::1]", "localhost"}
