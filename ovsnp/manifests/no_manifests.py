"""What stands among manifests without being one: charts, kustomizations, templates, data of other programs.

In a directory it is passed over with a note, as nobody named it. Two things are mistakes there too: what may have been
meant as an object that ovsnp reads, and text that cannot be parsed and may hold a policy. Who passes over a policy lets
through what the policy stops.
"""

import os
import re
from typing import Any, NamedTuple

from ovsnp.manifests.kinds.wire import KINDS
from ovsnp.manifests.text.outline import TEMPLATE_KEY, NotationError, Outline

_ACTION = "{{"
"""How the parts of a template begin that are replaced."""
_RENDER = "helm template ... | ovsnp ... -f -"

_POLICY_KINDS = ("networkpolicy", "networkpolicies", "egressfirewall", "egressfirewalls")
"""How kinds end that restrict traffic (AdminNetworkPolicy is one of the first), in lower case."""

_POLICY = re.compile(rb"net(?:work)?[-_ ]?pol|egress[-_ ]?firewall", re.IGNORECASE)
_NAME = re.compile(r"pol(?:ic|\b)|firewall", re.IGNORECASE)
_KIND = rb"\bkind[\"']?\s*:\s*[\"']?"
_REPLACED_KIND = re.compile(_KIND + rb"\{\{")
_READ_KIND = re.compile(_KIND + f"(?:{'|'.join(KINDS)})\\b".encode())


class Stranger(NamedTuple):
    """What something is that is no manifest, and what to do with it if there is anything."""

    what: str
    remedy: str = ""

    @property
    def note(self) -> str:
        """The sentence where it is passed over."""
        return f"{self.what}, which ovsnp passes over; {self.remedy}" if self.remedy else f"{self.what}; {_PASSED}"

    @property
    def mistake(self) -> str | None:
        """The sentence where it must not be, if there is a better one than what is missing in an object."""
        return f"{self.what} is no manifest; {self.remedy}" if self.remedy else None


_PASSED = "ovsnp passes over it"
_OTHER = Stranger("no Kubernetes object")
_CHART = Stranger("part of a Helm chart", f"render it first: {_RENDER}")
KUSTOMIZATION = Stranger("a kustomization", "build it first: kustomize build ... | ovsnp ... -f -")
TEMPLATE = Stranger("a template", f"render it first: {_RENDER}")
_BY_NAME = (
    (re.compile(r"kustomization\.ya?ml"), KUSTOMIZATION),
    (re.compile(r"Chart\.ya?ml|values([-._].*)?\.(ya?ml|json)"), _CHART),
)


def stranger(file: str, outline: Outline) -> Stranger:
    """What a document is that is no object, by its text and by the name of its file."""
    if is_template(outline):
        return TEMPLATE
    name = os.path.basename(file)
    return next((found for pattern, found in _BY_NAME if pattern.fullmatch(name)), _OTHER)


def is_policy_kind(kind: str) -> bool:
    """Whether objects of a kind restrict traffic, whoever reads them; odd spellings count too."""
    return "".join(filter(str.isalnum, kind)).lower().endswith(_POLICY_KINDS)


def may_be_meant(value: Any) -> bool:
    """Whether a value that is no object may have been meant as one that ovsnp reads, or as a list of such objects."""
    if isinstance(value, list):
        return any(map(may_be_meant, value))
    if not isinstance(value, dict):
        return False
    kind, fields = value.get("kind"), value.keys()
    if may_be_meant(value.get("items")):
        return True
    if not isinstance(kind, str):
        return "spec" in fields or {"apiVersion", "metadata"} <= fields
    return is_policy_kind(kind) or (kind in KINDS and not fields.isdisjoint(("apiVersion", "metadata", "spec")))


def is_template(outline: Outline) -> bool:
    """Whether a document that can be parsed is a template: names, or values without quotes, are to be replaced."""
    if any(fault.path[-1:] == (TEMPLATE_KEY,) for fault in outline.faults):
        return True
    metadata = outline.value.get("metadata") if isinstance(outline.value, dict) else None
    if not isinstance(metadata, dict):
        return False
    labels = metadata.get("labels")
    names = [metadata.get("name"), metadata.get("namespace"), *(labels.values() if isinstance(labels, dict) else ())]
    return any(isinstance(name, str) and _ACTION in name for name in names)


def may_hold_objects(file: str, text: bytes) -> bool:
    """Whether text that cannot be parsed may hold something that ovsnp must not pass over.

    That is a policy, by the text or by the file's name, and in text that is no template any kind that ovsnp reads.
    """
    text = text.replace(b"\0", b"")
    if _NAME.search(os.path.basename(file)) or _POLICY.search(text) or _REPLACED_KIND.search(text):
        return True
    return _ACTION.encode() not in text and _READ_KIND.search(text) is not None


def broken(text: bytes, mistake: NotationError) -> Stranger:
    """What text is that cannot be parsed."""
    if _ACTION.encode() in text:
        return TEMPLATE
    return Stranger(f"{mistake.message.partition(';')[0]}, and names no kind that ovsnp reads")


def with_remedy(text: bytes, mistake: NotationError) -> str:
    """What to say where text that cannot be parsed is a mistake."""
    return (
        f"{mistake.message}, or render the template first: {_RENDER}" if _ACTION.encode() in text else mistake.message
    )
