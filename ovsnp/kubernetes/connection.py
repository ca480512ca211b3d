"""Requests to one API server: JSON that comes whole, JSON that comes as lines, and objects that are written.

Requests of several threads may run at once; the connections stay open, so each thread in effect has its own.
"""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from email.utils import parsedate_to_datetime
from types import MappingProxyType, TracebackType
from typing import Any, Self
from urllib.parse import urlencode, urlsplit
from urllib.request import getproxies, proxy_bypass

import urllib3
from urllib3.exceptions import HTTPError

from ovsnp import __version__
from ovsnp.errors import Diagnostic, InputError, Span
from ovsnp.kubernetes.configuration import ApiServer, without_user
from ovsnp.kubernetes.failures import Asked, ConnectionFailedError, broken_connection, refusal
from ovsnp.kubernetes.lines import Lines
from ovsnp.kubernetes.material import tls_context
from ovsnp.kubernetes.resources import Resource

_CONNECT = 10.0
"""The seconds that a connection may take to be made."""

READ = 75.0
"""The seconds without a byte after which a connection counts as dead: a watch has a bookmark about once a minute."""

_KEPT = 16
"""The connections that stay open: one for each kind, and some for writing."""

_UNAUTHORIZED = 401

_KINDS = Resource("APIGroup", "", "v1", "apigroups")
_DISCOVERY = ", ".join(
    [f"application/json;g=apidiscovery.k8s.io;v={version};as=APIGroupDiscoveryList" for version in ("v2", "v2beta1")]
    + ["application/json"]
)
"""The notation in which a server describes all of its kinds in one answer."""


