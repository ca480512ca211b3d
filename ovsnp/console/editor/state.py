"""The state of the page between two requests: it is all in the fields of the form, and the server keeps nothing."""

import json
from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any, Literal, NamedTuple, Self

from ovsnp.console.editor.fields import read_form
from ovsnp.console.form import (
    FieldMistake,
    FormError,
    PolicyForm,
    edited_text,
    form_of,
    object_of,
    object_of_text,
    yaml_of,
)
from ovsnp.console.saving import PolicyName
from ovsnp.errors import Diagnostic
from ovsnp.yaml_editor import EditRefusedError
from ovsnp.yaml_reader.report import DEFAULT_NAMESPACE

Shown = Literal["form", "yaml"]

TEXT = "text"
"""The field of the YAML."""

_DEEPEST = 100
"""The most levels of an original; a NetworkPolicy has about ten."""


class EditorState(NamedTuple):
    """What the page shows.

    ``form`` is the form of ``original`` with the user's changes; ``original`` is None for a new policy. ``text`` is the
    YAML with its comments, as the file has it or as the user has written it; the form may have changed since.
    ``replaces`` is NAMESPACE/NAME of the policy that is edited; ``opened`` and ``version`` are its text and its version
    when the page was opened. These three are empty for a new policy.
    """

    form: PolicyForm
    original: Mapping[str, Any] | None
    text: str
    shown: Shown
    replaces: str = ""
    opened: str = ""
    version: str = ""

    @classmethod
    def of_fields(cls, fields: Sequence[tuple[str, str]]) -> Self:
        """The state of a request; raises FormError for fields that no page of the console sends."""
        known = dict(fields)
        original = _read_original(known.get("original") or "null")
        shown: Shown = "yaml" if known.get("shown") == "yaml" else "form"
        # A form in HTML sends its lines with CRLF.
        text, opened = (known.get(name, "").replace("\r\n", "\n") for name in ("text", "opened"))
        form = PolicyForm() if shown == "yaml" else read_form(fields)
        return cls(form, original, text, shown, known.get("replaces", ""), opened, known.get("version", ""))

    @property
    def original_text(self) -> str:
        """The field of the original."""
        return json.dumps(self.original)

    @property
    def replaced(self) -> PolicyName:
        """The policy that is edited; both names are empty for a new one."""
        namespace, _, name = self.replaces.partition("/")
        return PolicyName(namespace, name)

    @property
    def name(self) -> PolicyName:
        """The name that the page says, empty if there is none; the namespace is then the one of objects without one."""
        if self.shown == "form":
            return PolicyName(self.form.namespace.strip() or DEFAULT_NAMESPACE, self.form.name.strip())
        metadata = (object_of_text(self.text).policy or {}).get("metadata")
        stated = metadata if isinstance(metadata, dict) else {}
        namespace, name = (value if isinstance(value := stated.get(field), str) else "" for field in PolicyName._fields)
        return PolicyName(namespace or DEFAULT_NAMESPACE, name)

    def policy(self) -> dict[str, Any]:
        """The object that the page says; raises FormError and NotShownError if it says none."""
        if self.shown == "form":
            return object_of(self.form, self.original)
        reading = object_of_text(self.text)
        if reading.policy is None:
            raise FormError(mistakes_of_text(reading.mistakes))
        return reading.policy

    def as_new(self) -> Self:
        """The same policy, to be saved as a new one."""
        return self._replace(replaces="", opened="", version="")

    def as_yaml(self) -> tuple[Self, str]:
        """The same policy as text, and why its comments are lost, empty if they stay; raises what `policy` raises."""
        policy = self.policy()
        lost = ""
        try:
            text = edited_text(self.text, policy) if self.text else yaml_of(policy)
        except EditRefusedError as error:
            text, lost = yaml_of(policy), str(error)
        return self._replace(text=text, shown="yaml"), lost

    def as_form(self) -> Self:
        """The same policy as a form, which is then of that object; raises what `policy` raises."""
        policy = self.policy()
        return self._replace(form=form_of(policy), original=policy, shown="form")


def mistakes_of_text(found: Sequence[Diagnostic]) -> list[FieldMistake]:
    """The mistakes of a text at the field of the YAML, each with its line and its path if it has them."""
    sentences = (
        ": ".join(filter(None, (f"line {each.span.line}" if each.span.line else "", each.path, each.message)))
        for each in found
    )
    return [FieldMistake(TEXT, sentence) for sentence in sentences]


def _read_original(text: str) -> dict[str, Any] | None:
    """The object that the form was made from; raises FormError for what no page of the console sends."""
    try:
        original = json.loads(text)
        if not isinstance(original, dict | None) or _is_deep(original):
            raise ValueError(text)
        json.dumps(original, ensure_ascii=False, allow_nan=False).encode()
    except (ValueError, RecursionError):
        raise FormError([FieldMistake("", "the form is not one of this console; open its page again")]) from None
    return original


def _is_deep(value: Any) -> bool:
    level = [value]
    for _ in range(_DEEPEST):
        inner = [each.values() if isinstance(each, dict) else each for each in level if isinstance(each, dict | list)]
        level = [*chain.from_iterable(inner)]
        if not level:
            return False
    return True
