"""Kubeconfig files: their fields, and the entries that one context names.

The rules are those of kubectl (https://kubernetes.io/docs/concepts/configuration/organize-cluster-access-kubeconfig/):
of several files, the first that has an entry of a name counts, and paths are relative to the file that has them.
"""

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from ovsnp.errors import Diagnostic, InputError, Span
from ovsnp.yaml_reader.encoding import in_utf8
from ovsnp.yaml_reader.notation import read_documents
from ovsnp.yaml_reader.outline import Outline
from ovsnp.yaml_reader.paths import Fault, format_path
from ovsnp.yaml_reader.paths import Path as Way
from ovsnp.yaml_reader.structure import shape_faults


class KubeCluster(msgspec.Struct, rename="kebab"):
    """How to reach an API server, and which certificates to trust."""

    server: str | None = None
    certificate_authority: str | None = None
    certificate_authority_data: str | None = None
    insecure_skip_tls_verify: bool | None = None
    tls_server_name: str | None = None
    proxy_url: str | None = None


class ExecVariable(msgspec.Struct):
    name: str | None = None
    value: str | None = None


class ExecPlugin(msgspec.Struct, rename="camel"):
    """A program that prints credentials."""

    api_version: str | None = None
    command: str | None = None
    args: list[str] | None = None
    env: list[ExecVariable] | None = None
    provide_cluster_info: bool | None = None
    install_hint: str | None = None


class KubeUser(msgspec.Struct, rename="kebab"):
    """The credentials of a user, and whom the user acts for."""

    token: str | None = None
    token_file: str | None = msgspec.field(name="tokenFile", default=None)
    client_certificate: str | None = None
    client_certificate_data: str | None = None
    client_key: str | None = None
    client_key_data: str | None = None
    username: str | None = None
    password: str | None = None
    exec: ExecPlugin | None = None
    auth_provider: dict[str, Any] | None = None
    as_user: str | None = msgspec.field(name="as", default=None)
    as_uid: str | None = None
    as_groups: list[str] | None = None
    as_user_extra: dict[str, list[str]] | None = None


class _Context(msgspec.Struct):
    cluster: str | None = None
    user: str | None = None


class _NamedCluster(msgspec.Struct):
    name: str | None = None
    cluster: KubeCluster | None = None


class _NamedUser(msgspec.Struct):
    name: str | None = None
    user: KubeUser | None = None


class _NamedContext(msgspec.Struct):
    name: str | None = None
    context: _Context | None = None


class _Kubeconfig(msgspec.Struct, rename="kebab"):
    current_context: str | None = None
    clusters: list[_NamedCluster | None] | None = None
    users: list[_NamedUser | None] | None = None
    contexts: list[_NamedContext | None] | None = None


class EntryOrigin(NamedTuple):
    """The file of an entry, and its path there, for mistakes and for relative paths."""

    file: str
    outline: Outline
    way: Way

    def mistake(self, message: str, *field: str) -> InputError:
        """An error about a field of the entry."""
        way = (*self.way, *field)
        return InputError([Diagnostic(Span(self.file, self.outline.line(way)), "", format_path(way), message)])

    def beside(self, path: str) -> Path:
        """A path of the entry, which is relative to the directory of the file."""
        return Path(self.file).parent / path


class KubeContext(NamedTuple):
    """The context that is used, with its cluster and its user."""

    context: str
    cluster: KubeCluster
    cluster_origin: EntryOrigin
    user: KubeUser
    user_origin: EntryOrigin


class _File(NamedTuple):
    file: str
    outline: Outline
    content: _Kubeconfig

    def origin(self, *way: str | int) -> EntryOrigin:
        return EntryOrigin(self.file, self.outline, way)


