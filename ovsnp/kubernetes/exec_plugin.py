"""Programs that print credentials
(https://kubernetes.io/docs/reference/access-authn-authz/authentication/#client-go-credential-plugins)."""

import os
import subprocess
import sys
from datetime import datetime
from typing import Any, NamedTuple

import msgspec

from ovsnp.errors import InputError
from ovsnp.kubernetes.kubeconfig import EntryOrigin, ExecPlugin, KubeCluster

_VERSIONS = ("client.authentication.k8s.io/v1", "client.authentication.k8s.io/v1beta1")
_PATIENCE, _PATIENCE_WITH_USER = 60, 300
"""The seconds that a program may take, and with a terminal, where it may ask the user to log in with a browser."""


class ExecStatus(NamedTuple):
    """What a program has printed: a token, or a certificate and its key in PEM, and the time at which they expire."""

    token: str | None
    identity: bytes | None
    expires: float


class _Status(msgspec.Struct, rename="camel"):
    token: str | None = None
    client_certificate_data: str | None = None
    client_key_data: str | None = None
    expiration_timestamp: datetime | None = None


class _ExecCredential(msgspec.Struct, rename="camel"):
    api_version: str | None = None
    status: _Status | None = None


def run_plugin(plugin: ExecPlugin, origin: EntryOrigin, cluster: KubeCluster) -> ExecStatus:
    """Run a program, and read the credentials that it prints.

    Raises InputError if it cannot be run, fails, or prints no credentials.
    """
    if not plugin.command:
        raise origin.mistake("missing; write the program that prints the credentials", "exec", "command")
    if plugin.api_version not in _VERSIONS:
        message = f"{plugin.api_version!r} is no version that ovsnp reads; write {_VERSIONS[0]}"
        raise origin.mistake(message, "exec", "apiVersion")
    return _read(plugin, origin, _output(plugin, origin, _info(plugin, cluster)))


def _output(plugin: ExecPlugin, origin: EntryOrigin, info: bytes) -> bytes:
    environment = {**os.environ, **{each.name or "": each.value or "" for each in plugin.env or ()}}
    environment["KUBERNETES_EXEC_INFO"] = info.decode()
    # A command with a directory is relative to the kubeconfig, another one is found in PATH.
    command = plugin.command or ""
    patience = _PATIENCE_WITH_USER if _is_interactive() else _PATIENCE
    program = str(origin.beside(command)) if os.sep in command else command
    try:
        done = subprocess.run(
            [program, *(plugin.args or ())], env=environment, stdout=subprocess.PIPE, timeout=patience, check=False
        )
    except OSError as error:
        hint = f"; {plugin.install_hint.strip()}" if plugin.install_hint else "; install it, or correct its path"
        message = f"{command} cannot be run: {str(error.strerror).lower()}{hint}"
        raise origin.mistake(message, "exec", "command") from None
    except subprocess.TimeoutExpired:
        message = f"{command} printed no credentials within {patience} s; run it by hand to see why"
        raise origin.mistake(message, "exec", "command") from None
    if done.returncode:
        raise origin.mistake(f"{command} ended with {done.returncode}; see what it says above", "exec", "command")
    return done.stdout


def _is_interactive() -> bool:
    return sys.stdin is not None and sys.stdin.isatty()


def _info(plugin: ExecPlugin, cluster: KubeCluster) -> bytes:
    spec: dict[str, Any] = {"interactive": _is_interactive()}
    if plugin.provide_cluster_info:
        fields = {
            "server": cluster.server,
            "tls-server-name": cluster.tls_server_name,
            "insecure-skip-tls-verify": cluster.insecure_skip_tls_verify,
            "certificate-authority-data": cluster.certificate_authority_data,
            "proxy-url": cluster.proxy_url,
        }
        spec["cluster"] = {name: value for name, value in fields.items() if value}
    return msgspec.json.encode({"kind": "ExecCredential", "apiVersion": plugin.api_version, "spec": spec})


def _read(plugin: ExecPlugin, origin: EntryOrigin, text: bytes) -> ExecStatus:
    def broken(what: str) -> InputError:
        return origin.mistake(f"{plugin.command} prints no credentials: {what}; run it by hand", "exec", "command")

    try:
        found = msgspec.json.decode(text, type=_ExecCredential)
    except (msgspec.MsgspecError, RecursionError):
        raise broken("its output is no ExecCredential in JSON") from None
    if found.api_version != plugin.api_version:
        raise broken(f"its apiVersion is {found.api_version!r}, not {plugin.api_version!r}")
    status = found.status or _Status()
    certificate, key = status.client_certificate_data, status.client_key_data
    if not status.token and not (certificate and key):
        raise broken("it has neither a token nor a certificate and its key")
    identity = f"{certificate}\n{key}".encode() if certificate and key else None
    expires = status.expiration_timestamp.timestamp() if status.expiration_timestamp else float("inf")
    return ExecStatus(status.token, identity, expires)
