"""Requests to the API server, as JSON."""

import http.client
import json
import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.cluster.daemon import LOOPBACK

Object = dict[str, Any]

JSON = "application/json"
MERGE_PATCH = "application/merge-patch+json"


class ApiError(Exception):
    """The API server has refused a request: status code and message."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code, self.message = code, message


class Client:
    """One connection to the API server with one token; not for several threads at once."""

    def __init__(self, port: int, authority: Path, token: str) -> None:
        self._port, self._authority, self._token = port, authority, token
        self._connection: http.client.HTTPSConnection | None = None

    def get(self, path: str) -> Object:
        """The answer to GET; raises ApiError."""
        return self.request("GET", path)

    def post(self, path: str, body: Mapping[str, Any]) -> Object:
        """Create an object; raises ApiError."""
        return self.request("POST", path, body)

    def put(self, path: str, body: Mapping[str, Any]) -> Object:
        """Replace an object; raises ApiError."""
        return self.request("PUT", path, body)

    def patch(self, path: str, body: Mapping[str, Any]) -> Object:
        """Change an object by a merge patch; raises ApiError."""
        return self.request("PATCH", path, body, MERGE_PATCH)

    def delete(self, path: str, body: Mapping[str, Any] | None = None) -> Object:
        """Delete an object, or a collection; raises ApiError."""
        return self.request("DELETE", path, body)

    def request(
        self, method: str, path: str, body: Mapping[str, Any] | None = None, content_type: str = JSON
    ) -> Object:
        """The parsed answer; raises ApiError where the API server refuses, and OSError where it does not answer."""
        status, text = self.raw(method, path, body, content_type)
        answer = json.loads(text)
        if status >= http.client.BAD_REQUEST:
            raise ApiError(status, answer["message"])
        return dict(answer)

    def raw(
        self, method: str, path: str, body: Mapping[str, Any] | None = None, content_type: str = JSON
    ) -> tuple[int, bytes]:
        """Status and body of the answer, whatever they are; raises OSError where the API server does not answer."""
        text = None if body is None else json.dumps(body)
        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": content_type, "Accept": JSON}
        kept = self._connection is not None
        try:
            return self._exchange(method, path, text, headers)
        except (OSError, http.client.HTTPException):
            self.close()
            if not kept:
                raise
        # An earlier API server has closed the kept connection.
        return self._exchange(method, path, text, headers)

    def close(self) -> None:
        """Close the connection; the next request opens a new one."""
        if self._connection:
            self._connection.close()
        self._connection = None

    def _exchange(self, method: str, path: str, text: str | None, headers: Mapping[str, str]) -> tuple[int, bytes]:
        if self._connection is None:
            context = ssl.create_default_context(cafile=self._authority)
            self._connection = http.client.HTTPSConnection(LOOPBACK, self._port, timeout=60, context=context)
        self._connection.request(method, path, text, dict(headers))
        with self._connection.getresponse() as answer:
            return answer.status, answer.read()
