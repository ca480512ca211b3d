"""What a browser, or an attacker, sends to a console."""

import http.client
import re
from collections.abc import Mapping
from html import unescape
from typing import NamedTuple
from urllib.parse import urlencode

from ovsnp.console.security.listening import ListenAddress


class Reply(NamedTuple):
    """The answer to a request."""

    status: int
    headers: Mapping[str, str]
    body: str

    @property
    def text(self) -> str:
        """The words of a page, without its markup."""
        return unescape(re.sub(r"<[^>]+>", "", self.body))


class Visitor:
    """Sends requests to a console; keeps the cookie."""

    def __init__(self, address: ListenAddress, token: str) -> None:
        self.address, self.token = address, token
        self.cookie = ""

    def show_token(self) -> Reply:
        """Begin a session."""
        reply = self.get(f"/session?token={self.token}")
        self.cookie = reply.headers.get("set-cookie", "").partition(";")[0]
        return reply

    def get(self, target: str, headers: Mapping[str, str] | None = None, method: str = "GET") -> Reply:
        """Ask for a page."""
        return self._ask(method, target, headers or {}, None)

    def post(self, target: str, fields: Mapping[str, str], headers: Mapping[str, str] | None = None) -> Reply:
        """Send a form as a page of the console does."""
        own = {"Origin": self.address.url, "Content-Type": "application/x-www-form-urlencoded"}
        return self._ask("POST", target, own | dict(headers or {}), urlencode(fields))

    def csrf(self, target: str) -> str:
        """The secret of the form on a page."""
        found = re.search(r'name="csrf" value="([^"]+)"', self.get(target).body)
        assert found, target
        return found[1]

    def _ask(self, method: str, target: str, headers: Mapping[str, str], body: str | None) -> Reply:
        connection = http.client.HTTPConnection(self.address.host, self.address.port, timeout=60)
        try:
            given = {"Cookie": self.cookie} if self.cookie else {}
            sent = {name: value for name, value in (given | dict(headers)).items() if value is not None}
            connection.request(method, target, body, sent)
            answer = connection.getresponse()
            text = answer.read().decode()
            return Reply(answer.status, {name.lower(): value for name, value in answer.getheaders()}, text)
        finally:
            connection.close()
