"""Files among manifests that are no manifests: charts, kustomizations, templates, data of other programs.

In a directory they are passed over with a note, as the user did not name them. Two cases are mistakes there too: a
document that may be meant as an object that ovsnp reads, and text that cannot be parsed and may hold a policy. Without
the policy, ovsnp would allow the connections that the policy stops.
"""

import os
import re
from typing import Any, NamedTuple

from ovsnp.manifests.kinds.read_kinds import KINDS
from ovsnp.manifests.templates import ACTION, only_includes, replaced_kind
from ovsnp.yaml_reader.json_text import line_of
from ovsnp.yaml_reader.outline import TEMPLATE_KEY, NotationError, Outline

_BARE_ACTION = re.compile(rb"(?:^|[:-][ \t])[ \t]*\{\{", re.MULTILINE)
"""An action where YAML has a line or a value: quoted text and comments with actions make no template."""

_POLICY_KINDS = ("networkpolicy", "networkpolicies", "egressfirewall", "egressfirewalls")
"""The ends, in lower case, of kinds that restrict traffic (AdminNetworkPolicy ends like the first)."""

_POLICY = re.compile(rb"net(?:work)?[-_ ]?pol|egress[-_ ]?firewall", re.IGNORECASE)
_NAME = re.compile(r"pol(?:ic|\b)|firewall", re.IGNORECASE)
_KIND = rb"\bkind[\"']?\s*:\s*[\"']?"
_ESCAPE = re.compile(rb"\\(?:x[4-7]|u00[4-7]|U000000[4-7]|\r?\n)")
"""Letters as escapes, or a folded line: they may spell any kind."""
_READ_KIND = re.compile(_KIND + f"(?:{'|'.join(KINDS)})\\b".encode())
_FIELDS_OF_POLICIES = frozenset({"podSelector", "policyTypes", "ingress", "egress"})


class Stranger(NamedTuple):
    """A sort of text that is no manifest: its name in singular and plural, the step not done, and the remedy."""

    what: str
    several: str
    left_undone: str = ""
    remedy: str = ""

    def note(self, directory: str, count: int = 1, where: str = "") -> str:
        """The note about ``count`` such texts that are passed over; ``directory`` goes into the remedy."""
        head, those = (self.what, "it") if count == 1 else (f"{count} {self.several}{where}", "them")
        if not self.remedy:
            return f"{head}; ovsnp passes over {those}"
        return f"{head}, which ovsnp does not {self.left_undone}; {self.remedy.format(directory, those=those)}"

    def mistake(self, directory: str) -> str | None:
        """The error about such a text; None if an error about its missing fields is better."""
        return f"{self.what} is no manifest; {self.remedy.format(directory, those='it')}" if self.remedy else None


_RENDER = ("render", "render {those} first: helm template {} | ovsnp ... -f -")
_BUILD = ("build", "build {those} first: kustomize build {} | ovsnp ... -f -")
OTHER = Stranger("no Kubernetes object", "texts that are no Kubernetes objects")
CHART = Stranger("a Helm chart", "Helm charts", *_RENDER)
OF_CHART = Stranger("part of a Helm chart", "parts of Helm charts", *_RENDER)
TEMPLATE = Stranger("a template", "templates", *_RENDER)
REPLACED_KIND = "a template, and its kind is replaced, so it may be a policy"
ONLY_INCLUDES = "a template that only includes others, so it may hold a policy"
KUSTOMIZATION = Stranger(
    "a kustomization that changes or adds objects", "kustomizations that change or add objects", *_BUILD
)
PLAIN_KUSTOMIZATION = Stranger("a kustomization that only lists files", "kustomizations that only list files")
_CHANGES = "changes policies or the pods that they select, and ovsnp does not build kustomizations"
CHANGED_POLICIES = f"{_CHANGES}; {_BUILD[1].format('{}', those='it')}"
PATCH = Stranger("a patch of a kustomization", "patches of kustomizations", "apply", _BUILD[1])

_KUSTOMIZATION_NAME = re.compile(r"kustomization\.ya?ml|Kustomization")
_CHART_NAME = re.compile(r"Chart\.ya?ml")
_OF_CHART_NAME = re.compile(r"values([-._].*)?\.(ya?ml|json)|requirements\.ya?ml")
_KUSTOMIZE = "kustomize.config.k8s.io/"
_KUSTOMIZE_KINDS = ("Kustomization", "Component")


_REMEDY = re.compile(r"; ((?:render|build) (?:it|them) first: .*)$")


def unread_template(kind: str) -> Stranger:
    """The sort of text for an object of another kind with a pod template."""
    return Stranger(f"a pod template of a {kind}, which ovsnp does not read", f"pod templates of {kind} objects")


def remedy_of(note: str) -> str | None:
    """The remedy in a note about a text that ovsnp neither renders nor builds; None if there is none."""
    found = _REMEDY.search(note)
    return found[1] if found else None


def stranger(file: str, outline: Outline) -> Stranger:
    """The sort of a document that is no object, by its text and by the name of its file."""
    if is_template(outline):
        return TEMPLATE
    if names_kustomization(file) or is_kustomization(outline.value):
        return KUSTOMIZATION
    return OF_CHART if names_chart(file) or _OF_CHART_NAME.fullmatch(os.path.basename(file)) else OTHER


