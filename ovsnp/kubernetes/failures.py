"""What an API server refuses, and what is wrong with the connection to it, in one sentence each.

ApiServerError              of ovsnp.errors
├── ConnectionFailedError   no answer, or only a part of one
│   └── SilenceError        no byte for too long
├── NotUnderstoodError      an answer that is no list or watch of Kubernetes
└── RefusedError            an answer other than success
    ├── ExpiredError        the resource version is too old, or the server has not reached it: list again
    └── NoSuchObjectError   the server does not know the kind, or has no object of the name
"""

import re
import socket
import ssl
from collections.abc import Sequence
from typing import NamedTuple

import msgspec
import urllib3.exceptions

from ovsnp.errors import ApiServerError
from ovsnp.kubernetes.resources import Resource

_BY_REASON = {"Expired": 410, "Gone": 410, "Forbidden": 403, "TooManyRequests": 429}
_OUT_OF_TIME = frozenset({9, 10})
"""X509_V_ERR_CERT_NOT_YET_VALID and X509_V_ERR_CERT_HAS_EXPIRED of OpenSSL."""

_TOO_NEW = "Too large resource version"
_ADMISSION = re.compile(r"denied (the )?request: ")
"""What a ValidatingAdmissionPolicy or a webhook says: RBAC has allowed the request."""
_SUBJECT = re.compile(r'User "([^"]+)"')


class Asked(NamedTuple):
    """A request in the words of RBAC: its verb, the kind, and the part of the object if it is not about all of it.

    ``server`` and ``url`` name the API server.
    """

    verb: str
    resource: Resource
    server: str
    url: str
    part: str = ""

    def __str__(self) -> str:
        return f"{self.server}: {self.verb} {self.part and f'{self.part} of '}{self.resource.kind}"


class ConnectionFailedError(ApiServerError):
    """The API server did not answer, or its answer broke off."""


class SilenceError(ConnectionFailedError):
    """The API server sent no byte for too long."""


class NotUnderstoodError(ApiServerError):
    """The API server sent an answer that is no list or watch of Kubernetes."""


class Cause(msgspec.Struct, frozen=True):
    """A mistake of an object in the words of the API server, and its path (``spec.ingress[0].from``)."""

    field: str = ""
    message: str = ""


class RefusedError(ApiServerError):
    """The API server answered with an error.

    ``retry_after`` are the seconds that it asks to wait for, if it does. ``said`` is its message, and ``causes`` are
    the mistakes of the object that it names.
    """

    def __init__(
        self, message: str, code: int, retry_after: float | None = None, said: str = "", causes: Sequence[Cause] = ()
    ) -> None:
        super().__init__(message)
        self.code = code
        self.retry_after = retry_after
        self.said = said
        self.causes = causes


class ExpiredError(RefusedError):
    """The changes since a resource version are no longer known, or the version is not yet: a list must replace them."""


class NoSuchObjectError(RefusedError):
    """The API server does not know the kind, or has no object of this name."""


class _Details(msgspec.Struct, rename="camel"):
    retry_after_seconds: float | None = None
    causes: list[Cause] | None = None


class _Status(msgspec.Struct):
    message: str | None = None
    reason: str | None = None
    code: int | None = None
    details: _Details | None = None


def refusal(asked: Asked, code: int, body: bytes | msgspec.Raw, retry_after: str | None = None) -> RefusedError:
    """The error for an answer with this code, or for a Status object in a watch (code 0)."""
    try:
        status = msgspec.json.decode(body, type=_Status)
    except (msgspec.MsgspecError, RecursionError):
        status = _Status()
    code = status.code or code or _BY_REASON.get(status.reason or "", 500)
    said = (status.message or "").strip()
    if code == 410 or status.reason in ("Expired", "Gone") or said.startswith(_TOO_NEW):
        return ExpiredError(f"{asked}: the resource version is not available: {said}", 410)
    wait = _seconds(retry_after)
    if wait is None and status.details:
        wait = status.details.retry_after_seconds
    message = f"{asked}: {_sentence(asked, code, said)}"
    causes = (status.details and status.details.causes) or ()
    return (NoSuchObjectError if code == 404 else RefusedError)(message, code, wait, said, causes)


def _seconds(retry_after: str | None) -> float | None:
    return float(retry_after) if retry_after and retry_after.isdigit() else None


def _sentence(asked: Asked, code: int, said: str) -> str:
    what = f": {said}" if said else ""
    match code:
        case 401:
            return "the API server does not know the user (401); renew the credentials of the kubeconfig"
        case 403 if _ADMISSION.search(said):
            return said
        case 403:
            user = _SUBJECT.search(said)
            whom = f"to {user[1]}" if user else "to the user"
            rule = asked.resource.rule(asked.verb, asked.part)
            return f"forbidden{what}; give {whom} a ClusterRole with the rule {rule}"
        case 404:
            return f"the API server has none{what}; see kubectl api-resources, and install what defines the kind"
        case 429:
            return f"the API server has too many requests (429){what}; ovsnp can try again later"
        case _ if code >= 500:
            return f"the API server fails ({code}){what}; see its log"
        case _:
            return f"the API server refuses the request ({code}){what}"


def broken_connection(asked: Asked, error: Exception) -> ConnectionFailedError:
    """The error for an exception of the HTTP library."""
    cause = _cause(error)
    where = f"{asked.server}: {asked.url}"
    match cause:
        case ssl.SSLCertVerificationError():
            remedy = "check certificate-authority and server in the kubeconfig"
            if cause.verify_code in _OUT_OF_TIME:
                remedy = "check the clock of this machine, and renew the certificate"
            return ConnectionFailedError(f"{where}: the server's certificate is not valid: {_why(cause)}; {remedy}")
        case ssl.SSLError():
            message = f"no TLS connection: {_why(cause)}; check server and the client's certificate in the kubeconfig"
        case socket.gaierror():
            message = "the name of the host is unknown; check server in the kubeconfig"
        case ConnectionRefusedError():
            message = "the connection is refused; start the API server, or name another context with --context"
        case urllib3.exceptions.ReadTimeoutError():
            return SilenceError(f"{where}: no answer for too long; check the API server and the network before it")
        case urllib3.exceptions.ConnectTimeoutError() | TimeoutError():
            message = "no answer; check that the API server runs, and the network before it"
        case OSError() if cause.strerror:
            message = f"no connection: {cause.strerror.lower()}; check the network between here and the API server"
        case _:
            message = "the connection broke off; the API server or a proxy before it has ended it"
    return ConnectionFailedError(f"{where}: {message}")


def _cause(error: BaseException) -> BaseException:
    """The innermost reason that the HTTP library gives."""
    if isinstance(error, urllib3.exceptions.ReadTimeoutError):
        return error
    inner = getattr(error, "reason", None)
    if not isinstance(inner, BaseException):
        inner = next((each for each in error.args if isinstance(each, BaseException)), None)
    inner = inner or error.__cause__
    return _cause(inner) if isinstance(inner, BaseException) and inner is not error else error


def _why(error: ssl.SSLError) -> str:
    """The words of OpenSSL, without the numbers of its source."""
    return getattr(error, "verify_message", "") or (error.reason or str(error)).replace("_", " ").lower()
