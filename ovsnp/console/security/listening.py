"""The address at which the console listens, and what a browser calls it."""

from collections.abc import Iterator
from ipaddress import ip_address
from pathlib import Path
from typing import NamedTuple

from ovsnp.errors import UsageError

DEFAULT_LISTEN = "127.0.0.1:8780"

_LOCALHOST = "localhost"
_LAST_PORT = 65535


class Certificate(NamedTuple):
    """The files of a TLS certificate and of its key, in PEM."""

    certificate: Path
    key: Path


class ListenAddress(NamedTuple):
    """A host (a name or an address), a port (0: any free port), and the certificate for TLS if there is one."""

    host: str
    port: int
    certificate: Certificate | None

    @property
    def scheme(self) -> str:
        """``http`` or ``https``."""
        return "https" if self.certificate else "http"

    @property
    def url(self) -> str:
        """The URL of the console, without a path; also the origin of its pages."""
        return f"{self.scheme}://{_in_url(self.host)}{self._port_part}"

    @property
    def hosts(self) -> frozenset[str]:
        """The values of the header Host that name this console."""
        return frozenset(f"{_in_url(name)}{self._port_part}" for name in self._names())

    @property
    def origins(self) -> frozenset[str]:
        """The origins of the pages of this console."""
        return frozenset(f"{self.scheme}://{host}" for host in self.hosts)

    @property
    def cookie(self) -> str:
        """The name of the cookie; ports of one host share their cookies, so the name holds the port."""
        name = f"ovsnp-console-{self.port}"
        return f"__Host-{name}" if self.certificate else name

    def _names(self) -> Iterator[str]:
        yield self.host
        if _is_loopback(self.host):
            yield _LOCALHOST

    @property
    def _port_part(self) -> str:
        """Browsers leave out the port that the scheme has by default."""
        return "" if self.port == {"http": 80, "https": 443}[self.scheme] else f":{self.port}"


def read_listen(text: str, certificate: Path | None, key: Path | None) -> ListenAddress:
    """The address of ``--listen``; raises UsageError if it is no address, or if it needs TLS and has none."""
    host, colon, port = text.rpartition(":")
    host = host.removeprefix("[").removesuffix("]").lower()
    if not colon or not host or not port.isascii() or not port.isdigit() or int(port) > _LAST_PORT:
        raise UsageError(f"--listen {text!r} is no address with a port; write HOST:PORT, such as {DEFAULT_LISTEN}")
    if _is_wildcard(host):
        raise UsageError(
            f"--listen {text} means every address of this host, and the console must know by which name browsers call"
            " it, so that no other name can be made to lead to it (DNS rebinding); write that name or address"
        )
    if (certificate is None) is not (key is None):
        raise UsageError("--tls-cert and --tls-key belong together; give both")
    pair = Certificate(certificate, key) if certificate and key else None
    if pair is None and not _is_loopback(host):
        raise UsageError(
            f"--listen {text} can be reached from other hosts, and without TLS the session of the console could be read"
            " and used on the way; give --tls-cert and --tls-key, or listen on 127.0.0.1 and use ssh -L"
        )
    return ListenAddress(host, int(port), pair)


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == _LOCALHOST


def _is_wildcard(host: str) -> bool:
    try:
        return ip_address(host).is_unspecified
    except ValueError:
        return False


def _in_url(host: str) -> str:
    return f"[{host}]" if ":" in host else host
