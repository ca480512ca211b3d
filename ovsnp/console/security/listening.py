"""The address at which the console listens, and what a browser calls it."""

from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path
from typing import NamedTuple, Self

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
    def is_loopback(self) -> bool:
        """True if no other host can connect."""
        return _is_loopback(self.host)

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

    def bound(self, host: str, port: int) -> Self:
        """The address of a socket that listens here; raises UsageError as `read_listen` does.

        ``localhost`` has two addresses, and at the other one a program of another user may wait for the token: without
        TLS, the URL has the address itself.
        """
        _refuse_open(f"{self.host}:{port}", host, self.certificate)
        ambiguous = self.host == _LOCALHOST and self.certificate is None
        return self._replace(host=host if ambiguous else self.host, port=port)

    def _names(self) -> Iterator[str]:
        yield self.host
        if self.is_loopback:
            yield _LOCALHOST

    @property
    def _port_part(self) -> str:
        """Browsers leave out the port that the scheme has by default."""
        return "" if self.port == {"http": 80, "https": 443}[self.scheme] else f":{self.port}"


def read_listen(text: str, certificate: Path | None, key: Path | None) -> ListenAddress:
    """The address of ``--listen``; raises UsageError if it is no address, or if it needs TLS and has none."""
    host, colon, port = text.rpartition(":")
    host = host.removeprefix("[").removesuffix("]").lower()
    host = str(_address(host) or host)  # a browser writes an address in the shortest way
    if not colon or not host or not port.isascii() or not port.isdigit() or int(port) > _LAST_PORT:
        raise UsageError(f"--listen {text!r} is no address with a port; write HOST:PORT, such as {DEFAULT_LISTEN}")
    if (certificate is None) is not (key is None):
        raise UsageError("--tls-cert and --tls-key belong together; give both")
    pair = Certificate(certificate, key) if certificate and key else None
    _refuse_open(text, host, pair)
    return ListenAddress(host, int(port), pair)


def _refuse_open(text: str, host: str, pair: Certificate | None) -> None:
    """Raise UsageError for every address, and for an address that other hosts reach without TLS."""
    if (address := _address(host)) and address.is_unspecified:
        raise UsageError(
            f"--listen {text} means every address of this host, and the console must know by which name browsers call"
            " it, so that no other name can be made to lead to it (DNS rebinding); write that name or address"
        )
    if pair is None and not _is_loopback(host):
        raise UsageError(
            f"--listen {text} can be reached from other hosts, and without TLS the session of the console could be read"
            " and used on the way; give --tls-cert and --tls-key, or listen on 127.0.0.1 and use ssh -L"
        )


def _is_loopback(host: str) -> bool:
    address = _address(host)
    return address.is_loopback if address else host == _LOCALHOST


def _address(host: str) -> IPv4Address | IPv6Address | None:
    """The address that a host is; None for a name."""
    try:
        address = ip_address(host)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def _in_url(host: str) -> str:
    return f"[{host}]" if ":" in host else host