def mistake_of_stranger(file: str, outline: Outline, directory: str) -> str | None:
    """The error about a document that must not be passed over; None if an error about missing fields is better."""
    what = stranger(file, outline)
    kind = outline.value.get("kind") if isinstance(outline.value, dict) else None
    if what is TEMPLATE and not isinstance(kind, str | None):
        return f"{REPLACED_KIND}; {_render(directory)}"
    return what.mistake(directory)


def names_kustomization(file: str) -> bool:
    """True if kustomize reads files of this name in a directory that it builds."""
    return _KUSTOMIZATION_NAME.fullmatch(os.path.basename(file)) is not None


def names_chart(file: str) -> bool:
    """True if a file of this name makes its directory a Helm chart."""
    return _CHART_NAME.fullmatch(os.path.basename(file)) is not None


def is_kustomization(value: Any) -> bool:
    """True if a document states that kustomize reads it, whatever the name of its file."""
    if not isinstance(value, dict):
        return False
    kind, version = value.get("kind"), value.get("apiVersion")
    if version is None:
        return kind in _KUSTOMIZE_KINDS
    return isinstance(version, str) and version.startswith(_KUSTOMIZE) and kind in (None, *_KUSTOMIZE_KINDS)


def is_policy_kind(kind: str) -> bool:
    """True if objects of a kind restrict traffic, whatever program reads them; ignores case and punctuation."""
    return "".join(filter(str.isalnum, kind)).lower().endswith(_POLICY_KINDS)


def may_be_meant(value: Any) -> bool:
    """True if a value that is no object may be meant as one that ovsnp reads, or as a list of such objects."""
    if isinstance(value, list):
        return any(map(may_be_meant, value))
    if not isinstance(value, dict):
        return False
    kind, fields = value.get("kind"), value.keys()
    if may_be_meant(value.get("items")):
        return True
    if isinstance(kind, str):
        return is_policy_kind(kind) or (kind in KINDS and not fields.isdisjoint(("apiVersion", "metadata", "spec")))
    if len({"apiVersion", "metadata", "spec"} & fields) > 1:
        return True
    spec = value.get("spec", ())
    return not _FIELDS_OF_POLICIES.isdisjoint(spec) if isinstance(spec, dict) and spec else spec in (None, {})


def is_template(outline: Outline) -> bool:
    """True if a document that can be parsed is a template: names, or values without quotes, are placeholders."""
    if any(fault.path[-1:] == (TEMPLATE_KEY,) for fault in outline.faults):
        return True
    metadata = outline.value.get("metadata") if isinstance(outline.value, dict) else None
    if not isinstance(metadata, dict):
        return False
    labels = metadata.get("labels")
    names = [metadata.get(field) for field in ("name", "generateName", "namespace")]
    names += labels.values() if isinstance(labels, dict) else ()
    return any(isinstance(name, str) and ACTION in name for name in names)


def may_hold_objects(file: str, text: bytes) -> bool:
    """True if text that cannot be parsed may hold an object that ovsnp must not pass over.

    That is a policy, by the text or by the file's name; in text that is no template, any kind that ovsnp reads.
    """
    text = text.replace(b"\0", b"")
    if _NAME.search(os.path.basename(file)) or _POLICY.search(text) or _ESCAPE.search(text):
        return True
    if replaced_kind(text) is not None or only_includes(text):
        return True
    return ACTION.encode() not in text and _READ_KIND.search(text) is not None


def broken(text: bytes, mistake: NotationError) -> Stranger:
    """The sort of a text that cannot be parsed."""
    if ACTION.encode() in text:
        return TEMPLATE
    problem = mistake.message.partition(";")[0]
    kinds = "no kind that ovsnp reads"
    return Stranger(f"{problem}, and names {kinds}", f"files that are {problem}, and name {kinds}")


def mistake_of_text(text: bytes, mistake: NotationError, directory: str) -> tuple[int, str]:
    """The line and the error for text that cannot be parsed and must not be passed over."""
    if found := mistake_of_template(text, directory):
        return found
    if ACTION.encode() in text:
        return mistake.line, f"{mistake.message}; or, if this is a template, {_render(directory)}"
    return mistake.line, mistake.message


def mistake_of_template(text: bytes, directory: str) -> tuple[int, str] | None:
    """The line and the error for a template that must not be passed over; None if the text is no template."""
    action = _BARE_ACTION.search(text)
    if not action:
        return None
    end, what = _why_no_manifest(text, action.end())
    return line_of(text, end), f"{what}; {_render(directory)}"


def _render(directory: str) -> str:
    return TEMPLATE.remedy.format(directory, those="it")


def of_several_templates(message: str, directory: str, more: int) -> str | None:
    """The error about a template and ``more`` templates of its chart; None for errors about other texts."""
    what, same, _ = message.partition(f"; {_render(directory)}")
    if not same:
        return None
    others = f"{more} more template{'s' if more > 1 else ''} of this chart"
    return f"{what}, and {others}; {TEMPLATE.remedy.format(directory, those='them')}"


def _why_no_manifest(text: bytes, action: int) -> tuple[int, str]:
    """The offset of the part of a template that makes it a mistake, and the error.

    ``action`` is the end of the first action of the template.
    """
    if policy := _POLICY.search(text):
        return policy.end(), "a template that may hold a policy"
    kind = replaced_kind(text)
    if kind is not None:
        return kind, REPLACED_KIND
    return action, ONLY_INCLUDES if only_includes(text) else "a template is no manifest"
