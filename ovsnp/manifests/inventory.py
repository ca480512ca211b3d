"""Sorts the objects of the input by kind, from documents and Lists, before they are read."""

from collections.abc import Collection, Mapping
from typing import Any

import msgspec

from ovsnp.errors import Place
from ovsnp.manifests.kinds.read_kinds import KINDS
from ovsnp.manifests.no_manifests import (
    PATCH,
    TEMPLATE,
    is_kustomization,
    is_policy_kind,
    is_template,
    may_be_meant,
    mistake_of_stranger,
    stranger,
    unread_template,
)
from ovsnp.manifests.objects import OF_THE_TYPE, ApiObject, as_outline, has_pod_template
from ovsnp.manifests.own_files import is_own
from ovsnp.manifests.passed_over import PassedOver
from ovsnp.yaml_reader.json_text import doubled_fields, list_faults
from ovsnp.yaml_reader.outline import MAX_DEPTH, TOO_DEEP, Outline
from ovsnp.yaml_reader.paths import Fault
from ovsnp.yaml_reader.report import MistakeReport, Subject
from ovsnp.yaml_reader.structure import describe, quote

_VERSIONS: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(KINDS, ("v1",)),
    **dict.fromkeys(("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet"), ("apps/v1",)),
    **dict.fromkeys(("Job", "CronJob"), ("batch/v1",)),
    "Rollout": ("argoproj.io/v1alpha1",),
    "DeploymentConfig": ("apps.openshift.io/v1",),
    "NetworkPolicy": ("networking.k8s.io/v1",),
    "EndpointSlice": ("discovery.k8s.io/v1",),
    "ServiceCIDR": ("networking.k8s.io/v1", "networking.k8s.io/v1beta1", "networking.k8s.io/v1alpha1"),
}
"""The versions of each kind that ovsnp reads; messages recommend the first."""

_STATE = frozenset(KINDS) - {"NetworkPolicy", "Namespace", "Node"}
"""Kinds of cluster state: to leave out an object of these kinds never allows more connections.

Namespace and Node are not among them: NotIn matches a namespace without labels, and without Node objects the addresses
of nodes are unknown.
"""


_BESIDE_POLICIES = frozenset({"Ingress", "IngressClass", "IPAddress", "ServiceCIDR"})
"""The other kinds in the API group of NetworkPolicy: any further kind there is a misspelt policy."""


class TypeMeta(msgspec.Struct, rename="camel", gc=False):
    """The type of an object; an item of a typed List may lack it."""

    kind: str | None = None
    api_version: str | None = None


class _List(msgspec.Struct, gc=False):
    items: list[msgspec.Raw]


_decode_header = msgspec.json.Decoder(TypeMeta).decode
_decode_list = msgspec.json.Decoder(_List).decode
_NO_HEADER = TypeMeta()


