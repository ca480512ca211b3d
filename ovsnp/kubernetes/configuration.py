"""Finds the API server and the user, as kubectl does.

The first of these that is there counts: the file of --kubeconfig, the files of KUBECONFIG, ``~/.kube/config``, the
service account of the pod that ovsnp runs in.
"""

import base64
import binascii
import os
from pathlib import Path

import msgspec

from ovsnp.errors import Diagnostic, InputError, Span, UsageError
from ovsnp.kubernetes.credentials import (
    Anonymous,
    Basic,
    Credentials,
    ExecCredentials,
    FileToken,
    Impersonation,
    StaticToken,
)
from ovsnp.kubernetes.kubeconfig import EntryOrigin, KubeContext, KubeUser, read_context_names, read_kubeconfigs
from ovsnp.kubernetes.material import CertificateFiles, Material, Trust

SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
"""The directory in which a pod finds the token of its service account, and the CA of its API server."""

_HOME = "~/.kube/config"
_SCHEMES = ("https://", "http://")


class ApiServer(msgspec.Struct, frozen=True):
    """An API server: its URL, whom it is trusted by, and who the user is. ``label`` names the cluster in messages."""

    label: str
    url: str
    trust: Trust
    credentials: Credentials
    certificate: CertificateFiles | None = None
    impersonation: Impersonation = Impersonation()
    proxy: str | None = None

    @property
    def shown_url(self) -> str:
        """The URL for messages and pages."""
        return without_user(self.url)


def without_user(url: str) -> str:
    """A URL without the name and the password that it may hold."""
    scheme, slashes, rest = url.rpartition("://")
    host, slash, path = rest.partition("/")
    return f"{scheme}{slashes}{host.rpartition('@')[2]}{slash}{path}"


def find_api_server(kubeconfig: Path | None = None, context: str | None = None) -> ApiServer:
    """The API server that kubectl would use with these two options.

    Raises InputError if a kubeconfig has a mistake, UsageError if there is no configuration.
    """
    paths = _paths(kubeconfig)
    chosen = read_kubeconfigs(paths, context) if paths else None
    if chosen:
        return _of_kubeconfig(chosen)
    if kubeconfig or (paths and not _in_cluster()):
        message = "names no current context; name one with --context (kubectl config get-contexts lists them)"
        raise InputError([Diagnostic(Span(os.pathsep.join(paths)), "", "current-context", message)])
    if context:
        raise UsageError(f"--context {context}: there is no kubeconfig; name one with --kubeconfig")
    if not _in_cluster():
        raise UsageError(f"there is no kubeconfig ({_HOME}, or the files of KUBECONFIG); name one with --kubeconfig")
    return _of_service_account()


def context_names(kubeconfig: Path | None = None) -> list[str]:
    """The names of all contexts; raises InputError if a kubeconfig has a mistake."""
    return read_context_names(_paths(kubeconfig))


def _paths(kubeconfig: Path | None) -> list[str]:
    """The kubeconfig that is named, or else those that are there, in the order of kubectl."""
    if kubeconfig:
        return [str(kubeconfig)]
    listed = os.environ.get("KUBECONFIG", "")
    paths = [path for path in listed.split(os.pathsep) if path] if listed else [os.path.expanduser(_HOME)]
    return [path for path in dict.fromkeys(paths) if os.path.exists(path)]


def _in_cluster() -> bool:
    return bool(os.environ.get("KUBERNETES_SERVICE_HOST")) and (SERVICE_ACCOUNT / "token").exists()


def _of_service_account() -> ApiServer:
    host, port = os.environ["KUBERNETES_SERVICE_HOST"], os.environ.get("KUBERNETES_SERVICE_PORT", "443")
    return ApiServer(
        "cluster of this pod",
        f"https://{f'[{host}]' if ':' in host else host}:{port}",
        Trust(Material(file=SERVICE_ACCOUNT / "ca.crt")),
        FileToken(SERVICE_ACCOUNT / "token"),
    )


def _of_kubeconfig(chosen: KubeContext) -> ApiServer:
    cluster, origin = chosen.cluster, chosen.cluster_origin
    server = (cluster.server or "").rstrip("/")
    if not server:
        raise origin.mistake("missing; write the URL of the API server", "server")
    if not server.startswith(_SCHEMES):
        raise origin.mistake(f"{server!r} is no URL of an API server; write https://HOST:PORT", "server")
    authority = _material(origin, "certificate-authority", cluster.certificate_authority_data, cluster)
    if authority and cluster.insecure_skip_tls_verify:
        message = "contradicts the certificate authority beside it; keep one of the two"
        raise origin.mistake(message, "insecure-skip-tls-verify")
    return ApiServer(
        f"cluster {chosen.context}",
        server,
        Trust(authority, bool(cluster.insecure_skip_tls_verify), cluster.tls_server_name or None),
        _credentials(chosen),
        _certificate(chosen.user, chosen.user_origin),
        _impersonation(chosen.user, chosen.user_origin),
        cluster.proxy_url or None,
    )


def _material(origin: EntryOrigin, field: str, data: str | None, entry: msgspec.Struct) -> Material | None:
    """The PEM text of a field, which may be data or the name of a file; data takes precedence."""
    if data:
        try:
            return Material(data=base64.b64decode(data, validate=True))
        except binascii.Error:
            raise origin.mistake("is no base64; write PEM text in base64", f"{field}-data") from None
    path = getattr(entry, field.replace("-", "_"))
    return Material(file=origin.beside(path)) if path else None


def _certificate(user: KubeUser, origin: EntryOrigin) -> CertificateFiles | None:
    certificate = _material(origin, "client-certificate", user.client_certificate_data, user)
    key = _material(origin, "client-key", user.client_key_data, user)
    if certificate and key:
        return CertificateFiles(certificate, key)
    if certificate or key:
        lacking = "client-key" if certificate else "client-certificate"
        raise origin.mistake(f"{lacking} is missing; a client needs its certificate and the key of it")
    return None


def _credentials(chosen: KubeContext) -> Credentials:
    """The credentials that go into a header, in kubectl's order: a token file, a token, a password, a plugin."""
    user, origin = chosen.user, chosen.user_origin
    if user.token_file:
        return FileToken(origin.beside(user.token_file))
    if user.token:
        return StaticToken(user.token)
    if user.username:
        return Basic(user.username, user.password or "")
    if user.exec:
        return ExecCredentials(user.exec, origin, chosen.cluster)
    if user.auth_provider:
        what = f"{user.auth_provider.get('name')!r} is a provider that Kubernetes has removed"
        raise origin.mistake(f"{what}; use a plugin (exec) instead", "auth-provider")
    return Anonymous()


def _impersonation(user: KubeUser, origin: EntryOrigin) -> Impersonation:
    groups, extra = user.as_groups or [], user.as_user_extra or {}
    if (groups or extra or user.as_uid) and not user.as_user:
        raise origin.mistake("missing; groups and extra fields are those of a user to act as", "as")
    if not user.as_user:
        return Impersonation()
    return Impersonation(user.as_user, user.as_uid, tuple(groups), tuple((k, tuple(v)) for k, v in extra.items()))
