"""The headers by which an API server knows the user, and how they are renewed."""

import base64
import threading
import time
from collections.abc import Mapping
from pathlib import Path

import msgspec

from ovsnp.errors import Diagnostic, InputError, Span
from ovsnp.kubernetes.exec_plugin import ExecStatus, run_plugin
from ovsnp.kubernetes.kubeconfig import EntryOrigin, ExecPlugin, KubeCluster

_TOKEN_AGE = 60.0
"""The seconds after which a token file is read again: the kubelet replaces a token long before it expires."""

_EARLY = 10.0
"""The seconds by which credentials of a plugin are renewed before they expire."""


class Credentials:
    """Credentials that never change: none."""

    def headers(self) -> Mapping[str, str]:
        """The headers of a request; raises InputError if they cannot be made."""
        return {}

    def identity(self) -> bytes | None:
        """A certificate and its key in PEM, if the credentials are these; raises InputError if they cannot be made."""
        return None

    def renew(self) -> bool:
        """Forget what an API server has refused (401); False if the next `headers` would be the same."""
        return False


class Anonymous(Credentials):
    """No credentials, or only a certificate."""


class StaticToken(Credentials):
    """A bearer token."""

    def __init__(self, token: str) -> None:
        self._token = token

    def headers(self) -> Mapping[str, str]:
        """The token."""
        return {"Authorization": f"Bearer {self._token}"}


class Basic(Credentials):
    """A name and a password."""

    def __init__(self, name: str, password: str) -> None:
        self._text = base64.b64encode(f"{name}:{password}".encode()).decode()

    def headers(self) -> Mapping[str, str]:
        """The name and the password."""
        return {"Authorization": f"Basic {self._text}"}


class FileToken(Credentials):
    """A bearer token in a file that is replaced from time to time."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._token = ""
        self._read_at = float("-inf")

    def headers(self) -> Mapping[str, str]:
        """The token of the file; a token that was read before serves while the file cannot be read."""
        if time.monotonic() - self._read_at > _TOKEN_AGE:
            self._read()
        return {"Authorization": f"Bearer {self._token}"}

    def renew(self) -> bool:
        """Read the file again; False if it still has the same token."""
        before = self._token
        self._read()
        return self._token != before

    def _read(self) -> None:
        try:
            token = self._file.read_text(encoding="ascii").strip()
        except (OSError, UnicodeError) as error:
            if self._token:
                return
            reason = str(error.strerror).lower() if isinstance(error, OSError) else "no plain text"
            message = f"the token cannot be read: {reason}; check tokenFile in the kubeconfig"
            raise InputError([Diagnostic(Span(str(self._file)), "", "", message)]) from None
        self._token, self._read_at = token, time.monotonic()


class ExecCredentials(Credentials):
    """The token, or the certificate, that a program prints; kept until it expires or is refused."""

    def __init__(self, plugin: ExecPlugin, origin: EntryOrigin, cluster: KubeCluster) -> None:
        self._plugin = plugin
        self._origin = origin
        self._cluster = cluster
        self._lock = threading.Lock()
        self._status: ExecStatus | None = None

    def headers(self) -> Mapping[str, str]:
        """The token, if the program prints one."""
        token = self._current().token
        return {"Authorization": f"Bearer {token}"} if token else {}

    def identity(self) -> bytes | None:
        """The certificate and its key, if the program prints them."""
        return self._current().identity

    def renew(self) -> bool:
        """Run the program again for the next request."""
        with self._lock:
            self._status = None
        return True

    def _current(self) -> ExecStatus:
        with self._lock:  # each kind has its thread, and a program that asks the user must run once
            if self._status is None or self._status.expires < time.time() + _EARLY:
                self._status = run_plugin(self._plugin, self._origin, self._cluster)
            return self._status


class Impersonation(msgspec.Struct, frozen=True):
    """The user that requests act as, if it is another one."""

    user: str = ""
    uid: str | None = None
    groups: tuple[str, ...] = ()
    extra: tuple[tuple[str, tuple[str, ...]], ...] = ()

    def headers(self) -> list[tuple[str, str]]:
        """The headers of a request, some of them repeated."""
        if not self.user:
            return []
        found = [("Impersonate-User", self.user), *(("Impersonate-Group", group) for group in self.groups)]
        if self.uid:
            found.append(("Impersonate-Uid", self.uid))
        return found + [(f"Impersonate-Extra-{key}", value) for key, values in self.extra for value in values]