class Inventory:
    """Sorts objects by kind and passes over kinds that have nothing to do with policies.

    Passes over ovsnp's own files too, but not over files in ``meant``: a file that the user names is a manifest.
    """

    def __init__(
        self,
        report: MistakeReport,
        passed_over: PassedOver,
        ignore_kinds: Collection[str] = (),
        meant: Collection[str] = (),
    ) -> None:
        self._report = report
        self._passed_over = passed_over
        self._ignored = frozenset(ignore_kinds)
        self._meant = frozenset(meant)
        self.objects: dict[str, list[ApiObject]] = {kind: [] for kind in KINDS}
        self._take = {(kind, version): self.objects[kind].append for kind in KINDS for version in _VERSIONS[kind]}

    def add(self, place: Place, body: msgspec.Raw | Outline, outer: TypeMeta = _NO_HEADER) -> None:
        """Take one object, or all items of a List; ``outer`` is the type of items in a typed List that state none."""
        if place.file not in self._meant and self._passed_over.is_patch(place.file):
            self._pass_over_patch(place, as_outline(body))
            return
        header = self._header(place, body, outer)
        if header is None:
            return
        kind = header.kind or ""
        if take := self._take.get((kind, header.api_version or "")):
            if not self._is_template(place, kind, body):
                take(ApiObject(place, body))
        elif kind.endswith("List"):
            self._add_items(place, self._items(place, body), header)
        else:
            self._judge_other(place, body, header)

    def _header(self, place: Place, body: msgspec.Raw | Outline, outer: TypeMeta) -> TypeMeta | None:
        """The type of an object; None if it has none: then the document is reported or passed over."""
        if isinstance(body, Outline):
            return self._plain_header(place, body, outer)
        try:
            header = _decode_header(body)
        except (msgspec.MsgspecError, RecursionError):
            return self._plain_header(place, as_outline(body), outer)
        if not (header.kind and header.api_version):
            header = _filled(header, outer)
        return header if header.kind and header.api_version else self._plain_header(place, as_outline(body), outer)

    def _plain_header(self, place: Place, outline: Outline, outer: TypeMeta) -> TypeMeta | None:
        value = outline.value
        if self._is_stranger(place, outline):
            return None
        if not isinstance(value, dict):
            # The items of a List that ovsnp does not read need not be objects.
            if not outer.kind or _matters(outer.kind):
                remedy = "write the items of a List" if isinstance(value, list) else "write its fields"
                message = f"must be a Kubernetes object, not {describe(value)}; {remedy}"
                self._report.begin(place, None, outline.faults or [Fault((), message)])
            return None
        wrong = [
            Fault((field,), f"must be text, not {describe(value[field])}; write it in quotes")
            for field in ("apiVersion", "kind")
            if not isinstance(value.get(field), str | None)
        ]
        if not isinstance(value.get("kind", outer.kind), str) or is_kustomization(value):
            better = mistake_of_stranger(place.file, outline, self._passed_over.directory_of(place.file))
            wrong = [Fault((), better)] if better else wrong
        if wrong:
            self._report.begin(place, _subject(value, None), wrong)
            return None
        return _filled(TypeMeta(value.get("kind"), value.get("apiVersion")), outer)

    def _is_stranger(self, place: Place, outline: Outline) -> bool:
        """True if a document is no API object and its file is not in ``meant``; passes over the document."""
        if place.items or place.file in self._meant or (outline.value is None and outline.faults):
            return False
        if is_own(place.file, outline.value):
            return True
        if not is_kustomization(outline.value):
            kind = outline.value.get("kind") if isinstance(outline.value, dict) else None
            if (isinstance(kind, str) and kind not in KINDS) or may_be_meant(outline.value):
                return False
        self._passed_over.take(place, stranger(place.file, outline))
        return True

    def _pass_over_patch(self, place: Place, outline: Outline) -> None:
        """Note a patch of a kind that ovsnp reads.

        A patch of a policy is a mistake, as the policy without its patch may allow more.
        """
        kind = outline.value.get("kind") if isinstance(outline.value, dict) else None
        if isinstance(kind, str) and is_policy_kind(kind):
            self._report.begin(place, _subject(outline.value, kind))
            self._report.add((), PATCH.note(self._passed_over.directory_of(place.file)))
        elif may_be_meant(outline.value):
            self._passed_over.take(place, PATCH)

    def _is_template(self, place: Place, kind: str, body: msgspec.Raw | Outline) -> bool:
        """True if an object has placeholders of a template; reports or notes it, so that it is not read."""
        if not isinstance(body, Outline) or not is_template(body):
            return False
        if place.file in self._meant or is_policy_kind(kind):
            self._report.begin(place, _subject(body.value, kind))
            self._report.add((), TEMPLATE.mistake(self._passed_over.directory_of(place.file)))
        else:
            self._passed_over.take(place, TEMPLATE)
        return True

    def _items(self, place: Place, body: msgspec.Raw | Outline) -> list[Any]:
        """The items of a List; reports the mistakes of the List itself."""
        if not isinstance(body, Outline):
            try:
                items = _decode_list(body).items
                if not list_faults(body):
                    return items
            except (msgspec.MsgspecError, RecursionError):
                pass
            return self._items(place, as_outline(body))
        items = body.value.get("items")
        faults = [fault for fault in body.faults if fault.path[:1] != ("items",) or len(fault.path) == 1]
        if "items" not in body.value and _inner_kind(body.value.get("kind")) in ("", *KINDS):
            faults.append(Fault(("items",), "missing; write the objects there, or [] if there are none"))
        if not isinstance(items, list | None):
            faults.append(Fault(("items",), f"must be a list, not {describe(items)}; write each object after a dash"))
            items = []
        self._report.begin(place, _subject(body.value, "List"), faults)
        return [Outline(item, {}, _faults_of_item(body, index)) for index, item in enumerate(items or ())]

    def _add_items(self, place: Place, items: list[Any], header: TypeMeta) -> None:
        if len(place.items) > MAX_DEPTH:
            self._report.begin(place, None, [Fault((), TOO_DEEP)])
            return
        kind = _inner_kind(header.kind)
        outer = TypeMeta(kind, header.api_version) if kind else _NO_HEADER
        for index, item in enumerate(items):
            self.add(Place(place.file, place.document, (*place.items, index)), item, outer)

    def _judge_other(self, place: Place, body: msgspec.Raw | Outline, header: TypeMeta) -> None:
        """Report an object of a type that ovsnp does not read if it may be a policy; else pass over or note it."""
        kind, version = header.kind or "", header.api_version or ""
        faults = _faults_of_version(kind, version)
        if kind in self._ignored and not faults:
            return
        faults = faults or _faults_of_kind(kind, version)
        written = body.faults if isinstance(body, Outline) else doubled_fields(body)
        faults += [fault for fault in written if faults or fault.path[:1] in OF_THE_TYPE]
        if faults:
            outline = as_outline(body)
            self._report.begin(place, _subject(outline.value, header.kind), faults)
        elif kind in _STATE and _is_ours(kind, version):
            self._report.begin(place, _subject(as_outline(body).value, kind))
            what = f"{quote(version)} is no version of {kind} that ovsnp reads"
            self._report.note(("apiVersion",), f"{what}; ovsnp leaves the object out")
        elif has_pod_template(body):
            self._passed_over.take(place, unread_template(kind))


