"""The state of the page between two requests: it is all in the fields of the form, and the server keeps nothing."""

import json
from collections.abc import Mapping, Sequence
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

Shown = Literal["form", "yaml"]


class EditorState(NamedTuple):
    """What the page shows.

    ``form`` is the form of ``original`` with the user's changes; ``original`` is None for a new policy. ``text`` is the
    YAML that the user has seen last, with comments. ``replaces`` is NAMESPACE/NAME of the policy that is edited, and
    ``version`` is the version of its file, or empty.
    """

    form: PolicyForm
    original: Mapping[str, Any] | None
    text: str
    shown: Shown
    replaces: str
    version: str

    @classmethod
    def of_fields(cls, fields: Sequence[tuple[str, str]]) -> Self:
        """The state of a request; raises FormError for fields that no page of the console sends."""
        known = dict(fields)
        try:
            original = json.loads(known.get("original") or "null")
        except ValueError:
            raise FormError([FieldMistake("", "the form is not one of this console; open its page again")]) from None
        shown: Shown = "yaml" if known.get("shown") == "yaml" else "form"
        # A form in HTML sends its lines with CRLF.
        text = known.get("text", "").replace("\r\n", "\n")
        form = PolicyForm() if shown == "yaml" else read_form(fields)
        return cls(form, original, text, shown, known.get("replaces", ""), known.get("version", ""))

    @property
    def original_text(self) -> str:
        """The field of the original."""
        return json.dumps(self.original)

    def policy(self) -> dict[str, Any]:
        """The object that the page says; raises FormError and NotShownError if it says none."""
        if self.shown == "form":
            return object_of(self.form, self.original)
        reading = object_of_text(self.text)
        if reading.policy is None:
            raise FormError(
                [FieldMistake("text", f"line {each.span.line}: {each.message}") for each in reading.mistakes]
            )
        return reading.policy

    def as_yaml(self) -> Self:
        """The same policy as text; raises what `policy` raises."""
        policy = self.policy()
        text = edited_text(self.text, policy) if self.text else yaml_of(policy)
        return self._replace(text=text, shown="yaml")

    def as_form(self) -> Self:
        """The same policy as a form, which is then of that object; raises what `policy` raises."""
        policy = self.policy()
        return self._replace(form=form_of(policy), original=policy, shown="form")