class ApiConnection:
    """The way to one API server.

    ``read_timeout`` is the longest silence of the server, in seconds; ``server_time`` is the time of the last answer by
    the clock of the API server (seconds since 1970), None before it.
    """

    def __init__(self, server: ApiServer, *, read_timeout: float = READ) -> None:
        self._server = server
        self.read_timeout = read_timeout
        self._lock = threading.Lock()
        self._pool: urllib3.PoolManager | None = None
        self._material: tuple[bytes | None, bytes | None] = None, None
        self._open: set[Lines] = set()
        self._closed = False
        self.server_time: float | None = None

    @property
    def label(self) -> str:
        """The name of the cluster in messages."""
        return self._server.label

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def get(
        self,
        resource: Resource,
        query: Mapping[str, str],
        *,
        verb: str = "list",
        name: str = "",
        namespace: str = "",
    ) -> bytes:
        """The answer to a GET of the objects of a kind, or of one object.

        ``name`` is the end of the path: ``NAME``, with further segments. Raises ApiServerError, or InputError if the
        credentials have a mistake.
        """
        asked = self._asked(verb, resource)
        path = resource.within(namespace) if namespace else resource.path
        with self._answer(asked, "GET", _target(path, name, query)) as response:
            return _whole(asked, response)

    def discover(self) -> bytes:
        """All kinds that the API server has outside of the core group; raises the errors of `get`."""
        asked = self._asked("get", _KINDS)
        with self._answer(asked, "GET", "/apis", headers={"Accept": _DISCOVERY}) as response:
            return _whole(asked, response)

    @contextmanager
    def lines(self, resource: Resource, query: Mapping[str, str]) -> Iterator[Lines]:
        """The lines of an answer, as they come; raises the errors of `get`, here and while lines are read."""
        asked = self._asked("watch", resource)
        with self._answer(asked, "GET", _target(resource.path, "", query)) as response:
            lines = Lines(response, asked)
            with self._lock:
                self._open.add(lines)
            try:
                if self._closed:
                    raise ConnectionFailedError(f"{asked}: the connection is closed")
                yield lines
            finally:
                with self._lock:
                    self._open.discard(lines)

    def send(
        self,
        method: str,
        resource: Resource,
        body: bytes,
        *,
        name: str = "",
        part: str = "",
        namespace: str = "",
        query: Mapping[str, str] = MappingProxyType({}),
        content_type: str = "application/json",
    ) -> bytes:
        """PUT, POST, PATCH or DELETE an object, or a part of it such as ``status``.

        Returns the object as the server has it then, or its Status after a DELETE; raises the errors of `get`.
        """
        verb = {"POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}[method]
        asked = self._asked(verb, resource, part)
        headers = {"Content-Type": content_type}
        path = resource.within(namespace) if namespace else resource.path
        target = _target(path, f"{name}/{part}" if part else name, query)
        with self._answer(asked, method, target, headers=headers, body=body) as response:
            return _whole(asked, response)

    def close(self) -> None:
        """End all requests: a thread that waits for a line gets an error at once."""
        with self._lock:
            self._closed = True
            waiting, pool = [*self._open], self._pool
        for lines in waiting:
            lines.interrupt()
        if pool is not None:
            pool.clear()

    def _asked(self, verb: str, resource: Resource, part: str = "") -> Asked:
        return Asked(verb, resource, self._server.label, self._server.shown_url, part)

    @contextmanager
    def _answer(
        self,
        asked: Asked,
        method: str,
        target: str,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
    ) -> Iterator[urllib3.BaseHTTPResponse]:
        """The answer to a request, if it is a success; asks again with new credentials if the old ones are refused."""
        response = self._request(asked, method, target, headers or {}, body)
        try:
            if response.status == _UNAUTHORIZED and self._server.credentials.renew():
                response.close()
                response = self._request(asked, method, target, headers or {}, body)
            self.server_time = _seconds(response.headers.get("Date")) or self.server_time
            if not 200 <= response.status < 300:
                raise refusal(asked, response.status, _whole(asked, response), response.headers.get("Retry-After"))
            yield response
        finally:
            # A connection with an answer that was not read to its end cannot be used again.
            if response.connection is not None:
                response.close()
            response.release_conn()

    def _request(
        self,
        asked: Asked,
        method: str,
        target: str,
        headers: Mapping[str, str],
        body: bytes | None,
    ) -> urllib3.BaseHTTPResponse:
        server = self._server
        sent = urllib3.HTTPHeaderDict(
            {"Accept": "application/json", "Accept-Encoding": "gzip", "User-Agent": f"ovsnp/{__version__}", **headers}
        )
        sent.extend(server.credentials.headers())
        for name, value in server.impersonation.headers():
            sent.add(name, value)
        pool = self._current_pool()
        timeout = urllib3.Timeout(connect=_CONNECT, read=self.read_timeout)
        try:
            return pool.request(
                method,
                server.url + target,
                headers=sent,
                body=body,
                timeout=timeout,
                preload_content=False,
                retries=False,
                redirect=False,
            )
        except (HTTPError, OSError) as error:
            raise broken_connection(asked, error) from None

    def _current_pool(self) -> urllib3.PoolManager:
        """The open connections; new ones if the client's certificate or the authority has been replaced."""
        certificate, authority = self._server.certificate, self._server.trust.authority
        identity = self._server.credentials.identity() or (certificate.read() if certificate else None)
        material = identity, authority.read() if authority else None
        with self._lock:
            if self._pool is None or material != self._material:
                self._pool, self._material = _pool(self._server, identity), material
            return self._pool


def _target(collection: str, name: str, query: Mapping[str, str]) -> str:
    path = f"{collection}/{name}" if name else collection
    return f"{path}?{urlencode(query)}" if query else path


def _seconds(date: str | None) -> float | None:
    """The time that a header names, in seconds since 1970."""
    try:
        return parsedate_to_datetime(date).timestamp() if date else None
    except ValueError:
        return None


def _whole(asked: Asked, response: urllib3.BaseHTTPResponse) -> bytes:
    try:
        return response.read()
    except (HTTPError, OSError) as error:
        raise broken_connection(asked, error) from None


def _pool(server: ApiServer, identity: bytes | None) -> urllib3.PoolManager:
    settings: dict[str, Any] = {"maxsize": _KEPT, "block": False}
    if server.url.startswith("https:"):
        settings["ssl_context"] = tls_context(server.trust, identity)
        if server.trust.insecure:
            urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)
            settings["cert_reqs"] = "CERT_NONE"
        if server.trust.server_name:
            settings["server_hostname"] = server.trust.server_name
    proxy = server.proxy or _proxy_of_environment(server.url)
    try:
        return urllib3.ProxyManager(proxy, **settings) if proxy else urllib3.PoolManager(**settings)
    except (HTTPError, ValueError):  # their text may have the password of the proxy
        message = f"{without_user(proxy or '')!r} is no proxy that ovsnp can use; write http://HOST:PORT"
        raise InputError([Diagnostic(Span("proxy-url"), "", "", message)]) from None


def _proxy_of_environment(url: str) -> str | None:
    """The proxy that HTTPS_PROXY, HTTP_PROXY and NO_PROXY name for an address."""
    parts = urlsplit(url)
    return None if proxy_bypass(parts.netloc) else getproxies().get(parts.scheme)