def _inner_kind(kind: str | None) -> str:
    """The kind of the items of a List; empty if each item states its own."""
    return (kind or "").removesuffix("List")


def _filled(header: TypeMeta, outer: TypeMeta) -> TypeMeta:
    return TypeMeta(header.kind or outer.kind, header.api_version or outer.api_version)


def _matters(kind: str) -> bool:
    """True if ovsnp reads objects of a kind, or must not pass over them."""
    return kind in KINDS or kind == "List" or is_policy_kind(kind)


def _faults_of_version(kind: str, version: str) -> list[Fault]:
    """The mistakes in the type of an object: no kind, or a wrong ``apiVersion`` for a kind that ovsnp reads."""
    if not kind:
        return [Fault(("kind",), "missing; every object says its kind, such as kind: NetworkPolicy")]
    if kind not in _VERSIONS:
        return []
    remedy = f"write apiVersion: {_VERSIONS[kind][0]}"
    if not version:
        return [Fault(("apiVersion",), f"missing; {remedy}")]
    if kind not in _STATE and _is_ours(kind, version):
        return [Fault(("apiVersion",), f"{quote(version)} has no {kind}; {remedy}")]
    return []


def _faults_of_kind(kind: str, version: str) -> list[Fault]:
    """The reason why ovsnp must not pass over an object of a kind that it does not read: it may be a policy."""
    if version in _VERSIONS["NetworkPolicy"] and kind not in _BESIDE_POLICIES:
        return [Fault(("kind",), f"{quote(version)} has no {quote(kind)}; write kind: NetworkPolicy, or leave it out")]
    if is_policy_kind(kind):
        what = f"{quote(kind)} of {quote(version)}"
        remedy = "leave it out, or pass over it with --ignore-kind"
        return [Fault(("kind",), f"{what} is a policy that is not understood; {remedy}")]
    return []


def _is_ours(kind: str, version: str) -> bool:
    """True if an ``apiVersion`` is of the API group in which ovsnp reads a kind; other groups' kinds are not checked.

    Groups of other projects have a domain, the older groups of Kubernetes have none. For NetworkPolicy, a group with a
    domain may be a misspelling.
    """
    group = version.strip().lower().rpartition("/")[0]
    own = _VERSIONS[kind][0].rpartition("/")[0]
    return group == own or "." not in group or (kind == "NetworkPolicy" and group.startswith("networking."))


def _faults_of_item(outline: Outline, index: int) -> list[Fault]:
    return [Fault(path[2:], message) for path, message in outline.faults if path[:2] == ("items", index)]


def _subject(value: Any, kind: str | None) -> Subject | None:
    """The object that mistakes are about; None without a kind. ``value`` may be anything."""
    metadata = value.get("metadata") if isinstance(value, dict) else None
    if not kind:
        return None
    if not isinstance(metadata, dict):
        metadata = {}
    return Subject(kind, metadata.get("namespace"), metadata.get("name"))