def read_kubeconfigs(paths: Sequence[str], context: str | None) -> KubeContext | None:
    """The cluster and the user of a context, by default the current one; None if no file names a current context.

    Raises InputError if a file cannot be read, or if the files lack an entry.
    """
    files = [_read(path) for path in paths]
    name = context or next((file.content.current_context for file in files if file.content.current_context), None)
    if name is None:
        return None
    origin, found = _context(files, name, named=context is not None)
    cluster = _cluster(files, origin, found)
    user = _user(files, origin, found)
    return KubeContext(name, *cluster, *user)


def read_context_names(paths: Sequence[str]) -> list[str]:
    """The names of the contexts in some files, sorted; raises InputError if a file cannot be read."""
    contexts = (each for path in paths for each in _read(path).content.contexts or ())
    return sorted({each.name for each in contexts if each and each.name})


def _read(path: str) -> _File:
    def broken(message: str, line: int = 0) -> InputError:
        return InputError([Diagnostic(Span(path, line), "", "", message)])

    try:
        documents = read_documents(path, in_utf8(Path(path).read_bytes()), lines=True)
    except OSError as error:
        reason = str(error.strerror).lower()
        raise broken(f"cannot be read: {reason}; name the kubeconfig with --kubeconfig") from None
    if documents.mistake:
        raise broken(documents.mistake.message, documents.mistake.line)
    outlines = documents.yaml or [_outline(document.text) for document in documents.json]
    if len(outlines) > 1:
        raise broken("has several documents; a kubeconfig is one")
    outline = outlines[0] if outlines else Outline({}, {}, [])
    value = {} if outline.value is None else outline.value
    if not isinstance(value, dict):
        raise broken("is no kubeconfig; it has clusters, users and contexts")
    value, faults = shape_faults(value, _Kubeconfig)
    _refuse(path, outline, [*outline.faults, *faults])
    return _File(path, outline, msgspec.convert(value, _Kubeconfig))


def _outline(text: msgspec.Raw) -> Outline:
    from ovsnp.yaml_reader.json_text import outline_json  # noqa: PLC0415 -- few people write a kubeconfig in JSON

    return outline_json(text)


def _refuse(path: str, outline: Outline, faults: Iterable[Fault]) -> None:
    mistakes = [
        Diagnostic(Span(path, outline.line(fault.path)), "", format_path(fault.path), fault.message) for fault in faults
    ]
    if mistakes:
        raise InputError(mistakes)


def _context(files: Sequence[_File], name: str, *, named: bool) -> tuple[EntryOrigin, _Context]:
    known: list[str] = []
    for file in files:
        for index, each in enumerate(file.content.contexts or ()):
            if each and each.name == name:
                return file.origin("contexts", index, "context"), each.context or _Context()
            if each and each.name:
                known.append(each.name)
    there = f"there are {', '.join(sorted(set(known)))}" if known else "there is none"
    if named:
        message = f"has no context {name}; {there}"
        raise InputError([Diagnostic(Span(os.pathsep.join(file.file for file in files)), "", "", message)])
    (file, *_) = [file for file in files if file.content.current_context]
    raise file.origin("current-context").mistake(f"there is no context {name}; {there}")


def _cluster(files: Sequence[_File], context: EntryOrigin, found: _Context) -> tuple[KubeCluster, EntryOrigin]:
    if not found.cluster:
        raise context.mistake("missing; write the name of an entry of clusters", "cluster")
    for file in files:
        for index, each in enumerate(file.content.clusters or ()):
            if each and each.name == found.cluster:
                return each.cluster or KubeCluster(), file.origin("clusters", index, "cluster")
    raise context.mistake(f"clusters has no entry {found.cluster}; add it, or choose another context", "cluster")


def _user(files: Sequence[_File], context: EntryOrigin, found: _Context) -> tuple[KubeUser, EntryOrigin]:
    if not found.user:
        return KubeUser(), context
    for file in files:
        for index, each in enumerate(file.content.users or ()):
            if each and each.name == found.user:
                return each.user or KubeUser(), file.origin("users", index, "user")
    raise context.mistake(f"users has no entry {found.user}; add it, or choose another context", "user")
